import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { PrivateFiles } from "../ports.ts";
import { reserve, writeDurably, writeEither } from "./durable-file.ts";
import { type Folders, folders } from "./folders.ts";

/** A stored file is a few KB; more is not ours. Bytes. */
const mostBytes = 1_048_576;

const isPosix = process.platform !== "win32";
const noFollow = fs.constants.O_NOFOLLOW ?? 0;
const nonBlock = fs.constants.O_NONBLOCK ?? 0;

/**
 * The store's folder as private files (architecture.md, rule 8): 0600 in 0700, owner and mode checked at every read, links
 * refused, writes atomic and durable. STORE_UNREADABLE, STORE_UNWRITABLE, STORE_UNSAFE, each naming the file. `seen`: what this run knows of folders.
 */
export function privateFiles(folder: string, seen: Folders = folders()): PrivateFiles {
  const path = (name: string) => join(folder, name);

  function inItsFolder<T>(name: string, action: (target: string) => T): T {
    const target = path(name);
    try {
      seen.make(folder);
      if (dirname(target) !== folder) seen.make(dirname(target));
      return action(target);
    } catch (error) {
      return failToWrite(target, error);
    }
  }

  return {
    folder,
    read(name) {
      // What is read from a folder that somebody can exchange may be old: a server list from before, a session that was logged out.
      seen.checkAbove(folder);
      return readPrivate(path(name), mostBytes);
    },
    write: (name, text, after = "new") => inItsFolder(name, (target) => (after === "new" ? writeDurably(target, text) : writeEither(target, text))),
    reserve(name) {
      const room = inItsFolder(name, reserve);
      return { write: (text) => inItsFolder(name, () => room.write(text)), drop: () => room.drop() };
    },
    remove(name) {
      try {
        fs.unlinkSync(path(name));
      } catch (error) {
        if (!isAbsent(error)) failToWrite(path(name), error);
      }
    },
    list(inside) {
      seen.checkAbove(folder);
      try {
        return fs
          .readdirSync(path(inside), { withFileTypes: true })
          .filter((entry) => entry.isFile() && !entry.name.endsWith(".tmp"))
          .map((entry) => entry.name)
          .sort();
      } catch (error) {
        return isAbsent(error) ? [] : failToRead(path(inside), error);
      }
    },
    moveAside(name) {
      try {
        fs.renameSync(path(name), `${path(name)}.corrupt`);
      } catch (error) {
        if (!isAbsent(error)) failToWrite(path(name), error);
      }
    },
  };
}

/** A file that is ours alone; undefined when it is absent. STORE_UNSAFE, STORE_UNREADABLE. */
export function readPrivate(path: string, most: number): string | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | noFollow | nonBlock);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    // FreeBSD says EMLINK.
    return ["ELOOP", "EMLINK"].includes(codeOf(error)) ? unsafe(path, "is a link") : failToRead(path, error);
  }
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) return unsafe(path, "is not a file");
    if (isPosix && stat.uid !== process.geteuid?.()) return unsafe(path, "belongs to another user");
    if (isPosix && (stat.mode & 0o077) !== 0) return unsafe(path, "can be read by others");
    if (stat.nlink > 1) return unsafe(path, "has a second name");
    if (stat.size > most) return fail("STORE_UNREADABLE", { message: `${safeText(path)} is too large to be ours` });
    return fs.readFileSync(fd, "utf8");
  } catch (error) {
    return failToRead(path, error);
  } finally {
    fs.closeSync(fd);
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? "unknown";
const isAbsent = (error: unknown) => ["ENOENT", "ENOTDIR"].includes(codeOf(error));

function unsafe(path: string, why: string): never {
  return fail("STORE_UNSAFE", { message: `${safeText(path)} ${why}` });
}

function failToRead(path: string, error: unknown): never {
  if (isOidcError(error)) throw error;
  return fail("STORE_UNREADABLE", { message: `${safeText(path)} cannot be read`, reason: codeOf(error) });
}

function failToWrite(path: string, error: unknown): never {
  if (isOidcError(error)) throw error;
  return fail("STORE_UNWRITABLE", { message: `${safeText(path)} cannot be written`, reason: codeOf(error) });
}
