import { goProgram } from "./go-program.ts";
import type { Part } from "./part.ts";
import { versions } from "./versions.ts";

export const helm: Part = {
  name: "helm",
  version: versions.helm,
  file: "helm",
  variables: ["HELM_BINARY"],
  onPath: ["helm"],
  versionArgs: ["version", "--short"],
  making: goProgram({ module: "helm.sh/helm/v3", main: { package: "helm.sh/helm/v3/cmd/helm" }, file: "helm", minutes: 5 }),
};
