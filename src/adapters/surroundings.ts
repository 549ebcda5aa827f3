import { existsSync } from "node:fs";
import { release } from "node:os";
import { type Surroundings, surroundingsOf } from "../core/surroundings.ts";

/** Docker's and podman's marks. */
const isContainer = () => existsSync("/.dockerenv") || existsSync("/run/.containerenv");
const isWslKernel = () => process.platform === "linux" && /microsoft/i.test(release());

/** Windows' own programs can be started from here. A container on WSL has its kernel and not its Windows programs. */
export const runsInWsl = () => isWslKernel() && !isContainer();

/** Where this program runs, by the variables, the kernel's name and the marks of containers. */
export const surroundings = (env: Readonly<Record<string, string | undefined>>): Surroundings => surroundingsOf({ env, isWslKernel: isWslKernel(), isContainer: isContainer() });
