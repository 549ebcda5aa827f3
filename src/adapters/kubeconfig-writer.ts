import * as fs from "node:fs";
import { dirname } from "node:path";
import { isObject } from "../core/session.ts";
import { shellWord } from "../core/shell-word.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { reserve, writeDurably } from "./durable-file.ts";
import { isGone, type LockOwner, thisProcess } from "./lock-owner.ts";

/** One file that is to change. Texts, whole. */
export interface FileChange {
  readonly file: string;
  /** As it was read for the plan; undefined for a file that is to be made. */
  readonly before: string | undefined;
  readonly after: string;
  /** What `backupOf(file)` is to hold; undefined: it stays as it is. `null`: it goes. */
  readonly backup?: string | null;
}

/** Milliseconds that `kubectl config` may take to let go of a file. */
const longestWait = 5_000;
const interval = 50;

/** Where the file as it was before our first change is kept. Through a link: beside what it points to. */
export const backupOf = (file: string): string => `${real(file)}.before-kubectl-oidc`;

/**
 * Writes the changes in their order, each whole or not at all, with its owner and mode kept, under the lock that `kubectl config` takes.
 * KUBECONFIG_UNWRITABLE, with nothing written, when a file is not any more what the plan was made from, or is locked by somebody else.
 */
export async function applyChanges(changes: readonly FileChange[], pause: (ms: number) => Promise<void>): Promise<void> {
  await underLocks(changes, pause, () => {
    const back: (() => void)[] = [];
    try {
      for (const { file, before, after, backup } of changes) {
        if (typeof backup === "string") {
          const former = read(backupOf(file));
          back.push(() => put(backupOf(file), former, file));
          write(backupOf(file), backup, file);
        }
        if (after === before) continue;
        write(real(file), after, file);
        back.push(() => put(real(file), before, file));
      }
    } catch (error) {
      // A mounted file cannot be replaced, a disk gets full: nothing was changed, as the message says, and no copy of secrets is left lying about.
      for (const step of back.toReversed()) step();
      throw error;
    }
    // Last: until then they are all there is of the former texts.
    for (const { file, backup } of changes) if (backup === null) fs.rmSync(backupOf(file), { force: true });
  });
}

/** Finds what would stand in their way (a lock, a folder that cannot be written, a full disk), and writes nothing. KUBECONFIG_UNWRITABLE. */
export async function tryChanges(changes: readonly FileChange[], pause: (ms: number) => Promise<void>): Promise<void> {
  await underLocks(changes, pause, () => {
    for (const { file, before, after, backup } of changes) {
      for (const target of [...(typeof backup === "string" ? [backupOf(file)] : []), ...(after === before ? [] : [real(file)])]) {
        try {
          reserve(target).drop();
        } catch (error) {
          refuseAs(file, error);
        }
      }
    }
  });
}

/** Runs the action while nobody else writes these files, which are as they were for the plan. */
async function underLocks(changes: readonly FileChange[], pause: (ms: number) => Promise<void>, action: () => void): Promise<void> {
  const held: string[] = [];
  try {
    for (const { file } of changes) {
      await lock(file, pause);
      held.push(file);
    }
    for (const { file, before } of changes) if (read(file) !== before) refuse(file, "it has changed since the plan was made", "run the command again");
    action();
  } finally {
    for (const file of held) fs.rmSync(lockOf(file), { force: true });
  }
}

/** The file's text; undefined when it is not there. KUBECONFIG_UNWRITABLE when it cannot be read. */
function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : refuseAs(file, error);
  }
}

/** client-go's own (tools/clientcmd/config.go, lockName): it fails when the file is there. */
const lockOf = (file: string) => `${file}.lock`;

async function lock(file: string, pause: (ms: number) => Promise<void>): Promise<void> {
  for (let waited = 0; ; waited += interval) {
    try {
      if (!fs.existsSync(dirname(file))) fs.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      // kubectl leaves it empty. Ours says whose it is, so that one of a killed process bars nobody.
      fs.writeFileSync(lockOf(file), ownerText(), { flag: "wx", mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") refuseAs(file, error);
      if (removeAbandoned(lockOf(file))) continue;
      if (waited >= longestWait)
        refuse(file, "another program is writing it", `end it; when none does, run: rm ${shellWord(lockOf(file), process.platform) ?? "the .lock file beside it"}`);
      await pause(interval);
    }
  }
}

const ownerText = () => `kubectl-oidc ${JSON.stringify(thisProcess())}`;

/** True when the lock was ours and its process is gone for certain. Anything else, kubectl's among them, stays. */
function removeAbandoned(lockFile: string): boolean {
  const aside = `${lockFile}.${process.pid}.abandoned`;
  try {
    const text = fs.readFileSync(lockFile, "latin1").slice(0, 1_000);
    const owner: unknown = text.startsWith("kubectl-oidc ") ? JSON.parse(text.slice("kubectl-oidc ".length)) : undefined;
    if (!isOwner(owner) || !isGone(owner, thisProcess())) return false;
    fs.renameSync(lockFile, aside);
    // Somebody else may have removed it, and taken the lock, since it was read: that one's comes back.
    if (fs.readFileSync(aside, "latin1") !== text) fs.linkSync(aside, lockFile);
    return true;
  } catch {
    return false;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

const isOwner = (value: unknown): value is LockOwner =>
  isObject(value) && typeof value["pid"] === "number" && ["boot", "space", "start"].every((name) => typeof value[name] === "string");

function write(target: string, text: string, file: string): void {
  try {
    const known = fs.statSync(real(file), { throwIfNoEntry: false });
    writeDurably(target, text, known === undefined ? {} : { mode: known.mode & 0o777, uid: known.uid, gid: known.gid });
  } catch (error) {
    refuseAs(file, error);
  }
}

/** The file as it was; what fails here leaves nothing better to be done. */
function put(target: string, text: string | undefined, file: string): void {
  try {
    if (text === undefined) fs.rmSync(target, { force: true });
    else write(target, text, file);
  } catch {
    // The error that led here is the one to tell.
  }
}

function real(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

function refuseAs(file: string, error: unknown): never {
  if (isOidcError(error)) throw error;
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  return refuse(file, code, cures[code] ?? "check the owner and the mode of the file and of its folder");
}

const cures: Readonly<Record<string, string>> = {
  EBUSY: "it is mounted by itself, and such a file cannot be replaced: mount its folder",
  EROFS: "its file system is read-only: copy it elsewhere, and name the copy with --kubeconfig",
  ENOSPC: "make room on its file system, and run the command again",
  EDQUOT: "make room on its file system, and run the command again",
};

function refuse(file: string, reason: string, hint: string): never {
  return fail("KUBECONFIG_UNWRITABLE", { message: `the kubeconfig ${safeText(file, 200)} cannot be written; nothing was changed`, reason, hint });
}
