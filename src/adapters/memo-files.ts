import { randomBytes } from "node:crypto";
import { readdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { isMemoFor, type Memo, memoInputs, memoName, parseMemo, secretDigest } from "../core/memo.ts";
import type { CredentialRecord } from "../core/session.ts";
import type { PrivateFiles } from "../ports.ts";

/** Most memo entries that are kept; each is about 2 KB. The oldest go first. */
const mostMemos = 512;
/** Most memo ids that one credential lists. */
const mostIds = 256;
/** A configuration file younger than this could change again within one tick of its time stamps. Milliseconds. */
const settledAfter = 2_000;

/** A judged call: what the hot path may repeat. */
export interface JudgedCall {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly programVersion: string;
  /** The working directory, when a path among the inputs is relative. */
  readonly cwd: string | undefined;
  /** Configuration files that were looked for, present or not. */
  readonly configFiles: readonly string[];
  readonly credentialFile: string;
  readonly kind: Memo["kind"];
  readonly minValidity: number;
  readonly ttl: number;
  readonly apiVersion: Memo["apiVersion"];
  readonly keychain: Memo["keychain"];
}

/** What `rememberCall` works with. `stampOf` is the hot path's own, so that both agree. */
export interface MemoTools {
  /** The default data folder, where the hot path looks. */
  readonly files: PrivateFiles;
  readonly stampOf: (path: string) => string;
  /** Milliseconds. */
  readonly now: number;
  readCredential(): Promise<CredentialRecord | undefined>;
  writeCredential(record: CredentialRecord): Promise<void>;
}

/**
 * Writes the memo of a judged call and lists its id in the credential (docs/adr/0001-hot-path.md). The caller holds the
 * session's refresh lock, so that a token which came meanwhile is not overwritten.
 */
export async function rememberCall(call: JudgedCall, tools: MemoTools): Promise<void> {
  if (!call.configFiles.every((path) => isSettled(path, tools.now))) return;
  const credential = await tools.readCredential();
  if (credential === undefined) return;
  const inputs = memoInputs(call.argv, call.env, call.programVersion);
  const name = `memo/${memoName(inputs.open)}`;
  const stamps = call.configFiles.map((path) => [path, tools.stampOf(path)] as const);
  const known = parseMemo(tools.files.read(name) ?? "");
  const { credentialFile, kind, minValidity, ttl, apiVersion, keychain } = call;
  const policy = { cwd: call.cwd ?? null, stamps, credentialFile, kind, minValidity, ttl, apiVersion, keychain };
  const isSame =
    known !== undefined && isMemoFor(known, inputs) && Object.entries(policy).every(([key, value]) => JSON.stringify(known[key as keyof typeof policy]) === JSON.stringify(value));
  if (isSame && credential.memoIds.includes(known.id)) return;
  const id = isSame ? known.id : randomBytes(16).toString("hex");
  // The credential first: an id without a memo does nothing, a memo without its id is a miss for ever.
  await tools.writeCredential({ ...credential, memoIds: [...credential.memoIds.filter((other) => other !== known?.id), id].slice(-mostIds) });
  if (isSame) return;
  const salt = randomBytes(16).toString("hex");
  const memo: Memo = { version: 1, id, inputs: inputs.open, salt, digests: inputs.secrets.map((value) => secretDigest(salt, value)), ...policy };
  tools.files.write(name, JSON.stringify(memo));
  prune(join(tools.files.folder, "memo"));
}

function isSettled(path: string, now: number): boolean {
  try {
    const { mtimeMs, ctimeMs } = statSync(path);
    return now - Math.max(mtimeMs, ctimeMs) >= settledAfter;
  } catch {
    return true;
  }
}

function prune(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= mostMemos) return;
  const aged = names.flatMap((name) => {
    const age = statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs;
    return age === undefined ? [] : [{ name, age }];
  });
  // A quarter at once, so that this is not done at every call.
  for (const { name } of aged.sort((a, b) => a.age - b.age).slice(0, names.length - mostMemos * 0.75)) unlinkSync(join(folder, name));
}
