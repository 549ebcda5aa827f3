import * as fs from "node:fs";
import { dirname } from "node:path";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { syncFolder } from "./durable-file.ts";
import { checkFoldersAbove } from "./folder-owners.ts";

/** The folders that a run reads from and writes in. */
export interface Folders {
  /** STORE_UNSAFE when somebody else could put another folder in this one's place (`folder-owners.ts`). */
  checkAbove(path: string): void;
  /** Makes the folder 0700, or checks one that is there: ours, no link, nobody else may write in it. STORE_UNSAFE; otherwise throws what Node throws. */
  make(path: string): void;
}

const isPosix = process.platform !== "win32";

/**
 * With a memory for one run: the folders above one that was found safe belong to us or to root and are written by nobody else, so nobody else can change
 * that. A refresh looked at them twenty times, which took it 3 ms. The folder itself is looked at each time.
 */
export function folders(): Folders {
  const checked = new Set<string>();
  const ours = new Set<string>();

  function checkAbove(path: string): void {
    if (checked.has(path)) return;
    // Ours alone, with all above it.
    if (!ours.has(dirname(path))) checkFoldersAbove(path);
    checked.add(path);
  }

  return {
    checkAbove,
    make(path) {
      // Before the first is made: nothing is left behind in a place that is refused.
      checkAbove(path);
      // Looked at first: an exception for one that is there takes longer than both.
      const stat = fs.lstatSync(path, { throwIfNoEntry: false }) ?? made(path);
      if (stat.isSymbolicLink()) unsafe(path, "is a link");
      if (!stat.isDirectory()) unsafe(path, "is not a folder");
      if (isPosix && stat.uid !== process.geteuid?.()) unsafe(path, "belongs to another user");
      if (isPosix && (stat.mode & 0o022) !== 0) unsafe(path, "can be written by others");
      ours.add(path);
    },
  };
}

/** The same for who needs one folder once. */
export const makeFolder = (path: string): void => folders().make(path);

function made(path: string): fs.Stats {
  makeParents(path, 64);
  return fs.lstatSync(path);
}

/**
 * Node's own recursive mkdir never ends where a parent exists and the child cannot be made with ENOENT (/proc). Several first calls make the
 * same folders at once: whichever is there already, at whichever moment, was made by another of us.
 */
function makeParents(path: string, depth: number): void {
  if (isMade(path)) return;
  if (depth > 0 && dirname(path) !== path) makeParents(dirname(path), depth - 1);
  if (!isMade(path)) fs.mkdirSync(path, { mode: 0o700 });
}

/** Makes the folder, or finds it made; not when the folder around it is missing. */
function isMade(path: string): boolean {
  try {
    makeOne(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return true;
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** A power cut can take a folder with all that is in it, however durable that is, until the folder around it is synced. */
function makeOne(path: string): void {
  fs.mkdirSync(path, { mode: 0o700 });
  syncFolder(dirname(path));
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? "unknown";

function unsafe(path: string, why: string): never {
  return fail("STORE_UNSAFE", { message: `${safeText(path)} ${why}` });
}
