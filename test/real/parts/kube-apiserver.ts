import { goProgram } from "./go-program.ts";
import { kubernetesVersion, publishedStaging } from "./kubernetes-version.ts";
import type { Part } from "./part.ts";
import { versions } from "./versions.ts";

export const kubeApiserver: Part = {
  name: "kube-apiserver",
  version: versions["kube-apiserver"],
  file: "kube-apiserver",
  /** AuthenticationConfiguration in v1, which setup prints. */
  atLeast: "v1.34.0",
  variables: ["TEST_ASSET_KUBE_APISERVER", "KUBEBUILDER_ASSETS"],
  folders: ["/usr/local/kubebuilder/bin"],
  onPath: ["kube-apiserver"],
  versionArgs: ["--version"],
  making: goProgram({
    module: "k8s.io/kubernetes",
    main: { package: "k8s.io/kubernetes/cmd/kube-apiserver" },
    published: publishedStaging,
    variables: kubernetesVersion,
    file: "kube-apiserver",
    minutes: 5,
  }),
};
