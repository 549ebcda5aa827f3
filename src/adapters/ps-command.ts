import { outputOf } from "./program-output.ts";
import { isProgram } from "./program-path.ts";

/** Milliseconds. */
const psDeadline = 500;
/** Characters. */
const longestName = 4_096;

/** What this `ps` says that a process runs; empty when it does not say so in time. It ends with us, and at its deadline. */
export async function commandOf(program: string, pid: number): Promise<string> {
  if (!isProgram(program)) return "";
  const text = await outputOf(program, ["-o", "comm=", "-p", String(pid)], { env: { LC_ALL: "C" }, deadlineMs: psDeadline, longest: longestName });
  return text.trim();
}
