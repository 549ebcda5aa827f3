import { rfc3339 } from "../core/exec-credential.ts";
import type { ForeignToken } from "../core/foreign-token.ts";
import { withServer } from "../core/server-trust.ts";
import { isObject, newestToken, type TrustedServer } from "../core/session.ts";
import { sha256Hex } from "../core/sha256.ts";
import { fail } from "../errors/oidc-error.ts";
import { underRefreshLock } from "./refresh-lock.ts";
import { type Run, seconds } from "./world.ts";

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
export interface Adopted {
  readonly state: "moved" | "kept-ours";
  /** Servers of these users that the session's list, which was there before, does not have. `trust add` is for them (cli.md M9). */
  readonly unknown: readonly TrustedServer[];
  /** The session had no list of servers, and got one. */
  readonly isListNew: boolean;
}

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
 * ours is never replaced, but for one that an unfinished adoption left and nobody has refreshed. Nor is a list of servers that is there
 * already made longer: a kubeconfig of somebody else's, with this issuer and client, is not what decides who gets the session's tokens.
 * Makes no request. LOCK_TIMED_OUT, ACCOUNT_MISMATCH for somebody else's session, the store's codes.
 */
export async function adoptToken(run: Run, token: ForeignToken, path: string | undefined, servers: readonly (TrustedServer | undefined)[]): Promise<Adopted> {
  const { world, session } = run;
  return underRefreshLock(run, async () => {
    const item = await world.secrets.read(session.itemName);
    const known = newestToken(item);
    const isUnfinished = item !== undefined && item.pending === undefined && known !== undefined && adoptionNote(run)?.digests.includes(sha256Hex(known)) === true;
    const list = item?.servers ?? [];
    const unknown = list.length === 0 ? [] : servers.filter((server) => server !== undefined && withServer(list, server) !== list);
    const result = (state: Adopted["state"]): Adopted => ({ state, unknown: unknown.filter((server) => server !== undefined), isListNew: state === "moved" && list.length === 0 });
    if (known !== undefined && !isUnfinished) {
      // The record, by which this was planned, may be gone while the keychain has the session.
      if (item?.subject !== undefined && token.subject !== undefined && item.subject !== token.subject)
        fail("ACCOUNT_MISMATCH", {
          message: "a session of somebody else's is stored for this issuer and client; the kubeconfig was not changed",
          hint: "end that session with kubectl oidc logout, then run the command again",
        });
      // Of theirs alone: what is stored is no unfinished adoption.
      writeNote(run, [token.refreshToken.reveal()].map(sha256Hex), path);
      return result("kept-ours");
    }
    note(run, token, path);
    await store(run, token, list.length > 0 ? list : servers.reduce(withServer, list));
    return result("moved");
  });
}

/**
 * After the kubeconfig was written: the old copy goes. A token that the other program got meanwhile takes the place of the one that we
 * stored, as long as nobody has refreshed that. The codes of `adoptToken`.
 */
export async function settleAdoption(run: Run, old: OldCopy): Promise<Settled> {
  return underRefreshLock(run, async () => {
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
    await store(run, now, item.servers);
  }
  return true;
}

async function store(run: Run, token: ForeignToken, servers: readonly TrustedServer[]): Promise<void> {
  const { world, session } = run;
  if (!world.store.keeps) return;
  // A token of an earlier session, and what memos may release, is not this one's.
  await world.credentials.removeAllOf(session.key);
  const fault = await world.secrets.write(session.itemName, {
    schema: 1,
    refreshToken: token.refreshToken.reveal(),
    ...(token.subject === undefined ? {} : { subject: token.subject }),
    trust: world.trust(),
    servers,
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

/** Before the token is stored; the former ones stay in it, in case that we are killed in between. */
function note(run: Run, token: ForeignToken, path: string | undefined): void {
  writeNote(run, [sha256Hex(token.refreshToken.reveal()), ...(adoptionNote(run)?.digests ?? [])].slice(0, mostDigests), path);
}

/** Of adoptions that were cut short one after the other. */
const mostDigests = 16;

function writeNote(run: Run, digests: readonly string[], path: string | undefined): void {
  run.world.files.write(noteName(run), JSON.stringify({ schema: 1, digests, ...(path === undefined ? {} : { path }) }));
}
