import { existsSync } from "node:fs";
import { askProgram, type BuiltProgram } from "../../built-program.ts";
import type { Missing } from "./missing.ts";

/** The standalone executable at this path, if it is of the same build as the npm program: one table must not hold two programs. */
export function executableOf(file: string, npm: BuiltProgram): string | Missing {
  if (!existsSync(file)) return { missing: "no standalone executable: npm run build:standalone" };
  try {
    const own = askProgram([file]);
    if (own.commit === npm.commit && own.version === npm.version) return file;
    const isOther = `${file} is ${own.version} of commit ${own.commit}, the npm program ${npm.version} of ${npm.commit}`;
    return { missing: `${isOther}: npm run build:standalone`, isOurFault: true };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error), isOurFault: true };
  }
}
