import { readFileSync } from "node:fs";

/** Field 22 of /proc/PID/stat, which a process that got a used number does not share; `-` where there is none. */
export function startOf(pid: number): string {
  if (process.platform !== "linux") return "-";
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "-";
  } catch {
    return "-";
  }
}
