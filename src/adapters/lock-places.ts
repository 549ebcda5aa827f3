import { lstatSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { sha256Hex } from "../core/sha256.ts";

/** Folders to be made one after the other; the last one holds the lock files. */
export type LockPlace = readonly [outer: string, inner: string];

/** Where this user's files of this host lie. */
export interface HostFolders {
  /** XDG_RUNTIME_DIR. Passed over unless it is a folder of ours (after `sudo` it may be somebody else's). */
  readonly runtimeFolder?: string | undefined;
  /** The system's one when not given. */
  readonly temporaryFolder?: string | undefined;
}

/**
 * Where the locks of a store may lie: in the store, or, when that cannot hold a lock file, in a place of this user on this host, so that
 * parallel calls there are still joined.
 */
export function lockPlaces(store: string, folders: HostFolders): readonly LockPlace[] {
  const inner = `locks-${sha256Hex(resolve(store)).slice(0, 16)}`;
  return [[store, join(store, "locks")], ...placesOfThisHost(folders).map((outer): LockPlace => [outer, join(outer, inner)])];
}

/** Folders of this user on this host, the better one first; whoever uses one makes it, and checks whose it is. */
export function placesOfThisHost({ runtimeFolder, temporaryFolder = tmpdir() }: HostFolders): readonly string[] {
  const user = process.geteuid?.();
  // On Windows the temporary folder is the user's own.
  return [...(isOurs(runtimeFolder) ? [join(runtimeFolder, "kubectl-oidc")] : []), join(temporaryFolder, user === undefined ? "kubectl-oidc" : `kubectl-oidc-${user}`)];
}

/**
 * True when the error of this code says that no lock file can be there: a read-only or full disk, a folder that we may not write or that
 * nobody can make (HOME=/dev/null or /proc).
 */
export function cannotHoldLocks(code: string): boolean {
  return ["EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT", "ENOENT", "ENOTDIR"].includes(code);
}

function isOurs(folder: string | undefined): folder is string {
  if (folder === undefined || !isAbsolute(folder)) return false;
  try {
    const stat = lstatSync(folder);
    return stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o022) === 0;
  } catch {
    // Absent, or no path at all (ENAMETOOLONG).
    return false;
  }
}
