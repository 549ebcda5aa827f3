import * as fs from "node:fs";
import { join } from "node:path";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { HeldLock, LockHolder, Locks } from "../ports.ts";
import { wakeWaiters, watchRelease } from "./lock-release.ts";
import { makeFolder } from "./private-files.ts";

/** Milliseconds between two tries of a waiter that nobody wakes (the holder was killed): short at first, since most locks are held for one exchange. */
const shortestPoll = 10;
const longestPoll = 100;

interface Binding {
  readonly tryLock: (fd: number) => boolean;
  readonly unlock: (fd: number) => void;
}

/**
 * Locks that the kernel holds on open files in `<folder>/locks` (architecture.md, rule 7): they end with their holder,
 * `kill -9` included. A lock belongs to its descriptor, so two takes in one process exclude each other too, and Node opens
 * with O_CLOEXEC, so no child inherits it. Lock files stay: removing one would let two processes lock two files of one name.
 * STORE_UNWRITABLE when the binding or the file cannot be had; STORE_UNSAFE for a file that is not ours.
 */
export async function kernelLocks(folder: string): Promise<Locks> {
  const binding = await loadBinding();

  function tryTake(name: string): HeldLock | undefined {
    const path = join(folder, "locks", name);
    const fd = open(folder, path);
    try {
      if (!binding.tryLock(fd)) {
        fs.closeSync(fd);
        return undefined;
      }
    } catch (error) {
      fs.closeSync(fd);
      return fail("STORE_UNWRITABLE", { message: `${safeText(path)} cannot be locked`, reason: codeOf(error), hint: "choose a folder on a local disk with --token-cache-dir" });
    }
    note(fd);
    return held(binding, fd);
  }

  return {
    tryTake,
    async take(name, waitMs, signal, wait = {}) {
      const started = performance.now();
      if (signal.aborted) return fail("INTERRUPTED");
      const first = tryTake(name);
      if (first !== undefined) return first;
      const path = join(folder, "locks", name);
      wait.onWait?.(holderOf(path));
      const release = watchRelease(path);
      try {
        for (let poll = shortestPoll; ; poll = Math.min(longestPoll, poll * 1.3)) {
          if (signal.aborted) return fail("INTERRUPTED");
          if (await wait.unless?.()) return undefined;
          const lock = tryTake(name);
          if (lock !== undefined) return lock;
          const left = waitMs - (performance.now() - started);
          if (left <= 0) return undefined;
          await release.pause(Math.min(poll, left), signal);
        }
      } finally {
        release.end();
      }
    },
  };
}

async function loadBinding(): Promise<Binding> {
  try {
    const { tryLock, unlock } = await import("fs-native-extensions");
    return { tryLock: (fd) => tryLock(fd), unlock: (fd) => unlock(fd) };
  } catch (error) {
    return fail("STORE_UNWRITABLE", { message: "the locks of this platform cannot be used", reason: codeOf(error), hint: "reinstall kubectl-oidc for this platform" });
  }
}

function open(folder: string, path: string): number {
  try {
    makeFolder(folder);
    makeFolder(join(folder, "locks"));
    const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | (fs.constants.O_NOFOLLOW ?? 0), 0o600);
    const stat = fs.fstatSync(fd);
    // A second name could be a file of ours that the note would overwrite.
    if (stat.isFile() && stat.nlink === 1 && (process.platform === "win32" || stat.uid === process.geteuid?.())) return fd;
    fs.closeSync(fd);
    return fail("STORE_UNSAFE", { message: `${safeText(path)} is not a file of ours alone` });
  } catch (error) {
    if (isOidcError(error)) throw error;
    // O_NOFOLLOW; FreeBSD says EMLINK.
    if (["ELOOP", "EMLINK"].includes(codeOf(error))) return fail("STORE_UNSAFE", { message: `${safeText(path)} is a link` });
    return fail("STORE_UNWRITABLE", { message: `${safeText(path)} cannot be opened`, reason: codeOf(error) });
  }
}

function held(binding: Binding, fd: number): HeldLock {
  const state = { open: true };
  return {
    release() {
      if (!state.open) return;
      state.open = false;
      try {
        binding.unlock(fd);
        wakeWaiters(fd);
      } finally {
        fs.closeSync(fd);
      }
    },
  };
}

/** Who holds it, for those who wait. Nothing rests on it. */
function note(fd: number): void {
  try {
    fs.ftruncateSync(fd);
    fs.writeSync(fd, JSON.stringify({ pid: process.pid, since: Date.now() }), 0);
  } catch {
    // On Windows a locked range cannot be read anyway.
  }
}

function holderOf(path: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(path, "utf8"));
    return isObject(value) && Number.isInteger(value["pid"]) && Number.isFinite(value["since"]) ? { pid: Number(value["pid"]), since: Number(value["since"]) } : undefined;
  } catch {
    return undefined;
  }
}

const codeOf = (error: unknown) => safeText((error as NodeJS.ErrnoException).code ?? "unknown", 40);
