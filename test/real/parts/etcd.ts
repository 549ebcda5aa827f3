import { goProgram } from "./go-program.ts";
import type { Part } from "./part.ts";
import { versions } from "./versions.ts";

export const etcd: Part = {
  name: "etcd",
  version: versions.etcd,
  file: "etcd",
  variables: ["TEST_ASSET_ETCD", "KUBEBUILDER_ASSETS"],
  folders: ["/usr/local/kubebuilder/bin"],
  onPath: ["etcd"],
  versionArgs: ["--version"],
  making: goProgram({ module: "go.etcd.io/etcd/server/v3", main: { package: "go.etcd.io/etcd/server/v3" }, file: "etcd", minutes: 3 }),
};
