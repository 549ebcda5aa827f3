import { createHash } from "node:crypto";

/** The least that a keychain must do. Undefined: no such item. Deleting what is not there is no error. */
export interface KeychainSlots {
  get(account: string): Promise<string | undefined>;
  set(account: string, value: string): Promise<void>;
  delete(account: string): Promise<void>;
}

/** The Windows credential manager takes 2,560 bytes (CRED_MAX_CREDENTIAL_BLOB_SIZE); some are left for safety. UTF-8, as setSecret stores it. */
const chunkBytes = 2_400;
const mostChunks = 999;
/** A reader that met a writer looks again; each look finds a whole value unless yet another write ended in between. */
const looks = 5;

/** The item of a value that was split: generation, number of chunks, SHA-256 of the whole. */
const header = /^kubectl-oidc-chunks:1:(\d{1,15}):(\d{1,3}):([0-9a-f]{64})$/;

/** Generations take turns in two places, so that the next write finds and overwrites what a killed one left. */
const chunkAccount = (account: string, generation: number, index: number) => `${account}#chunk-${generation % 2}-${index}`;

/**
 * Items over the platform's limit, split (architecture.md, rule 5): chunks of a new generation are written first, then the
 * item itself in one step, then everything that it does not name goes. A crash anywhere leaves the old value or the new one,
 * never half of each, and the next write or removal clears what it left. Writers must exclude each other (the refresh lock).
 */
export async function writeChunked(slots: KeychainSlots, account: string, value: string): Promise<void> {
  const generation = generationOf(await slots.get(account)) + 1;
  const chunks = Buffer.byteLength(value) <= chunkBytes && !header.test(value) ? [] : split(value);
  if (chunks.length > mostChunks) throw new Error("the value is too large for this keychain");
  for (const [i, chunk] of chunks.entries()) await slots.set(chunkAccount(account, generation, i), chunk);
  await slots.set(account, chunks.length === 0 ? value : `kubectl-oidc-chunks:1:${generation}:${chunks.length}:${digest(value)}`);
  await removeChunks(slots, account, generation, chunks.length);
  await removeChunks(slots, account, generation + 1, 0);
}

/** The whole value; undefined when there is none, or when a chunk of it is missing or was changed. Needs no lock. */
export async function readChunked(slots: KeychainSlots, account: string): Promise<string | undefined> {
  for (let look = 0; look < looks; look++) {
    const item = await slots.get(account);
    const match = item === undefined ? null : header.exec(item);
    if (match === null) return item;
    const chunks = await Promise.all(Array.from({ length: Number(match[2]) }, (_, i) => slots.get(chunkAccount(account, Number(match[1]), i))));
    const value = chunks.join("");
    if (chunks.every((chunk) => chunk !== undefined) && digest(value) === match[3]) return value;
  }
  return undefined;
}

/** The item first, so that a crash leaves chunks that nothing names, never a value without its end. */
export async function deleteChunked(slots: KeychainSlots, account: string): Promise<void> {
  await slots.delete(account);
  await removeChunks(slots, account, 0, 0);
  await removeChunks(slots, account, 1, 0);
}

/** From the last one down, so that what a crash leaves is still counted from 0 without a gap. */
async function removeChunks(slots: KeychainSlots, account: string, generation: number, from: number): Promise<void> {
  let end = from;
  while ((await slots.get(chunkAccount(account, generation, end))) !== undefined) end++;
  for (let i = end - 1; i >= from; i--) await slots.delete(chunkAccount(account, generation, i));
}

const generationOf = (item: string | undefined) => Number((item === undefined ? null : header.exec(item))?.[1] ?? 0);

/** By characters, so that no chunk ends within one. */
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
