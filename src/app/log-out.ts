import { secret } from "../core/secret.ts";
import { newestToken, type SecretItem, type TrustedServer } from "../core/session.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import { sayFault } from "./keep-session.ts";
import { clearPause } from "./login-pause.ts";
import { underRefreshLock } from "./refresh-lock.ts";
import { forgetOutcome } from "./refresh-outcome.ts";
import { type Run, seconds } from "./world.ts";

export interface LogOutOptions {
  /** Forget the list of trusted servers too. */
  readonly servers: boolean;
}

/** What was there, what became of it, and what a logout cannot end. */
export interface LoggedOut {
  /** `deleted`: here only; `nothing`: neither token nor record was there. */
  readonly result: "revoked" | "deleted" | "nothing";
  readonly hadRefreshToken: boolean;
  /** Seconds since the epoch until which a token that was handed out is accepted: an API server asks nobody. */
  readonly tokensGoodUntil: number | undefined;
  /** The list of servers as it was; it stays, unless it was to go. */
  readonly servers: readonly TrustedServer[];
}

/**
 * Revokes (RFC 7009), then deletes the refresh token, the record, every credential of the session and its pause, under the
 * refresh lock (cli.md M11). When the issuer cannot revoke, it is deleted all the same, with a warning. The store's codes
 * when it cannot be read or deleted there; LOCK_TIMED_OUT.
 */
export async function logOut(run: Run, options: LogOutOptions): Promise<LoggedOut> {
  const { world, session } = run;
  return underRefreshLock(run, async () => {
    const record = world.sessions.read(session.key);
    const item = await storedItem(run, record?.hasRefreshToken === true);
    const cached = await world.credentials.read(session.credentialKey);
    const token = newestToken(item);
    const revoked = token === undefined ? false : await tryToRevoke(run, token, item?.sealKey);
    await removeItem(run, item, options);
    await world.credentials.removeAllOf(session.key);
    world.sessions.remove(session.key);
    clearPause(run);
    forgetOutcome(run);
    const wasThere = token !== undefined || cached !== undefined || record !== undefined;
    if (wasThere) await world.audit?.loggedOut(run, record, revoked);
    return {
      result: revoked ? "revoked" : wasThere ? "deleted" : "nothing",
      hadRefreshToken: token !== undefined,
      tokensGoodUntil: latestEnd(run, [cached?.expiresAt, record?.tokenExpiresAt === undefined ? undefined : Date.parse(record.tokenExpiresAt) / 1000]),
      servers: item?.servers ?? [],
    };
  });
}

function latestEnd({ world }: Run, ends: readonly (number | undefined)[]): number | undefined {
  const latest = Math.max(...ends.map((end) => end ?? Number.NEGATIVE_INFINITY));
  return latest > seconds(world) ? latest : undefined;
}

/** Without a record nothing of ours is known to lie there: a store that cannot be read is then said, not thrown (cli.md M3). */
async function storedItem(run: Run, isRecorded: boolean): Promise<SecretItem | undefined> {
  try {
    return await run.world.secrets.read(run.session.itemName);
  } catch (error) {
    if (isRecorded || !isOidcError(error) || error.exitStatus !== 50) throw error;
    sayFault(run, "the store could not be looked at", error);
    return undefined;
  }
}

async function tryToRevoke(run: Run, token: string, cacheKey: string | undefined): Promise<boolean> {
  const { terminal } = run.world;
  try {
    const provider = await run.world.provider(cacheKey);
    const revoked = await provider.revoke(secret(token));
    if (!revoked) terminal.warn("the issuer offers no revocation; the session was deleted here only");
    return revoked;
  } catch (error) {
    if (!isOidcError(error) || error.code === "INTERRUPTED") throw error;
    const why = error.reason === undefined ? "" : `: ${error.reason}`;
    terminal.warn(`the session could not be revoked at the issuer: ${error.message}${why} [${error.code}]; it was deleted here`);
    return false;
  }
}

/** The server list outlives a logout, so that the next login is held to it. */
async function removeItem(run: Run, item: SecretItem | undefined, options: LogOutOptions): Promise<void> {
  const { world, session } = run;
  if (item === undefined) return;
  if (options.servers || item.servers.length === 0) await world.secrets.remove(session.itemName);
  else await world.secrets.write(session.itemName, { schema: 1, trust: item.trust, servers: item.servers, ...(item.sealKey === undefined ? {} : { sealKey: item.sealKey }) });
}
