import * as fs from "node:fs";
import { dirname, resolve } from "node:path";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";

/**
 * STORE_UNSAFE when somebody else could put another folder in this one's place: a folder above it, or a link on the way, belongs to neither
 * us nor root, or others may write it without the sticky bit (as /tmp has it). So root does not make files in a person's home either
 * (`sudo` with HOME kept), which that person could not use afterwards.
 *
 * Writable by a group is accepted when the group is our own: Debian's and Fedora's private groups make every folder so (umask 002).
 * What does not exist yet is passed over. Windows: the person's application data has its own access list.
 */
export function checkFoldersAbove(path: string): void {
  if (process.platform === "win32") return;
  const whole = resolve(path);
  for (const folder of new Set([...above(whole), ...above(realPathOf(whole))])) {
    const stat = statQuietly(folder);
    if (stat === undefined) continue;
    if (stat.uid !== process.geteuid?.() && stat.uid !== 0) unsafe(folder, "belongs to another user", path);
    // The mode of a link says nothing; its folder and its target are looked at themselves.
    if (!stat.isDirectory() || (stat.mode & 0o1000) !== 0) continue;
    if ((stat.mode & 0o002) !== 0 || ((stat.mode & 0o020) !== 0 && stat.gid !== process.getegid?.() && stat.gid !== 0)) unsafe(folder, "can be written by others", path);
  }
}

/** Every folder above, the nearest first. */
function above(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...above(folder)];
}

/** Links resolved, as far down as something exists. */
function realPathOf(path: string): string {
  for (let existing = path; ; existing = dirname(existing)) {
    try {
      return fs.realpathSync.native(existing) + path.slice(existing.length);
    } catch {
      if (existing === dirname(existing)) return path;
    }
  }
}

function statQuietly(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path);
  } catch {
    // Absent, or in a folder that we may not enter: the use of the store says so.
    return undefined;
  }
}

function unsafe(folder: string, why: string, path: string): never {
  return fail("STORE_UNSAFE", {
    message: `${safeText(folder)}, above ${safeText(path)}, ${why}`,
    hint: "give the folder to yourself or root and take the others' right to write, or choose another: --token-cache-dir",
  });
}
