import { goProgram } from "./go-program.ts";
import type { Part } from "./part.ts";
import { versions } from "./versions.ts";

/** Large: it brings a scanner of images along. */
export const k9s: Part = {
  name: "k9s",
  version: versions.k9s,
  file: "k9s",
  variables: ["K9S_BINARY"],
  onPath: ["k9s"],
  versionArgs: ["version", "--short"],
  making: goProgram({ module: "github.com/derailed/k9s", main: { package: "github.com/derailed/k9s" }, file: "k9s", minutes: 15 }),
};
