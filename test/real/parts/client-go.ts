import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { goProgram, type GoProgram } from "./go-program.ts";
import type { Making, Part } from "./part.ts";
import { versions } from "./versions.ts";

const program = (source: string): GoProgram => ({ module: "k8s.io/client-go", main: { source }, file: "client-go-caller", minutes: 2 });

/** Its source is a file of ours; run from the root of the repository, as every script of ours is. */
const making: Making = {
  ...goProgram(program("")),
  into: (folder, version) => goProgram(program(readFileSync(resolve("test/real/callers/client-go/main.go"), "utf8"))).into(folder, version),
};

/** A small program of client-go's, as controllers are. */
export const clientGo: Part = { name: "client-go", version: versions["client-go"], file: "client-go-caller", variables: ["CLIENT_GO_CALLER"], onPath: [], making };
