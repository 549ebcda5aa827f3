import { closeSync, constants, fstatSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { startOf } from "./process-start.ts";

/** Milliseconds. A refresh takes a tenth of a second, two hundred calls at once some; who waits longer asks the whole program, which says for whom it waits. */
const longestWait = 5_000;
/** Older notes count as left behind: a login may take minutes, and nobody waits for it here. */
const longestRenewal = 10_000;
const [firstLook, slowestLook] = [40, 200];

/** How a wait ended: with the text that the look-up gives now; for the whole program; or by a signal, which that program is to get. */
export type Renewed = { readonly kind: "hit"; readonly text: string } | { readonly kind: "miss" } | { readonly kind: "signal"; readonly name: NodeJS.Signals };

/**
 * A call whose token is too old, and nothing else is missing: when another one is renewing it, waiting for that costs next to nothing, while two
 * hundred whole programs that wait for one lock cost seconds of two processors. The first leaves a note, which ends with it; whoever finds it looks
 * again until the token is new, the note is gone, or its time is over. It keeps nobody out: the refresh lock does that, in the whole program,
 * and a note that is wrong costs `longestWait` once.
 * `note`: its path. `lookAgain`: the hot path's text, or undefined. `ppid`: the parent at the start; without it nobody waits for the answer.
 */
export async function awaitRenewal(note: string, lookAgain: () => string | undefined, ppid: number): Promise<Renewed> {
  if (announce(note)) return { kind: "miss" };
  const signal: { name?: NodeJS.Signals } = {};
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const listen = (name: NodeJS.Signals) => {
    signal.name = name;
  };
  for (const name of names) process.on(name, listen);
  // Without a listener Node opens its debugger on a port.
  const ignore = () => undefined;
  if (process.platform !== "win32") process.on("SIGUSR1", ignore);
  const end = performance.now() + longestWait;
  try {
    for (let pause = firstLook; performance.now() < end; pause = Math.min(pause * 1.5, slowestLook)) {
      await new Promise((done) => setTimeout(done, pause));
      if (signal.name !== undefined) return { kind: "signal", name: signal.name };
      if (process.ppid !== ppid) return { kind: "signal", name: "SIGTERM" };
      const text = lookAgain();
      if (text !== undefined) return { kind: "hit", text };
      if (!isHeld(note)) break;
    }
    return { kind: "miss" };
  } finally {
    for (const name of names) process.off(name, listen);
  }
}

/** True when this call is to do it: the note is ours, or none can be left. */
function announce(note: string): boolean {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const fd = openSync(note, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0), 0o600);
      writeSync(fd, `${process.pid} ${startOf(process.pid)}`);
      closeSync(fd);
      process.on("exit", () => removeQuietly(note));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return true;
      if (isHeld(note)) return false;
      removeQuietly(note);
    }
  }
  return false;
}

/** A young note of a process that lives. */
function isHeld(note: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(note, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > 64 || Math.abs(Date.now() - stat.mtimeMs) > longestRenewal) return false;
    const [pid = "", start] = readFileSync(fd, "latin1").split(" ");
    // Just made, and not written yet.
    return pid === "" || (/^\d{1,10}$/.test(pid) && startOf(Number(pid)) === start && isAlive(Number(pid)));
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody took it for left behind.
  }
}
