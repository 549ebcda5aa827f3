import { closeSync, constants, fstatSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import type { Waited } from "../core/handout.ts";
import { startOf } from "./process-start.ts";

/** Milliseconds. A refresh takes a tenth of a second, two hundred calls at once some; who waits longer asks the whole program, which says for whom it waits. */
const longestWait = 5_000;
/** Older notes count as left behind: a login may take minutes, and nobody waits for it here. */
const longestRenewal = 10_000;
const [firstLook, slowestLook] = [40, 200];
/** Between the making of a note and its text lie microseconds; on a crowded machine some more. */
const longestSigning = 500;

/** The two files that a wait is about: paths. */
export interface Renewal {
  readonly note: string;
  readonly outcome: string;
}

/** `isOurs`: this call renews, and others wait for it. */
export type Renewed = { readonly kind: "hit"; readonly text: string } | { readonly kind: "miss"; readonly waited?: Waited; readonly isOurs?: true };

/**
 * A call whose token is too old, and nothing else is missing: when another one is renewing it, waiting for that costs next to nothing, while two
 * hundred whole programs that wait for one lock cost seconds of two processors. The first leaves a note, which ends with it; whoever finds it looks
 * again until the token is new, the note is gone, or its time is over. It keeps nobody out: the refresh lock does that, in the whole program,
 * and a note that is wrong costs `longestWait` once.
 * `lookAgain`: the hot path's text, or undefined. `ppid`: the parent at the start; without it nobody waits for the answer.
 */
export async function awaitRenewal({ note, outcome: outcomeFile }: Renewal, lookAgain: () => string | undefined, ppid: number): Promise<Renewed> {
  const announced = announce(note);
  if (announced !== "held") return announced === "ours" ? { kind: "miss", isOurs: true } : { kind: "miss" };
  const outcome = readQuietly(outcomeFile);
  const ended: { by?: Waited["signal"] } = {};
  // They stay: until the whole program has its own, a signal would end us without a word.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => {
      ended.by = name;
    });
  // Without a listener Node opens its debugger on a port.
  if (process.platform !== "win32") process.on("SIGUSR1", () => undefined);
  const end = performance.now() + longestWait;
  for (let pause = firstLook; performance.now() < end; pause = Math.min(pause * 1.5, slowestLook)) {
    await new Promise((done) => setTimeout(done, Math.min(pause, end - performance.now())));
    const signal = ended.by ?? (process.ppid === ppid ? undefined : "SIGTERM");
    if (signal !== undefined) return { kind: "miss", waited: { outcome, signal } };
    const text = lookAgain();
    if (text !== undefined) return { kind: "hit", text };
    if (!isHeld(note)) break;
  }
  return { kind: "miss", waited: { outcome } };
}

/** Whose the note is: ours, another call's, or nobody's where none can be left (then each call does it, and the refresh lock lines them up). */
function announce(note: string): "ours" | "held" | "nobody's" {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const fd = openSync(note, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0), 0o600);
      if (!sign(fd, note)) return "nobody's";
      process.on("exit", () => removeQuietly(note));
      return "ours";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return "nobody's";
      if (isHeld(note)) return "held";
      removeQuietly(note);
    }
  }
  return "held";
}

/** Writes who we are. A full disk takes the name and not the text: such a note would hold others up. */
function sign(fd: number, note: string): boolean {
  try {
    writeSync(fd, `${process.pid} ${startOf(process.pid)}`);
    return true;
  } catch {
    removeQuietly(note);
    return false;
  } finally {
    closeSync(fd);
  }
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
    if (pid === "") return Date.now() - stat.mtimeMs < longestSigning;
    return /^\d{1,10}$/.test(pid) && startOf(Number(pid)) === start && isAlive(Number(pid));
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

/** A planted pipe must not hold us. */
function readQuietly(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= 65_536 ? readFileSync(fd, "utf8") : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody took it for left behind.
  }
}
