import { isFresh } from "../core/exec-credential.ts";
import { lockName } from "../core/keys.ts";
import { differenceFrom, mayBeUsedWith } from "../core/server-trust.ts";
import type { CredentialRecord, TrustedServer } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { HeldLock } from "../ports.ts";
import { readCredential, sayFaultLater } from "./keep-session.ts";
import { type Run, seconds } from "./world.ts";

/** Milliseconds a refresh may hold its lock: discovery, the request and its retry, the keys, each with its deadline, and the keychain. */
const lockDeadline = 45_000;

/** A good token that came since we looked: from somebody else's refresh or login, whose server list may be another. SERVER_NOT_TRUSTED. */
export async function newerToken(run: Run, seen: CredentialRecord | undefined): Promise<CredentialRecord | undefined> {
  const current = await readCredential(run);
  if (current === undefined || current.token === seen?.token || !isFresh(current, run.settings.minValidity, seconds(run.world))) return undefined;
  if (!mayBeUsedWith(current.servers, run.server)) failServer(run, current.servers);
  return current;
}

/** Undefined when the wait ran out or `unless` ended it. A store that cannot be written has no lock to offer: the refresh then serves this call alone, and that is said. */
export async function takeRefreshLock(
  run: Run,
  unless: () => Promise<boolean>,
  { waitMs = lockDeadline, signal = run.signal }: { readonly waitMs?: number; readonly signal?: AbortSignal } = {},
): Promise<HeldLock | undefined> {
  const { world, session } = run;
  try {
    return await (await world.locks()).take(`refresh-${lockName(session)}`, waitMs, signal, { unless });
  } catch (error) {
    if (!isOidcError(error) || error.code !== "STORE_UNWRITABLE") throw error;
    sayFaultLater(run, "parallel calls cannot be joined", error);
    return { release: () => undefined };
  }
}

/** Runs what changes the stored session while nobody refreshes it. LOCK_TIMED_OUT; STORE_UNWRITABLE where there is no lock to have. */
export async function underRefreshLock<T>(run: Run, action: () => Promise<T>): Promise<T> {
  const held = await (await run.world.locks()).take(`refresh-${lockName(run.session)}`, lockDeadline, run.signal);
  if (held === undefined) return fail("LOCK_TIMED_OUT");
  try {
    return await action();
  } finally {
    held.release();
  }
}

export function lockFault(): unknown {
  try {
    return fail("LOCK_TIMED_OUT");
  } catch (error) {
    return error;
  }
}

/** SERVER_NOT_TRUSTED, with what differs when the address is on the list, and the command that would add it. */
export function failServer(run: Run, servers: readonly TrustedServer[]): never {
  const difference = run.server === undefined ? undefined : differenceFrom(servers, run.server);
  return fail("SERVER_NOT_TRUSTED", {
    message: `this session may not be used with ${safeText(run.server?.origin, 120)}${difference === undefined ? "" : `, which now has ${difference}`}`,
  });
}
