import { goProgram } from "./go-program.ts";
import type { Part } from "./part.ts";
import { versions } from "./versions.ts";

/** With SQLite: its database in memory. */
export const hydra: Part = {
  name: "hydra",
  version: versions.hydra,
  file: "hydra",
  variables: ["HYDRA"],
  onPath: ["hydra"],
  versionArgs: ["version"],
  making: goProgram({ module: "github.com/ory/hydra/v2", main: { package: "github.com/ory/hydra/v2" }, tags: "sqlite", cgo: true, file: "hydra", minutes: 3 }),
};
