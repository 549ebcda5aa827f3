import { whyNewLogin } from "../core/authentication-age.ts";
import { resourcesOf } from "../core/audience.ts";
import { secret } from "../core/secret.ts";
import { isWeakerTrust, mayBeUsedWith } from "../core/server-trust.ts";
import { type CredentialRecord, dpopKeyOf, newestToken, type SecretItem } from "../core/session.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { BeforeJudged, Parameters, TokenAnswer } from "../ports.ts";
import { askForIdToken } from "./ask-for-id-token.ts";
import { accept, dropForeign, failForeign, isForeign, judgePending, type Refreshed } from "./judge-refreshed.ts";
import { isTargetRefused } from "./invalid-target.ts";
import { type Keeper, keeper, sayFaultLater } from "./keep-session.ts";
import { failServer, lockFault, newerToken, takeRefreshLock } from "./refresh-lock.ts";
import { forgetOutcome, noteOutcome, type OutcomeNote, outcomeSince, readOutcome } from "./refresh-outcome.ts";
import { type Run, seconds } from "./world.ts";

/**
 * Milliseconds for all requests of one refresh: discovery, exchange, retry, keys. Below the 45 s that others wait for the lock, so that
 * they hear what came of it.
 */
const refreshDeadline = 40_000;

/** Milliseconds for the one retry: an issuer that answers at all answers a second connection fast, and a person waits. */
const retryDeadline = 5_000;

/**
 * One refresh among any number of processes: under the session's refresh lock, after reading the store again. Who waited takes the
 * winner's result, a failure included. Throws SERVER_NOT_TRUSTED, SETTINGS_INVALID (weaker TLS trust) and the keychain's faults when
 * the record says that a token lies there.
 */
export async function refreshSession(run: Run, seen: CredentialRecord | undefined): Promise<Refreshed> {
  const { waited } = run.world;
  const before = waited === undefined ? readOutcome(run) : waited.outcome;
  const met: { result: Refreshed | undefined } = { result: undefined };
  // Looking at a private file is cheap; a keychain is asked under the lock only.
  const mayLook = run.settings.idTokenCache === "disk";
  const held = await takeRefreshLock(run, async () => {
    met.result = await theirResult(run, mayLook ? seen : "unknown", before);
    return met.result !== undefined;
  });
  if (held === undefined) return met.result ?? { kind: "fault", error: lockFault() };
  try {
    const theirs = await theirResult(run, seen, before);
    if (theirs !== undefined) return theirs;
    const reading = readItem(run);
    // A keychain or a helper takes longer than that.
    if (run.world.store.kind !== "disk") run.world.makeRequestsReady();
    const item = await reading;
    if (item === undefined || newestToken(item) === undefined) return { kind: "none" };
    checkUse(run, item);
    return await run.world.undisturbed(() => run.world.requestsWithin(refreshDeadline, () => refreshItem(run, item)));
  } finally {
    held.release();
  }
}

/** What another process' refresh came to since `before`: a good token, or a failure that is ours too. */
async function theirResult(run: Run, seen: CredentialRecord | undefined | "unknown", before: OutcomeNote): Promise<Refreshed | undefined> {
  const token = seen === "unknown" ? undefined : await newerToken(run, seen);
  if (token !== undefined) return { kind: "token", credential: token };
  const failure = outcomeSince(run, before);
  if (failure === undefined) return undefined;
  run.world.terminal.log(1, "the refresh that this call waited for failed");
  return failure.code === "SESSION_REVOKED" ? { kind: "refused" } : { kind: "fault", error: failure };
}

/** Without a record the keychain's faults do not stop a login (cli.md M3); they are said. */
async function readItem(run: Run): Promise<SecretItem | undefined> {
  try {
    return await run.world.secrets.read(run.session.itemName);
  } catch (error) {
    if (run.session.record?.hasRefreshToken === true || !isOidcError(error) || error.exitStatus !== 50) throw error;
    sayFaultLater(run, "the stored session could not be read", error);
    return undefined;
  }
}

/** Is this use of the session allowed: by its server list, and under the TLS trust of its login? */
export function checkUse(run: Run, item: SecretItem): void {
  if (!mayBeUsedWith(item.servers, run.server)) failServer(run, item.servers);
  if (isWeakerTrust(run.world.trust(), item.trust)) {
    fail("SETTINGS_INVALID", {
      message: "the session was made under stronger TLS trust than these settings give",
      hint: "use the CA options of the login (SSL_CERT_FILE and NODE_EXTRA_CA_CERTS are such too), or log in again: kubectl oidc login",
    });
  }
}

async function refreshItem(run: Run, item: SecretItem): Promise<Refreshed> {
  const { world, session } = run;
  try {
    const again = item.pending === undefined ? { kind: "go-on" as const, item } : await judgePending(run, item);
    if (again.kind !== "go-on") return again;
    const why = whyNewLogin(again.item, run.settings, seconds(world));
    if (why !== undefined) return { kind: "outdated", why };
    const refreshed = await askIssuer(run, again.item);
    if (refreshed.kind === "token") forgetOutcome(run);
    return refreshed;
  } catch (error) {
    if (!isOidcError(error)) throw error;
    noteOutcome(run, error);
    await world.audit?.refused(run, error, "refresh-token");
    // A disk without room for the answer: nothing was asked, and the session is untouched.
    if (error.exitStatus !== 30 && error.code !== "STORE_UNWRITABLE") throw error;
    world.terminal.log(1, `refresh failed for ${session.key.slice(0, 8)}: ${error.message}`);
    return { kind: "fault", error };
  }
}

/** One refresh request, whose answer has its place before it is asked for. */
async function askIssuer(run: Run, item: SecretItem): Promise<Refreshed> {
  const { world, settings, session } = run;
  const token = newestToken(item);
  if (token === undefined) return { kind: "none" };
  const provider = await world.provider(item.sealKey);
  const { supportsExchange } = await provider.facts();
  if (run.signal.aborted) fail("INTERRUPTED");
  const room = await world.secrets.prepare(session.itemName, item);
  world.makeRequestsReady();
  const keep = keeper(run, item, "refresh");
  let body = "";
  const before: BeforeJudged = async (answer) => {
    body = answer.body.reveal();
    await keep.before(answer);
  };
  try {
    const resources = resourcesOf(settings.audiences, supportsExchange).map((audience) => ["resource", audience] as const);
    for (const warning of settings.warnings) world.terminal.warn(warning);
    world.terminal.log(1, "refreshing the session");
    const key = dpopKeyOf(item);
    const dpopKey = key === undefined ? undefined : secret(key);
    let parameters: Parameters = resources;
    const ask = (more: Parameters) => withOneRetry(run, keep, (how) => provider.refresh(secret(keep.received() ?? token), [...parameters, ...more], before, { ...how, dpopKey }));
    const answer = await ask([])
      .catch((error: unknown) => {
        if (resources.length === 0 || !isTargetRefused(error)) throw error;
        // Nothing was spent: an error answer rotates no token (RFC 6749, section 6). What comes now is exchanged.
        parameters = [];
        return supportsExchange ? ask([]) : failTarget(run, error);
      })
      .catch((error: unknown) => {
        if (!isOidcError(error) || error.code !== "ID_TOKEN_MISSING" || settings.useAccessToken || keep.isGone() || run.signal.aborted) throw error;
        return askForIdToken(run, error, ask);
      });
    return keep.isGone() ? await discardOrphan(run, keep.received()) : await accept(run, keep, answer, item);
  } catch (error) {
    if (!isOidcError(error)) throw error;
    if (keep.isGone() && error.code !== "LOGIN_REQUIRED") return await discardOrphan(run, keep.received());
    if (error.code === "SESSION_REVOKED") {
      noteOutcome(run, error);
      await world.audit?.refused(run, error, "refresh-token");
      // Its own words say which policy it was, or which administrator.
      world.terminal.log(1, `the issuer ended the session: ${error.reason ?? error.code}`);
      return await forgetRefused(run, keep.received() ?? token);
    }
    if (error.code === "ID_TOKEN_INVALID" && isForeign(run, item, body)) return await failForeign(run, keep, keep.received());
    if (error.code === "ACCOUNT_MISMATCH") await dropForeign(run, keep, keep.received());
    throw error;
  } finally {
    room.giveBack();
  }
}

/** The issuer gives tokens only for audiences that the login named (RFC 8707, section 2.2), or knows it not at all. */
function failTarget({ settings }: Run, error: unknown): never {
  const named = settings.audiences.map((audience) => safeText(audience, 80)).join(", ");
  return fail("SCOPE_REJECTED", {
    message: `${shownUrl(settings.issuer, 120)} gives this session no token for the audience ${named}`,
    ...(isOidcError(error) && error.reason !== undefined ? { reason: error.reason } : {}),
    hint: "run: kubectl oidc login",
  });
}

/** The session was logged out while the issuer answered (cli.md M11): what came is revoked, and nothing of it is handed out. */
async function discardOrphan(run: Run, received: string | undefined): Promise<never> {
  if (received !== undefined) await (await run.world.provider()).revoke(secret(received)).catch(() => false);
  return fail("LOGIN_REQUIRED", { message: `the session at ${shownUrl(run.settings.issuer)} was logged out while it was being refreshed` });
}

/**
 * The request was sent and no answer came, or half of one: the issuer may have rotated already. One retry at once is within the grace
 * period that some issuers with rotation give (protocol.md RT-01); without one the token is lost with or without it. Nothing else is retried.
 */
async function withOneRetry(run: Run, keep: Keeper, refresh: (how?: { readonly deadlineMs: number }) => Promise<TokenAnswer>): Promise<TokenAnswer> {
  try {
    return await refresh();
  } catch (error) {
    const unanswered = isOidcError(error) && error.code === "ISSUER_UNREACHABLE" && /ECONNRESET|hang up|EPIPE|^no answer in/.test(error.reason ?? "");
    if (!unanswered || keep.received() !== undefined || run.signal.aborted) throw error;
    return refresh({ deadlineMs: retryDeadline });
  }
}

/** The refused token is deleted only if it is still the stored one (protocol.md RF-07). We hold the lock. */
async function forgetRefused(run: Run, refused: string): Promise<Refreshed> {
  const { world, session } = run;
  const now = await world.secrets.read(session.itemName);
  if (now !== undefined && newestToken(now) === refused) {
    const { refreshToken: _, pending: __, dpopKey: ___, ...rest } = now;
    await world.secrets.write(session.itemName, rest);
    if (session.record !== undefined) world.sessions.write({ ...session.record, hasRefreshToken: false });
  }
  return { kind: "refused" };
}
