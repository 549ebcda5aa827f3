import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import type { Reservation } from "../ports.ts";

/** A temporary file this old belongs to a process that is gone. Milliseconds. */
const orphanAge = 3_600_000;
/** Room for one item with a token answer pending: some KB usually, 40 KB for tokens with hundreds of groups. Bytes. */
const reservedBytes = 65_536;

const isPosix = process.platform !== "win32";
const noFollow = fs.constants.O_NOFOLLOW ?? 0;

/**
 * Writes a file whole or not at all: temporary file 0600, fsync, rename, fsync of the folder. Whoever is killed, or loses power, leaves
 * the old content or the new one. `like`: mode and owner of a file that is not ours alone. Throws what Node throws.
 */
export function writeDurably(target: string, text: string, like: { readonly mode?: number; readonly uid?: number; readonly gid?: number } = {}): void {
  writeWhole(target, text, like);
  syncFolder(dirname(target));
}

/**
 * The same, for content whose former state is as good after a power cut (a cached token, a record that a refresh touches): where there is one, the folder is
 * not synced, which takes a disk as long as all the rest.
 */
export function writeEither(target: string, text: string): void {
  const wasThere = fs.existsSync(target);
  writeWhole(target, text, {});
  if (!wasThere) syncFolder(dirname(target));
}

function writeWhole(target: string, text: string, like: { readonly mode?: number; readonly uid?: number; readonly gid?: number }): void {
  const temporary = temporaryName(target);
  let fd: number | undefined;
  try {
    fd = openTemporary(temporary);
    makeLike(fd, like);
    finish(fd, temporary, target, text);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
}

/**
 * Takes the room for a later write now, so that a disk that is full or read-only is known before something irreversible is done. What it
 * cannot promise: room on a file system that copies on write, and for more than 64 KiB. Throws what Node throws.
 */
export function reserve(target: string): Reservation {
  const temporary = temporaryName(target);
  let fd: number | undefined;
  try {
    fd = openTemporary(temporary);
    // Not zeros: some file systems store none of them.
    fs.writeFileSync(fd, randomBytes(reservedBytes));
    fs.fsyncSync(fd);
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    removeQuietly(temporary);
    throw error;
  }
  const state: { fd: number | undefined } = { fd };
  const drop = () => {
    if (state.fd === undefined) return;
    fs.closeSync(state.fd);
    state.fd = undefined;
    removeQuietly(temporary);
  };
  return {
    write(text) {
      const open = state.fd;
      if (open === undefined) return writeDurably(target, text);
      state.fd = undefined;
      try {
        finish(open, temporary, target, text);
        syncFolder(dirname(target));
      } catch (error) {
        removeQuietly(temporary);
        throw error;
      }
    },
    drop,
  };
}

const temporaryName = (target: string) => `${target}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`;

function openTemporary(path: string): number {
  const fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | noFollow, 0o600);
  // An odd umask could take our own right to read it away.
  if (isPosix) fs.fchmodSync(fd, 0o600);
  return fd;
}

/** Another owner can be set by root alone; whoever else writes a file of somebody's group becomes its owner. */
function makeLike(fd: number, { mode, uid, gid }: { readonly mode?: number; readonly uid?: number; readonly gid?: number }): void {
  if (!isPosix) return;
  const now = fs.fstatSync(fd);
  try {
    if (uid !== undefined && gid !== undefined && (uid !== now.uid || gid !== now.gid)) fs.fchownSync(fd, uid, gid);
  } catch {
    // EPERM.
  }
  if (mode !== undefined) fs.fchmodSync(fd, mode);
}

/** Fills an open temporary file and moves it to its place. Closes it in every case. */
function finish(fd: number, temporary: string, target: string, text: string): void {
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at, bytes.length - at, at);
    fs.ftruncateSync(fd, bytes.length);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  replace(temporary, target);
  removeOrphans(dirname(target));
}

/** Windows refuses a rename while a virus scanner or an indexer has either file open; it lets go within moments. */
function replace(temporary: string, target: string): void {
  for (let tries = 1; ; tries++) {
    try {
      fs.renameSync(temporary, target);
      return;
    } catch (error) {
      const isHeld = !isPosix && tries < 20 && ["EPERM", "EACCES", "EBUSY"].includes((error as NodeJS.ErrnoException).code ?? "");
      if (!isHeld) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
    }
  }
}

/** A new name is durable when its folder is. Windows and some network file systems cannot open or sync a folder; the file stands all the same. */
export function syncFolder(path: string): void {
  if (!isPosix) return;
  let fd: number | undefined;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY);
    fs.fsyncSync(fd);
  } catch {
    // EINVAL where the file system has no such thing.
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function removeQuietly(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    // It was never made, or an orphan that a later write clears away.
  }
}

/** Files that a killed process left half-written. Never a reason to fail: what had to be written is written. */
function removeOrphans(path: string): void {
  try {
    for (const name of fs.readdirSync(path)) {
      // Of the names that we give: the folder may be somebody else's too (~/.kube).
      if (!/\.\d+\.[0-9a-f]{12}\.tmp$/.test(name)) continue;
      const stat = fs.lstatSync(join(path, name), { throwIfNoEntry: false });
      if (stat !== undefined && Date.now() - stat.mtimeMs > orphanAge) removeQuietly(join(path, name));
    }
  } catch {
    // A folder that may be written and not listed.
  }
}
