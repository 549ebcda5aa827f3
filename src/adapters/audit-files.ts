import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { type AuditEntry, parseAuditLine } from "../core/audit-entry.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { checkFoldersAbove } from "./folder-owners.ts";
import { makeFolder } from "./folders.ts";
import { readPrivate } from "./private-files.ts";

/** A file this long is followed by the next one. Bytes. */
export const fullAt = 1_048_576;
/** Full files that are kept beside the one that is written. */
const keptFull = 5;
/** Several calls can find room in a file at once, and each adds a line. Bytes. */
const mostBytes = 8 * fullAt;

const isPosix = process.platform !== "win32";
const flags = fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_CREAT | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0);

const fileOf = (folder: string, number: number) => join(folder, `audit.${number}.jsonl`);

/**
 * Appends a line, 0600 in 0700, in one write with O_APPEND: lines of parallel processes come one after the other, and none is torn or lost.
 *
 * Files are numbered, and the highest is the one that is written: nothing is ever renamed, so there is nothing that two processes could do
 * twice, no lock to wait for, and no state in which a killed one could leave the log. Whoever finds the file full starts the next, and all
 * who find it full agree on which that is. STORE_UNWRITABLE, STORE_UNSAFE.
 */
export function appendLine(folder: string, line: string): void {
  try {
    makeFolder(dirname(folder));
    makeFolder(folder);
    const newest = numbersIn(folder).at(-1) ?? 1;
    const size = fs.lstatSync(fileOf(folder, newest), { throwIfNoEntry: false })?.size ?? 0;
    const number = size < fullAt ? newest : newest + 1;
    append(fileOf(folder, number), line);
    if (number > newest) prune(folder, number);
  } catch (error) {
    if (isOidcError(error)) throw error;
    fail("STORE_UNWRITABLE", { message: `${safeText(folder)} cannot be written`, reason: codeOf(error), hint: writeHint });
  }
}

const writeHint = "make the folder writable, or take audit: true out of the configuration file";

/** Ascending. */
function numbersIn(folder: string): readonly number[] {
  return fs
    .readdirSync(folder)
    .flatMap((name) => /^audit\.(\d{1,9})\.jsonl$/.exec(name)?.slice(1) ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function append(path: string, line: string): void {
  const fd = open(path);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) unsafe(path, "is not a file");
    if (isPosix && stat.uid !== process.geteuid?.()) unsafe(path, "belongs to another user");
    if (isPosix && (stat.mode & 0o077) !== 0) unsafe(path, "can be read by others");
    // A second name could be a file of ours that the line would spoil.
    if (stat.nlink > 1) unsafe(path, "has a second name");
    // What a full disk cut off must not take this line with it.
    const bytes = Buffer.from(endsWhole(fd, stat.size) ? line : `\n${line}`);
    if (fs.writeSync(fd, bytes) < bytes.length) throw Object.assign(new Error("half a line"), { code: "ENOSPC" });
  } finally {
    fs.closeSync(fd);
  }
}

function open(path: string): number {
  try {
    return fs.openSync(path, flags, 0o600);
  } catch (error) {
    const code = codeOf(error);
    // O_NOFOLLOW; FreeBSD says EMLINK.
    if (code === "ELOOP" || code === "EMLINK") return unsafe(path, "is a link");
    if (code === "EISDIR") return unsafe(path, "is not a file");
    throw error;
  }
}

function endsWhole(fd: number, size: number): boolean {
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  return fs.readSync(fd, last, 0, 1, size - 1) === 0 || last[0] === 0x0a;
}

/** Never a reason to fail: the line is written. */
function prune(folder: string, newest: number): void {
  for (const number of numbersIn(folder)) {
    if (number >= newest - keptFull) continue;
    try {
      fs.unlinkSync(fileOf(folder, number));
    } catch {
      // Another one was faster; or the next file's turn will tell.
    }
  }
}

/** What lies in the log, the oldest first. `unread`: lines that are damaged, or of a newer program. */
export interface AuditContent {
  readonly entries: readonly AuditEntry[];
  readonly unread: number;
}

/** Reads the whole log of a folder; nothing where there is none. STORE_UNSAFE for what somebody else could have written, STORE_UNREADABLE. */
export function readAuditFiles(folder: string): AuditContent {
  const lines = readable(folder).flatMap((number) => {
    const path = fileOf(folder, number);
    checkFoldersAbove(path);
    return (readPrivate(path, mostBytes) ?? "").split("\n").filter((line) => line !== "");
  });
  const parsed = lines.map(parseAuditLine);
  const entries = parsed.filter((entry) => typeof entry === "object");
  return { entries, unread: parsed.length - entries.length };
}

function readable(folder: string): readonly number[] {
  try {
    return numbersIn(folder);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return [];
    return fail("STORE_UNREADABLE", { message: `${safeText(folder)} cannot be read`, reason: codeOf(error) });
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? "unknown";

function unsafe(path: string, why: string): never {
  return fail("STORE_UNSAFE", { message: `${safeText(path)} ${why}` });
}
