import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { goProgram } from "./go-program.ts";
import { kubernetesVersion, publishedStaging } from "./kubernetes-version.ts";
import type { Part } from "./part.ts";
import { runTool } from "./run-tool.ts";
import { versions } from "./versions.ts";

/** kubectl's own main, which k8s.io/kubectl lacks: k8s.io/kubernetes has it, and is four times as large. */
const source = `package main

import (
	"os"

	"k8s.io/kubectl/pkg/cmd"
)

func main() {
	if err := cmd.NewDefaultKubectlCommand().Execute(); err != nil {
		os.Exit(1)
	}
}
`;

const fromModule = (newer: readonly string[] = []) =>
  goProgram({ module: "k8s.io/kubectl", moduleVersion: publishedStaging, main: { source }, variables: kubernetesVersion, newer, file: "kubectl", minutes: 2 });

const kubectl = { file: "kubectl", versionArgs: ["version", "--client"] } as const;

/** The newest: with kuberc, and its policy for credential plugins. */
export const kubectlNewest: Part = {
  ...kubectl,
  name: "kubectl-newest",
  version: versions["kubectl-newest"],
  /** The allowlist of kuberc with its present field (core/kuberc.ts). */
  atLeast: "v1.36.0",
  variables: ["TEST_ASSET_KUBECTL", "KUBEBUILDER_ASSETS"],
  onPath: [],
  making: fromModule(),
};

/** A golang.org/x/sys of that time does not link with a Go of today. */
export const kubectlOldest: Part = {
  ...kubectl,
  name: "kubectl-oldest",
  version: versions["kubectl-oldest"],
  variables: ["KUBECTL_OLDEST"],
  onPath: [],
  making: fromModule(["golang.org/x/sys v0.30.0", "golang.org/x/net v0.35.0"]),
};

/** Of Debian 12, unpacked, not installed. */
export const kubectlV1beta1: Part = {
  ...kubectl,
  name: "kubectl-v1beta1",
  version: versions["kubectl-v1beta1"],
  variables: ["KUBECTL_V1BETA1"],
  onPath: [],
  making: {
    needs: ["apt-get", "dpkg-deb"],
    minutes: 1,
    async into(folder) {
      const archives = join(folder, "archives");
      await runTool({ program: "mkdir", args: [archives], cwd: folder, minutes: 1 });
      await runTool({ program: "apt-get", args: ["download", "-q", "kubernetes-client"], cwd: archives, minutes: 5 });
      const archive = readdirSync(archives).find((name) => name.startsWith("kubernetes-client_1.20."));
      if (archive === undefined) throw new Error("this system's kubernetes-client is another one");
      await runTool({ program: "dpkg-deb", args: ["-x", join(archives, archive), archives], cwd: folder, minutes: 1 });
      await runTool({ program: "mv", args: [join(archives, "usr/bin/kubectl"), folder], cwd: folder, minutes: 1 });
      rmSync(archives, { recursive: true });
    },
  },
};

/** Whatever people have. */
export const kubectlOnPath: Part = { ...kubectl, name: "kubectl", version: "of the PATH", variables: [], onPath: ["kubectl"] };
