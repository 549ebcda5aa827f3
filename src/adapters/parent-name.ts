import { readFileSync } from "node:fs";
import { basename } from "node:path";

/**
 * The name of the program behind a process id, as the kernel has it (Linux: its first 15 characters), or as `ps` says it (macOS; 500 ms at
 * most). Undefined where it cannot be had, and on Windows, where only a native call or a slow program would tell. Foreign text: any
 * program can name itself as it likes. `ps`: for tests.
 */
export async function parentName(pid: number, platform: string, ps = "/bin/ps"): Promise<string | undefined> {
  const text = platform === "linux" ? commOf(pid) : platform === "darwin" ? basename(await askPs(ps, pid)) : "";
  return text === "" ? undefined : text;
}

function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}

/** Whoever needs no child does not load what starts one, 2 ms. */
async function askPs(ps: string, pid: number): Promise<string> {
  const { commandOf } = await import("./ps-command.ts");
  return commandOf(ps, pid);
}
