import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { HeldLock } from "../ports.ts";
import { isGone, type LockOwner } from "./lock-owner.ts";
import { freeName, heldName, isOf, type KernelReach, type LeaseHolder, type LeaseToken, parseToken } from "./lock-token.ts";
import { makeFolder } from "./folders.ts";
import { steadyNow } from "./steady-clock.ts";

/** Milliseconds: how long a holder that cannot be checked must be silent, and how often a holder renews. */
export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
}

export const usualLeaseTimes: LeaseTimes = { leaseMs: 30_000, renewMs: 5_000 };

/** A network client may cache the listing of a folder for a minute (acdirmax in nfs(5)); changing the folder makes it look. Milliseconds. */
const refreshMs = 1_000;

export interface LeaseLocks {
  /**
   * Takes the lease that lies in the folder `path`, or makes that; undefined when somebody else has it. `reach` is that of the kernel lock
   * that the caller holds besides. STORE_UNSAFE, STORE_UNWRITABLE; what Node throws when the folder cannot be made.
   */
  tryTake(path: string, reach: KernelReach): HeldLock | undefined;
}

/**
 * A lock for file systems without kernel locks. Its folder holds one file at all times, and the name of that file says everything: free, or
 * held, by whom, and how often renewed. Each change is a rename of the name that was seen: the file system lets one of two do it
 * (compare and swap), wherever they run and whatever they have cached. No name comes twice, and no clock of another host is read.
 *
 * A lease is taken over at once when its holder is certainly gone: this boot, this pid namespace and no such process; or when
 * the kernel lock that it held as well is ours now. Otherwise (another host, another container, a reboot) when its name did not change for
 * `leaseMs`, by our own monotonic clock, although a holder renames it every `renewMs`. The rename fails if it was renewed after all.
 *
 * The one case of two holders: one that is frozen, or cut off from the file server, past its lease goes on when it thaws, while the next one
 * works. It changes nothing of the next one's lease. With a kernel lock besides, this needs two hosts.
 */
export function leaseLocks(me: LockOwner, times: LeaseTimes = usualLeaseTimes): LeaseLocks {
  const sights = new Map<string, Sight>();

  return {
    tryTake(path, reach) {
      const mine: LeaseHolder = { nonce: randomBytes(8).toString("hex"), reach, owner: me };
      const [token, ...others] = tokensIn(path);
      if (token === undefined) return install(path, heldName(mine, 0)) ? hold(path, mine, times) : undefined;
      const isSilent = watchSilence(path, [token, ...others]);
      if (![token, ...others].every((each) => isSilent || mayBeTaken(each, reach, me))) return undefined;
      if (!move(path, token.name, heldName(mine, 0))) return undefined;
      // Two at once: something else copied or restored the folder. Their names never come again, so nothing that counts is removed.
      for (const other of others) removeQuietly(join(path, other.name));
      return hold(path, mine, times);
    },
  };

  /** True when these names were there for the whole lease. A pause of our own counts as one renewal at most: the holder may have slept as well. */
  function watchSilence(path: string, tokens: readonly LeaseToken[]): boolean {
    const now = steadyNow();
    const names = tokens.map(({ name }) => name).join("/");
    const before = sights.get(path);
    const silentMs = before?.names === names ? before.silentMs + Math.min(now - before.at, times.renewMs) : 0;
    const isRefreshDue = before !== undefined && now - before.refreshedAt >= refreshMs;
    if (isRefreshDue) refresh(path);
    sights.set(path, { names, silentMs, at: now, refreshedAt: before === undefined || isRefreshDue ? now : before.refreshedAt });
    return silentMs >= times.leaseMs;
  }
}

interface Sight {
  readonly names: string;
  readonly silentMs: number;
  readonly at: number;
  readonly refreshedAt: number;
}

/** The lease's file. Others count only without one: then somebody unknown holds it. Empty: no lease yet, or a rename passed us while we listed. */
function tokensIn(path: string): readonly LeaseToken[] {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return [];
  makeFolder(path);
  const all = orFail(path, () => fs.readdirSync(path)).map(parseToken);
  const known = all.filter(({ kind }) => kind !== "unknown");
  return known.length > 0 ? known : all;
}

function mayBeTaken(token: LeaseToken, reach: KernelReach, me: LockOwner): boolean {
  switch (token.kind) {
    case "free":
      return true;
    case "unknown":
      return false;
    case "held":
      return isGone(token.holder.owner, me) || heldOurKernelLock(token.holder, reach, me);
  }
}

/** The kernel gave us the lock that the holder had: so it is gone, in whatever namespace or on whatever host it ran. */
function heldOurKernelLock({ reach, owner }: LeaseHolder, ours: KernelReach, me: LockOwner): boolean {
  if (ours === "none" || reach !== ours) return false;
  return ours === "server" || (owner.boot !== "-" && owner.boot === me.boot);
}

function hold(path: string, holder: LeaseHolder, times: LeaseTimes): HeldLock {
  const state: { name: string | undefined; beat: number } = { name: heldName(holder, 0), beat: 0 };

  function rename(to: string): void {
    if (state.name === undefined) return;
    try {
      fs.renameSync(join(path, state.name), join(path, to));
      state.name = to;
    } catch {
      // Taken over, or done although its answer was lost on the network.
      state.name = nameNow(path, holder, state.name);
    }
  }

  const renewal = setInterval(() => {
    state.beat++;
    rename(heldName(holder, state.beat));
  }, times.renewMs);
  renewal.unref();

  return {
    release() {
      if (state.name === undefined) return;
      clearInterval(renewal);
      const before = state.name;
      rename(freeName(holder.nonce));
      // Once more after an answer that was lost. If that fails too, the others wait until the lease is over.
      if (state.name !== before) rename(freeName(holder.nonce));
      state.name = undefined;
    },
  };
}

/** The name of this holder's file, undefined when it lost the lease; the last known one when the folder cannot be read now. */
function nameNow(path: string, holder: LeaseHolder, last: string): string | undefined {
  try {
    return fs.readdirSync(path).find((name) => isOf(holder, name));
  } catch {
    return last;
  }
}

/** Makes the folder with a first file that is ours. A rename of folders replaces an empty one only, so one of two succeeds. */
function install(path: string, name: string): boolean {
  const draft = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    fs.mkdirSync(draft, { mode: 0o700 });
    fs.closeSync(fs.openSync(join(draft, name), "wx", 0o600));
    fs.renameSync(draft, path);
    return true;
  } catch (error) {
    removeQuietly(join(draft, name));
    removeFolderQuietly(draft);
    const refusals = process.platform === "win32" ? ["EEXIST", "EPERM", "EACCES"] : ["EEXIST", "ENOTEMPTY"];
    if (refusals.includes(codeOf(error))) return false;
    throw error;
  }
}

/** False when the name is gone: somebody was faster. */
function move(path: string, from: string, to: string): boolean {
  try {
    fs.renameSync(join(path, from), join(path, to));
    return true;
  } catch (error) {
    // A repeated request of a network client can fail after the first one succeeded; the new name is ours alone.
    if (["ENOENT", "ESTALE"].includes(codeOf(error))) return fs.existsSync(join(path, to));
    return failToWrite(path, error);
  }
}

function refresh(path: string): void {
  try {
    const now = new Date();
    fs.utimesSync(path, now, now);
  } catch {
    // Then the release is seen later.
  }
}

function removeQuietly(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    // Gone, or a folder that we did not make.
  }
}

function removeFolderQuietly(path: string): void {
  try {
    fs.rmdirSync(path);
  } catch {
    // It is what we moved to its place.
  }
}

function orFail<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    return failToWrite(path, error);
  }
}

const codeOf = (error: unknown) => safeText((error as NodeJS.ErrnoException).code ?? "unknown", 40);

function failToWrite(path: string, error: unknown): never {
  return fail("STORE_UNWRITABLE", { message: `${safeText(path)} cannot be used as a lock`, reason: codeOf(error) });
}
