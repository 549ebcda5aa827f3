import { createHash } from "node:crypto";

/** The least that a keychain must do. Undefined: no such item. */
export interface KeychainSlots {
  get(account: string): Promise<string | undefined>;
  set(account: string, value: string): Promise<void>;
  delete(account: string): Promise<void>;
}

/** The Windows credential manager takes 2,560 bytes (CRED_MAX_CREDENTIAL_BLOB_SIZE); some are left for safety. */
const chunkBytes = 2_400;

/** First line of an item that was split: generation, number of chunks, SHA-256 of the whole. */
const header = /^kubectl-oidc-chunks:1:([0-9a-f]{8}):(\d{1,3}):([0-9a-f]{64})$/;

const chunkAccount = (account: string, generation: string, index: number) => `${account}#chunk-${generation}-${index}`;

/**
 * Items over the platform's limit, split (architecture.md, rule 5): chunks of a new generation are written first, then the
 * item itself in one step, then the old generation's chunks go. A crash anywhere leaves the old value or the new one,
 * never half of each. `generation`: a fresh name, 8 hex digits.
 */
export async function writeChunked(slots: KeychainSlots, account: string, value: string, generation: string): Promise<void> {
  const before = await slots.get(account);
  const chunks = Buffer.byteLength(value) <= chunkBytes && !header.test(value) ? [] : split(value);
  for (const [i, chunk] of chunks.entries()) await slots.set(chunkAccount(account, generation, i), chunk);
  await slots.set(account, chunks.length === 0 ? value : `kubectl-oidc-chunks:1:${generation}:${chunks.length}:${digest(value)}`);
  await removeChunks(slots, account, before, generation);
}

/** The whole value; undefined when there is none, or when a chunk of it is missing or was changed. */
export async function readChunked(slots: KeychainSlots, account: string): Promise<string | undefined> {
  const item = await slots.get(account);
  const match = item === undefined ? null : header.exec(item);
  if (match === null) return item;
  const [, generation = "", count = "0", expected = ""] = match;
  const chunks = await Promise.all(Array.from({ length: Number(count) }, (_, i) => slots.get(chunkAccount(account, generation, i))));
  const value = chunks.every((chunk) => chunk !== undefined) ? chunks.join("") : undefined;
  return value !== undefined && digest(value) === expected ? value : undefined;
}

/** The item first, so that a crash leaves chunks that nothing names, never a value without its end. */
export async function deleteChunked(slots: KeychainSlots, account: string): Promise<void> {
  const before = await slots.get(account);
  await slots.delete(account);
  await removeChunks(slots, account, before, "");
}

async function removeChunks(slots: KeychainSlots, account: string, item: string | undefined, keep: string): Promise<void> {
  const match = item === undefined ? null : header.exec(item);
  if (match === null || match[1] === keep) return;
  for (let i = 0; i < Number(match[2]); i++) await slots.delete(chunkAccount(account, match[1] ?? "", i));
}

/** By characters, so that no chunk ends within one; three bytes a UTF-16 unit at most. */
function split(value: string): readonly string[] {
  const chunks: string[] = [];
  let chunk = "";
  let size = 0;
  for (const character of value) {
    const bytes = Buffer.byteLength(character);
    if (size + bytes > chunkBytes) {
      chunks.push(chunk);
      chunk = "";
      size = 0;
    }
    chunk += character;
    size += bytes;
  }
  return [...chunks, chunk];
}

const digest = (value: string) => createHash("sha256").update(value).digest("hex");
