import type { ChildProcess } from "node:child_process";

/** Ends a child that leads a process group, with all that it started. Once the leader was collected its number may belong to somebody else, so its group is left alone then. */
export function endGroup(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill();
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
