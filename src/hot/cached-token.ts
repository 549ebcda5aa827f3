// By name: a namespace import makes the bundle copy every property of node:fs, a tenth of a millisecond for nothing.
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { dataFolder } from "../core/data-folder.ts";
import { askAgainAt, execCredentialText, isBearerToken, isFresh } from "../core/exec-credential.ts";
import { handoutFile, handoutTag, handoutText, renewalFiles, wasRefused } from "../core/handout.ts";
import { isMemoFor, type Memo, memoInputs, memoName, parseMemo } from "../core/memo.ts";
import { parseCredentialRecord } from "../core/session.ts";
import { startOf } from "./process-start.ts";
import type { Renewal } from "./renewal.ts";

/** What the hot path is told about its process. */
export interface HotCall {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly programVersion: string;
  readonly ppid: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly cwd: () => string;
}

/**
 * The answer for exactly this call, when it was judged before and its token is still good; else undefined, and the full
 * program decides. It may only succeed or step aside: it prints nothing, waits for nothing, and never throws.
 */
export const cachedToken = (call: HotCall): string | undefined => lookUp(call).text;

/** `text`: the answer. `renewal`: the files of calls that only lack a token that is young enough (`renewal.ts`). */
export interface Found {
  readonly text?: string | undefined;
  readonly renewal?: Renewal;
  /** For who renews it. */
  readonly needsKeychain?: boolean;
}

const nothing: Found = {};

/** As `cachedToken`, and what is missing. */
export function lookUp(call: HotCall): Found {
  try {
    return found(call);
  } catch {
    return nothing;
  }
}

function found(call: HotCall): Found {
  const command = call.argv[0] === "oidc-login" ? call.argv[1] : call.argv[0];
  const folder = dataFolder(call.platform, call.env);
  if (command !== "get-token" || folder === undefined) return nothing;
  const inputs = memoInputs(call.argv, call.env, call.programVersion);
  const memoText = readPrivate(`${folder}/memo/${memoName(inputs.open)}`, call.platform);
  const memo = memoText === undefined ? undefined : parseMemo(memoText);
  if (memo === undefined || !isMemoFor(memo, inputs)) return nothing;
  if (memo.cwd !== null && memo.cwd !== call.cwd()) return nothing;
  for (let i = 0; i < memo.stamps.length; i++) if (stampOf(memo.stamps[i]?.[0] ?? "") !== memo.stamps[i]?.[1]) return nothing;
  return release(call, folder, memo);
}

function release(call: HotCall, folder: string, memo: Memo): Found {
  const text = readPrivate(memo.credentialFile, call.platform);
  const record = text === undefined ? undefined : parseCredentialRecord(text);
  // The id in the credential file is the authority: a planted memo cannot release a token (cli.md M9).
  if (record === undefined || typeof record === "string" || record.kind !== memo.kind || !record.memoIds.includes(memo.id)) return nothing;
  const now = call.now / 1000;
  if (!isBearerToken(record.token)) return nothing;
  if (!isFresh(record, memo.minValidity, now)) return staleIn(memo, record.sessionKey);
  const until = askAgainAt(record, memo.minValidity, memo.ttl, now);
  const execInfo = call.env["KUBERNETES_EXEC_INFO"];
  if (execInfo) {
    const name = memo.credentialFile.slice(memo.credentialFile.lastIndexOf("/") + 1);
    const client = { parent: call.ppid, parentStart: parentStart(call), tag: handoutTag(execInfo, record.token) };
    const note = `${folder}/${handoutFile(name, call.ppid)}`;
    if (wasRefused(readPrivate(note, call.platform), { ...client, now })) return nothing;
    writeNote(note, handoutText({ ...client, askAgainAt: until }));
  }
  return { text: execCredentialText(memo.apiVersion, record.token, until) };
}

function staleIn(memo: Memo, sessionKey: string): Found {
  const renewal = renewalFiles(memo.credentialFile, sessionKey);
  return renewal === undefined ? nothing : { renewal, needsKeychain: memo.keychain === true };
}

/** A file of ours: regular, one name, our owner, nobody else's to read. Undefined when it is anything else. */
function readPrivate(path: string, platform: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > 1_048_576) return undefined;
    if (platform !== "win32" && (stat.nlink !== 1 || stat.uid !== process.geteuid?.() || (stat.mode & 0o077) !== 0)) return undefined;
    return readFileSync(fd, "utf8");
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The identity of a file's content, or `absent`. A change of any part is a miss. */
export function stampOf(path: string): string {
  try {
    // An exception for each absent file would cost as much as all the rest of the look-up.
    const s = statSync(path, { bigint: true, throwIfNoEntry: false });
    return s === undefined ? "absent" : `${s.dev}:${s.ino}:${s.size}:${s.mtimeNs}:${s.ctimeNs}`;
  } catch {
    return "absent";
  }
}

/** When the parent started: empty of meaning where that cannot be had. */
export const parentStart = (call: { readonly ppid: number; readonly platform: string }) => (call.platform === "linux" ? startOf(call.ppid) : "-");

/** Best effort: without the note, a refused token is noticed one call later. */
function writeNote(path: string, text: string): void {
  try {
    // O_NONBLOCK: a planted pipe must not hold us. Not O_TRUNC: a planted second name of another file must not empty it.
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0), 0o600);
    const stat = fstatSync(fd);
    // The end is cut after the write: whoever reads in between finds a note that is none.
    if (stat.isFile() && stat.nlink === 1) ftruncateSync(fd, writeSync(fd, text));
    closeSync(fd);
  } catch {
    // The folder is made by the cold path; until then there is nothing to note.
  }
}
