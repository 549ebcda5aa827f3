import { rfc3339 } from "../core/exec-credential.ts";
import type { ForeignToken } from "../core/foreign-token.ts";
import { withServer } from "../core/server-trust.ts";
import { isObject, newestToken, type SecretItem, type TrustedServer } from "../core/session.ts";
import { sha256Hex } from "../core/sha256.ts";
import { fail } from "../errors/oidc-error.ts";
import { type Run, seconds } from "./world.ts";

/** Milliseconds that a refresh in another process may take until the lock is ours. */
const lockDeadline = 45_000;

/** The other program's copy, as far as we can reach it. */
export interface OldCopy {
  /** Where it lies, when that is a file of its own; undefined for one that goes with the rewriting of the kubeconfig. */
  readonly path: string | undefined;
  /** As it is now; undefined when it is gone, or for somebody else. */
  read(): ForeignToken | undefined;
  /** False when it cannot be removed. */
  remove(): boolean;
}

/** `kept-ours`: a session with a refresh token was there already, and stays. */
export type Adopted = "moved" | "kept-ours";

/** What became of the old copy: `theirs`: somebody else has logged in there, and it stays; `stuck`: it cannot be removed, and the next run tries again. */
export type Settled = "gone" | "theirs" | "stuck";

/**
 * What tells an adoption that was cut short from a session that is ours: while it lies there, the other program may still be the one that
 * refreshes, and its copy is the newer one. No secret: digests of the tokens that we stored, or were about to store when we were killed.
 */
export interface AdoptionNote {
  readonly digests: readonly string[];
  readonly path: string | undefined;
}

const noteName = ({ session }: Run) => `adopted/${session.key}`;

/** The note of an adoption that did not come to its end; undefined when there is none, or it is damaged. */
export function adoptionNote(run: Run): AdoptionNote | undefined {
  const text = run.world.files.read(noteName(run));
  try {
    const note: unknown = JSON.parse(text ?? "");
    if (!isObject(note) || note["schema"] !== 1) return undefined;
    const { digests } = note;
    if (!Array.isArray(digests) || !digests.every((digest) => typeof digest === "string")) return undefined;
    return { digests, path: typeof note["path"] === "string" ? note["path"] : undefined };
  } catch {
    return undefined;
  }
}

/**
 * Puts another program's refresh token into our store, durably, as this session. First of three steps; between them the kubeconfig is
 * written, and `settleAdoption` is the last. Killed anywhere, both programs have what they need, and the same call again goes on: a session of
 * ours is never replaced, but for one that an unfinished adoption left and nobody has refreshed. Makes no request. LOCK_TIMED_OUT, the store's codes.
 */
export async function adoptToken(run: Run, token: ForeignToken, path: string | undefined, servers: readonly (TrustedServer | undefined)[]): Promise<Adopted> {
  const { world, session } = run;
  return underLock(run, async () => {
    const item = await world.secrets.read(session.itemName);
    const known = newestToken(item);
    const isUnfinished = item !== undefined && item.pending === undefined && known !== undefined && adoptionNote(run)?.digests.includes(sha256Hex(known)) === true;
    if (known !== undefined && !isUnfinished) {
      // Of theirs alone: what is stored is no unfinished adoption.
      writeNote(run, [token.refreshToken.reveal()].map(sha256Hex), path);
      await addServers(run, item, servers);
      return "kept-ours";
    }
    note(run, token, path);
    await store(run, item, token, servers);
    return "moved";
  });
}

/**
 * After the kubeconfig was written: the old copy goes. A token that the other program got meanwhile takes the place of the one that we
 * stored, as long as nobody has refreshed that. The codes of `adoptToken`.
 */
export async function settleAdoption(run: Run, old: OldCopy): Promise<Settled> {
  return underLock(run, async () => {
    const known = adoptionNote(run);
    const now = old.path === undefined ? undefined : old.read();
    const settled = now === undefined ? "gone" : !(await isOurs(run, now, known?.digests ?? [], old.path)) ? "theirs" : old.remove() ? "gone" : "stuck";
    if (settled !== "stuck") run.world.files.remove(noteName(run));
    return settled;
  });
}

/** Is the other program's copy the token that was adopted, or a later one of the same person, which is ours then? */
async function isOurs(run: Run, now: ForeignToken, adopted: readonly string[], path: string | undefined): Promise<boolean> {
  if (adopted.includes(sha256Hex(now.refreshToken.reveal()))) return true;
  const item = await run.world.secrets.read(run.session.itemName);
  if (item?.subject === undefined || item.subject !== now.subject) return false;
  if (item.pending === undefined && item.refreshToken !== undefined && adopted.includes(sha256Hex(item.refreshToken))) {
    note(run, now, path);
    await store(run, item, now, []);
  }
  return true;
}

async function store(run: Run, item: SecretItem | undefined, token: ForeignToken, servers: readonly (TrustedServer | undefined)[]): Promise<void> {
  const { world, session } = run;
  if (!world.store.keeps) return;
  // A token of an earlier session, and what memos may release, is not this one's.
  await world.credentials.removeAllOf(session.key);
  const fault = await world.secrets.write(session.itemName, {
    schema: 1,
    refreshToken: token.refreshToken.reveal(),
    ...(token.subject === undefined ? {} : { subject: token.subject }),
    trust: world.trust(),
    servers: servers.reduce(withServer, item?.servers ?? []),
    sealKey: world.secrets.newSealKey(),
  });
  if (fault !== undefined) throw fault;
  world.sessions.write({
    schema: 1,
    key: session.key,
    identity: session.identity,
    itemName: session.itemName,
    hasRefreshToken: true,
    loggedInAt: rfc3339(seconds(world)),
    ...(token.subject === undefined ? {} : { subject: token.subject }),
    ...(token.displayName === undefined ? {} : { displayName: token.displayName }),
  });
}

/** A session whose list is empty may be used with any server; the list of another one gets those of the contexts that are to use it. */
async function addServers(run: Run, item: SecretItem | undefined, servers: readonly (TrustedServer | undefined)[]): Promise<void> {
  if (item === undefined || item.servers.length === 0) return;
  const list = servers.reduce(withServer, item.servers);
  if (list === item.servers) return;
  await run.world.credentials.setServersOfAll(run.session.key, list);
  const fault = await run.world.secrets.write(run.session.itemName, { ...item, servers: list });
  if (fault !== undefined) throw fault;
}

/** Before the token is stored; the former ones stay in it, in case that we are killed in between. */
function note(run: Run, token: ForeignToken, path: string | undefined): void {
  writeNote(run, [sha256Hex(token.refreshToken.reveal()), ...(adoptionNote(run)?.digests ?? [])].slice(0, mostDigests), path);
}

/** Of adoptions that were cut short one after the other. */
const mostDigests = 16;

function writeNote(run: Run, digests: readonly string[], path: string | undefined): void {
  run.world.files.write(noteName(run), JSON.stringify({ schema: 1, digests, ...(path === undefined ? {} : { path }) }));
}

async function underLock<T>(run: Run, action: () => Promise<T>): Promise<T> {
  const { world, session } = run;
  const held = await (await world.locks()).take(`refresh-${session.key}`, lockDeadline, run.signal);
  if (held === undefined) return fail("LOCK_TIMED_OUT");
  try {
    return await action();
  } finally {
    held.release();
  }
}
