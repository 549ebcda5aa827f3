import { readFileSync, readlinkSync } from "node:fs";

/**
 * A process as others can check it. `boot` and `space` (pid and time namespace) say where its number and its start mean
 * anything; "-" where the system does not tell (no /proc: macOS, Windows).
 */
export interface LockOwner {
  readonly boot: string;
  readonly space: string;
  readonly pid: number;
  /** Clock ticks between the boot and its start (proc(5), stat, field 22): with it a reused pid is known. */
  readonly start: string;
}

/** This process. */
export function thisProcess(): LockOwner {
  const nothing = { boot: "-", space: "-", pid: process.pid, start: "-" };
  try {
    // A /proc of another pid namespace (`unshare -p` without a mount of its own) shows other processes under our numbers.
    if (readlinkSync("/proc/self") !== String(process.pid)) return nothing;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim().replaceAll("-", "");
    const space = `${digitsOf(readlinkSync("/proc/self/ns/pid"))}-${timeSpace()}`;
    const start = processStat("self")?.start ?? "-";
    return /^[0-9a-f]{32}$/.test(boot) && /^\d+$/.test(start) ? { boot, space, pid: process.pid, start } : nothing;
  } catch {
    return nothing;
  }
}

/** True only when it is certain: same boot and namespaces, and no such process, another one with its number, or its remains. */
export function isGone(owner: LockOwner, me: LockOwner): boolean {
  if ([owner.boot, owner.space, owner.start, me.start].includes("-") || owner.boot !== me.boot || owner.space !== me.space) return false;
  if (isAbsent(owner.pid)) return true;
  // Unreadable: just gone, so the next look is certain, or hidden from us (hidepid).
  const now = processStat(owner.pid);
  return now !== undefined && (now.start !== owner.start || now.isDead);
}

function isAbsent(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: somebody is there.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function processStat(pid: number | "self"): { readonly start: string; readonly isDead: boolean } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name and may hold anything; the third follows its last parenthesis.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state, threads, start] = [fields[0], fields[17], fields[19]];
    if (state === undefined || threads === undefined || start === undefined) return undefined;
    // A zombie that nobody reaped. While it has other threads, one of them may still be inside a write.
    return { start, isDead: (state === "Z" || state === "X") && Number(threads) <= 1 };
  } catch {
    return undefined;
  }
}

/** The start times that /proc shows are those of the reader's time namespace (Linux 5.6). */
function timeSpace(): string {
  try {
    return digitsOf(readlinkSync("/proc/self/ns/time"));
  } catch {
    return "0";
  }
}

const digitsOf = (text: string) => text.replace(/\D/g, "");
