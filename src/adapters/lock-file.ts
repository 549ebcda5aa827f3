import * as fs from "node:fs";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { LockHolder } from "../ports.ts";
import { type Folders, folders } from "./folders.ts";
import type { LockOwner } from "./lock-owner.ts";
import type { LockPlace } from "./lock-places.ts";

/** A note fills this whole, so that one write replaces the last one: every write wakes those who wait. Bytes. */
const noteBytes = 256;

const noFollow = fs.constants.O_NOFOLLOW ?? 0;
const nonBlock = fs.constants.O_NONBLOCK ?? 0;

/** Opens a lock file, 0600 in 0700, for writing. STORE_UNSAFE for one that is not ours alone; otherwise throws what Node throws. */
export function openLockFile(place: LockPlace, path: string, seen: Folders = folders()): number {
  for (const folder of place) seen.make(folder);
  const fd = open(path);
  const stat = fs.fstatSync(fd);
  // A second name could be a file of ours that the note would overwrite.
  if (stat.isFile() && stat.nlink === 1 && isOurs(stat)) return fd;
  fs.closeSync(fd);
  return unsafe(path, "is not a file of ours alone");
}

function open(path: string): number {
  try {
    return fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | noFollow, 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    // O_NOFOLLOW; FreeBSD says EMLINK.
    if (["ELOOP", "EMLINK"].includes(code)) return unsafe(path, "is a link");
    // Left by `sudo`, say. Its owner locks here, so that we may not lock elsewhere.
    const stat = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && !isOurs(stat)) return unsafe(path, "belongs to another user");
    throw error;
  }
}

/** Writes who holds the lock, for those who wait. Nothing rests on it. */
export function noteHolder(fd: number, { boot, space, pid }: LockOwner): void {
  try {
    fs.writeSync(fd, JSON.stringify({ pid, since: Date.now(), boot, space }).padEnd(noteBytes), 0);
  } catch {
    // A full disk; and on Windows a locked range cannot be read anyway.
  }
}

/** The holder by that note. Undefined for one whose pid means nothing here: another host, another container. */
export function readHolder(path: string, me: LockOwner): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(readStart(path));
    if (!isObject(value) || value["boot"] !== me.boot || value["space"] !== me.space) return undefined;
    const { pid, since } = value;
    // What no Date can hold was not written by us.
    return Number.isSafeInteger(pid) && typeof since === "number" && Math.abs(since) <= 8.64e15 ? { pid: Number(pid), since } : undefined;
  } catch {
    return undefined;
  }
}

function readStart(path: string): string {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | noFollow | nonBlock);
  try {
    const buffer = Buffer.alloc(noteBytes);
    return buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, noteBytes, 0));
  } finally {
    fs.closeSync(fd);
  }
}

const isOurs = (stat: fs.Stats) => process.platform === "win32" || stat.uid === process.geteuid?.();

function unsafe(path: string, why: string): never {
  return fail("STORE_UNSAFE", { message: `${safeText(path)} ${why}` });
}
