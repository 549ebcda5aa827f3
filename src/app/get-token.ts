import { isFresh, isTooShort, isUsable } from "../core/exec-credential.ts";
import { isMachineGrant, isPureMachine, lockName } from "../core/keys.ts";
import { decideNextStep, type Situation } from "../core/next-step.ts";
import { mayBeUsedWith } from "../core/server-trust.ts";
import { failedSince } from "../core/pause.ts";
import type { CredentialRecord, SecretItem } from "../core/session.ts";
import { shownUrl } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { isErrorCode } from "../errors/catalogue.ts";
import type { HeldLock, LockHolder } from "../ports.ts";
import { readCredential, sayFaultLater } from "./keep-session.ts";
import type { LoginOrigin } from "./flow-context.ts";
import { logIn } from "./log-in.ts";
import { logInMachine } from "./log-in-machine.ts";
import { readPause, refuseWhilePaused } from "./login-pause.ts";
import { failServer } from "./refresh-lock.ts";
import { forgetOutcome, noteOutcome, type OutcomeNote, outcomeSince, readOutcome } from "./refresh-outcome.ts";
import { checkUse, refreshSession } from "./refresh-session.ts";
import { type Run, seconds } from "./world.ts";

export interface GetTokenOptions {
  /** May this call open a browser, show a code or prompt? Machine grants need no person and always may. */
  readonly interactive: boolean;
  /** The API server refused the token we handed out before (cli.md M7). */
  readonly wasRefused: boolean;
  readonly origin: LoginOrigin;
  /** Seconds that a script wants to be left, as far as the issuer gives them. */
  readonly wantedLeft?: number | undefined;
  /** Refuses a login that may not be started (`strict`). */
  readonly beforeLogin?: () => Promise<void>;
}

/**
 * Cached → refresh → login: a loop over `decideNextStep`. Gives a credential that may be handed out now.
 * LOGIN_REQUIRED, SESSION_REVOKED, LOGIN_PAUSED, SERVER_NOT_TRUSTED, and every code of refresh and login.
 */
export async function getToken(run: Run, options: GetTokenOptions): Promise<CredentialRecord> {
  try {
    return await nextCredential(run, options);
  } catch (error) {
    if (isOidcError(error) && error.code === "SERVER_NOT_TRUSTED") await run.world.audit?.refused(run, error, run.session.identity.grant);
    throw error;
  }
}

async function nextCredential(run: Run, options: GetTokenOptions): Promise<CredentialRecord> {
  const { world, settings, session } = run;
  let credential = await readOrSay(run);
  if (credential !== undefined && !mayBeUsedWith(credential.servers, run.server)) failServer(run, credential.servers);
  let canRefresh = world.store.keeps && (session.record?.hasRefreshToken ?? true) && !isPureMachine(settings.grant);
  // The session was refused while this call waited for another one, before this program was loaded.
  let refresh: Situation["refresh"] = world.waited !== undefined && outcomeSince(run, world.waited.outcome)?.code === "SESSION_REVOKED" ? "refused" : "untried";
  let fault: unknown;
  let why: string | undefined;
  const loginAllowed = options.interactive || isMachineGrant(settings.grant);
  for (;;) {
    const step = decideNextStep({
      // Nothing of a session that is over is handed out, whatever a clock says that may have been set back.
      credential: why === undefined ? credential : undefined,
      canRefresh,
      now: seconds(world),
      minValidity: settings.minValidity,
      refreshWanted:
        settings.forceRefresh || options.wasRefused || (credential !== undefined && options.wantedLeft !== undefined && isTooShort(credential, options.wantedLeft, seconds(world))),
      loginAllowed,
      refresh,
    });
    switch (step.step) {
      case "use":
        if (refresh === "fault") sayWhyNotRefreshed(run, fault);
        return step.credential;
      case "refresh": {
        const refreshed = await refreshSession(run, credential);
        if (refreshed.kind === "outdated") why = refreshed.why;
        if (refreshed.kind === "none" || refreshed.kind === "outdated") canRefresh = false;
        else if (refreshed.kind === "token") {
          credential = refreshed.credential;
          refresh = "done";
          if (!isUsable(credential, seconds(world))) fail("ID_TOKEN_INVALID", { message: "the issuer's new token is about to expire; check this computer's clock" });
        } else {
          refresh = refreshed.kind;
          if (refreshed.kind === "fault") fault = refreshed.error;
        }
        break;
      }
      case "login":
        if (why !== undefined) world.terminal.log(1, why);
        await options.beforeLogin?.();
        if (!isPureMachine(settings.grant)) return await logInOnce(run, options, credential);
        return await machineLogin(run, options, credential);
      case "refuse":
        return fail(step.code, {
          message:
            step.code === "LOGIN_REQUIRED"
              ? why === undefined
                ? `not logged in to ${shownUrl(settings.issuer)}`
                : `a new login to ${shownUrl(settings.issuer)} is needed`
              : `the session at ${shownUrl(settings.issuer)} is no longer accepted`,
          ...(why === undefined ? {} : { reason: why }),
        });
      case "fault":
        throw fault;
      default:
        return step satisfies never;
    }
  }
}

/**
 * A machine's login takes the place of a refresh: what fails at the issuer or at the platform is no reason to give up a token that is still good
 * (cli.md promise 6).
 */
async function machineLogin(run: Run, options: GetTokenOptions, seen: CredentialRecord | undefined): Promise<CredentialRecord> {
  try {
    return await logInOnce(run, options, seen);
  } catch (error) {
    const passes = isOidcError(error) && (error.exitStatus === 30 || error.code === "SUBJECT_TOKEN_INVALID");
    if (!passes || seen === undefined || !isUsable(seen, seconds(run.world))) throw error;
    sayWhyNotRefreshed(run, error);
    return seen;
  }
}

/** The issuer's faults pass by themselves while the token is good; this computer's do not. */
function sayWhyNotRefreshed(run: Run, fault: unknown): void {
  if (isOidcError(fault) && fault.exitStatus !== 30) sayFaultLater(run, "the session could not be refreshed; the cached token is still good", fault);
  else {
    const why = isOidcError(fault) && fault.code !== "ISSUER_UNREACHABLE" ? `the session could not be refreshed (${fault.code})` : "the issuer cannot be reached";
    run.world.terminal.log(1, `${why}; the cached token is still good`);
  }
}

/** A cache that cannot be read is not the end of a login; that is said and the token is made anew. */
async function readOrSay(run: Run): Promise<CredentialRecord | undefined> {
  try {
    return await readCredential(run);
  } catch (error) {
    sayFaultLater(run, "the cached token could not be read", error);
    return undefined;
  }
}

/** One login among any number of processes: the others wait for it and take its result (cli.md promise 4). */
async function logInOnce(run: Run, options: GetTokenOptions, seen: CredentialRecord | undefined): Promise<CredentialRecord> {
  const { world, settings } = run;
  const isMachine = isMachineGrant(settings.grant);
  // Before the lock is asked for: a login that ends right now is one that this call waited for.
  const before = readPause(run);
  const wait = { was: false };
  const outcome = world.waited === undefined ? readOutcome(run) : world.waited.outcome;
  const held = await takeLoginLock(run, wait);
  try {
    const current = await readOrSay(run);
    if (current !== undefined && current.token !== seen?.token && isFresh(current, settings.minValidity, seconds(world))) {
      if (!mayBeUsedWith(current.servers, run.server)) failServer(run, current.servers);
      return current;
    }
    if (isPureMachine(settings.grant)) return await firstOfMachines(run, options, outcome);
    if (!isMachine) {
      // We waited for a login that failed: end as it ended, instead of opening the next one.
      const failed = failedSince(before, readPause(run));
      if (isErrorCode(failed?.code)) fail(failed.code, { message: "the login that this call waited for did not succeed" });
      refuseWhilePaused(run);
    }
    if (wait.was && world.store.keeps) {
      // The login that we waited for may have left a refresh token and, by --id-token-cache=none, nothing else.
      const refreshed = await refreshSession(run, current);
      if (refreshed.kind === "token") return refreshed.credential;
      // One after the other the calls would have met this fault without a login.
      if (refreshed.kind === "fault") throw refreshed.error;
    }
    if (isMachine) return await sharingFailure(run, outcome, async () => logIn(run, options.origin, await itemForLogin(run)));
    return await logIn(run, options.origin, await itemForLogin(run));
  } finally {
    held?.release();
  }
}

/** Under the lock. Who waited for a login that failed ends as it did: two hundred calls would wait two hundred deadlines. */
async function firstOfMachines(run: Run, options: GetTokenOptions, before: OutcomeNote): Promise<CredentialRecord> {
  return sharingFailure(run, before, async () => logInMachine(run, options.origin, await itemForLogin(run)));
}

async function sharingFailure(run: Run, before: OutcomeNote, logIn: () => Promise<CredentialRecord>): Promise<CredentialRecord> {
  const failed = outcomeSince(run, before);
  if (failed !== undefined) throw failed;
  try {
    const credential = await logIn();
    if (before !== undefined) forgetOutcome(run);
    return credential;
  } catch (error) {
    if (isOidcError(error)) noteOutcome(run, error);
    throw error;
  }
}

/** While a login is open its pause is written already, so the lock is asked first: who finds it taken waits. */
async function takeLoginLock(run: Run, wait: { was: boolean }): Promise<HeldLock | undefined> {
  const { world, settings, session } = run;
  try {
    const locks = await world.locks();
    const onWait = (holder: LockHolder | undefined) => {
      wait.was = true;
      const since = holder === undefined ? "" : ` (process ${holder.pid}, since ${new Date(holder.since).toISOString().slice(11, 19)} UTC)`;
      const text = `waiting for the login that is open already${since}`;
      if (isPureMachine(settings.grant)) world.terminal.log(1, text);
      else world.terminal.say(`kubectl-oidc: ${text}`);
    };
    const held = await locks.take(`login-${lockName(session)}`, settings.authenticationTimeout * 1000, run.signal, { onWait });
    return held ?? fail("LOGIN_TIMED_OUT", { message: "another login is open and nobody finished it in time" });
  } catch (error) {
    // Without a place for locks there is no place for a session either: the login serves this call alone (promise 9).
    if (!isOidcError(error) || error.code !== "STORE_UNWRITABLE") throw error;
    sayFaultLater(run, "parallel calls cannot be joined", error);
    return undefined;
  }
}

/** What the store holds before a login: its server list stays, and a keychain fault is said, not thrown (cli.md M3). */
async function itemForLogin(run: Run): Promise<SecretItem | undefined> {
  try {
    const item = await run.world.secrets.read(run.session.itemName);
    if (item?.refreshToken !== undefined) checkUse(run, item);
    else if (item !== undefined && !mayBeUsedWith(item.servers, run.server)) failServer(run, item.servers);
    return item;
  } catch (error) {
    if (isOidcError(error) && error.exitStatus === 50 && run.session.record?.hasRefreshToken !== true) return undefined;
    throw error;
  }
}
