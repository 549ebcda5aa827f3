import { authenticatedSince } from "../core/authentication-age.ts";
import { googleIssuer } from "../core/issuer-kind.ts";
import { isMachineGrant } from "../core/keys.ts";
import { secret } from "../core/secret.ts";
import { mayBeUsedWith } from "../core/server-trust.ts";
import type { CredentialRecord, NewLogin, SecretItem } from "../core/session.ts";
import { timeAway } from "../core/time-away.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { HeldLock, IssuerFacts, OpenIdProvider, TokenAnswer } from "../ports.ts";
import { chooseFlow, type Flow, grantOf } from "./choose-flow.ts";
import { isTargetRefused } from "./invalid-target.ts";
import { compareAccount } from "./compare-account.ts";
import { type Keeper, keeper } from "./keep-session.ts";
import { openLogin, readPause } from "./login-pause.ts";
import { checkProof } from "./login-proof.ts";
import { type FlowContext, forWhom, type LoginOrigin } from "./flow-context.ts";
import { sayNarrowed } from "./granted-scope.ts";
import { type LoginRequest, loginRequest } from "./login-request.ts";
import { bindingFor } from "./login-binding.ts";
import { failServer, takeRefreshLock } from "./refresh-lock.ts";
import { type Run, seconds } from "./world.ts";

/**
 * Runs one login with the flow that fits, under the login lock that the caller holds, and stores its result.
 * `item` is what the store holds for this session. Throws the flow's codes; ACCOUNT_MISMATCH, POLICY_NOT_MET.
 */
export async function logIn(run: Run, origin: LoginOrigin, item: SecretItem | undefined): Promise<CredentialRecord> {
  const { world, settings, session } = run;
  for (const warning of settings.warnings) world.terminal.warn(warning);
  const provider = await world.provider();
  const facts = await provider.facts();
  const flow = chooseFlow(run, origin, facts);
  // Sent all the same: an issuer that does not know it fails the login, and one that says too little is common (RFC 9700, section 2.1.1).
  if (facts.deniesS256) world.terminal.log(1, "the issuer does not list the PKCE method S256; it is used all the same, never plain");
  const withOffline = session.record?.offlineRefused !== true;
  // A second try without offline_access is the same login: it counts once.
  const earlierFailures = readPause(run)?.failures ?? 0;
  const others = isMachineGrant(settings.grant) ? [] : ((await origin.audiences?.()) ?? []).filter((audience) => !settings.audiences.includes(audience));
  const audiences = [...settings.audiences, ...others];
  const how = { provider, facts, flow, withOffline, earlierFailures, audiences, serves: audiences };
  try {
    return await attemptOrAgain(run, origin, item, how, others);
  } catch (error) {
    // A server that is not trusted is noted where all of them are (app/get-token.ts).
    if (!isOidcError(error) || error.code !== "SERVER_NOT_TRUSTED") await world.audit?.refused(run, error, grantOf(run, flow));
    throw error;
  }
}

/**
 * `access_denied` is what a person's "no" is called too, and nobody who said no wants the question again: it counts as a
 * refusal of offline_access only when the issuer's words are about scopes or a policy (Okta: "Policy evaluation failed").
 */
const blamesScope = /offline|scope|policy|not (?:allowed|permitted)/i;

interface Attempt {
  readonly provider: OpenIdProvider;
  readonly facts: IssuerFacts;
  readonly flow: Flow;
  readonly withOffline: boolean;
  readonly earlierFailures: number;
  /** That are named to the issuer. */
  readonly audiences: readonly string[];
  /** For which the session is to get tokens. */
  readonly serves: readonly string[];
}

/**
 * Once more for fewer audiences, and without offline_access, where the issuer refuses these: each once, and what was left out stays out. A login
 * that is good and only lacks its token is never repeated. `others`: audiences of other contexts than this one.
 */
async function attemptOrAgain(run: Run, origin: LoginOrigin, item: SecretItem | undefined, first: Attempt, others: readonly string[]): Promise<CredentialRecord> {
  let how = first;
  let isGood = false;
  const onLeft: LoginOrigin["onLeft"] = (what) => {
    isGood ||= what === "session";
    origin.onLeft?.(what);
  };
  for (;;) {
    try {
      return await attempt(run, { ...origin, onLeft }, item, how);
    } catch (error) {
      const less = isGood ? undefined : askingForLess(run, how, others, error);
      if (less === undefined) throw error;
      run.world.terminal.warn(less.said);
      how = less.how;
    }
  }
}

/** What to ask for in place of what this error refuses; undefined when there is nothing to leave out. */
function askingForLess({ settings, ...run }: Run, how: Attempt, others: readonly string[], error: unknown): { readonly said: string; readonly how: Attempt } | undefined {
  if (isTargetRefused(error)) {
    const namesOthers = how.audiences.some((audience) => others.includes(audience));
    if (!namesOthers && (!how.facts.supportsExchange || how.audiences.length === 0)) return undefined;
    const audiences = namesOthers ? settings.audiences : [];
    return {
      said: `the issuer does not take all of the audiences that were named; logging in again ${audiences.length > 0 ? "for this one alone" : "for none of them"}`,
      how: { ...how, audiences },
    };
  }
  const refusesOffline = isOidcError(error) && (error.code === "SCOPE_REJECTED" || (error.code === "LOGIN_DENIED" && blamesScope.test(error.reason ?? "")));
  const asksOffline = how.withOffline && loginRequest({ settings, ...run }, how.facts, true).asksOffline && !settings.scopes.includes("offline_access");
  if (!refusesOffline || !asksOffline) return undefined;
  return { said: "the issuer refused offline_access; logging in again without it", how: { ...how, withOffline: false } };
}

async function attempt(run: Run, origin: LoginOrigin, item: SecretItem | undefined, how: Attempt): Promise<CredentialRecord> {
  const { world, settings } = run;
  const request = loginRequest(run, how.facts, how.withOffline, how.audiences);
  const deadline = AbortSignal.timeout(settings.authenticationTimeout * 1000);
  const binding = await bindingFor(run, how.facts, how.provider, how.serves);
  const startedAt = seconds(world);
  const newLogin = (): NewLogin => {
    const at = seconds(world);
    const since = authenticatedSince(settings, startedAt, at);
    return { at, ...(since === undefined ? {} : { authenticatedSince: since }), ...(binding === undefined ? {} : { dpopKey: binding.key.reveal() }) };
  };
  const place = placeOf(run, item, newLogin);
  const isPerson = !isMachineGrant(settings.grant);
  let login: ReturnType<typeof openLogin> | undefined;
  let credential: CredentialRecord | undefined;
  const context: FlowContext = {
    run,
    provider: how.provider,
    request,
    binding,
    async before(answer) {
      if (answer.refreshToken !== undefined) await place.open();
      await place.keep().before(answer);
    },
    signal: AbortSignal.any([run.signal, deadline]),
    offerPaste: origin.command === "login" && origin.events === undefined && world.terminal.stdinIsTerminal && world.terminal.stderrIsTerminal,
    mayPrompt: origin.mayPrompt,
    manners: origin.command === "login" && origin.events === undefined ? "full" : "brief",
    endsAt: world.clock.now() + settings.authenticationTimeout * 1000,
    forServer: forWhom(origin, run.server),
    events: origin.events,
    opened() {
      if (isPerson) login ??= openLogin(run, how.earlierFailures);
    },
    async keep(answer) {
      if (isPerson) checkProof(run, answer, newLogin().authenticatedSince);
      // One without a refresh token changes the item as well: what a refresh stored meanwhile must stay.
      if (answer.refreshToken === undefined) await place.open();
      credential = await accept(run, origin, place.keep(), answer, request, { offlineRefused: !how.withOffline, grant: grantOf(run, how.flow) });
    },
    received: () => place.keep().received() !== undefined,
    timeoutOr(error) {
      return deadline.aborted && !run.signal.aborted ? timedOut(settings.authenticationTimeout) : error;
    },
  };
  try {
    await how.flow(context);
    login?.succeeded();
    return credential ?? fail("ID_TOKEN_MISSING");
  } catch (error) {
    if (place.keep().isPromoted()) {
      login?.succeeded();
      origin.onLeft?.("session");
      throw error;
    }
    if (!(await discard(how.provider, place.keep(), error))) origin.onLeft?.("answer");
    login?.failed(isOidcError(error) ? error.code : "UNEXPECTED");
    throw error;
  } finally {
    place.close();
  }
}

/** Milliseconds that a refresh of the session may still take before a login stores over it; a good login is not thrown away for longer. */
const storeWait = 20_000;

/**
 * Where the answer goes. The refresh lock is taken when the answer is there, never while a person thinks, and the item is read again
 * under it: a refresh or a logout in between must neither be undone nor come back.
 */
function placeOf(run: Run, item: SecretItem | undefined, newLogin: () => NewLogin): { open(): Promise<void>; keep(): Keeper; close(): void } {
  const { world, session } = run;
  const state: { keep: Keeper; held: HeldLock | undefined } = { keep: keeper(run, item, "login", newLogin), held: undefined };
  return {
    async open() {
      if (!world.store.keeps || state.held !== undefined) return;
      state.held = await takeRefreshLock(run, async () => false, { waitMs: storeWait, signal: new AbortController().signal }).catch(() => undefined);
      state.keep = keeper(run, await world.secrets.read(session.itemName).catch(() => item), "login", newLogin);
    },
    keep: () => state.keep,
    close: () => state.held?.release(),
  };
}

/**
 * An answer that was refused leaves nothing behind, here or at the issuer. When only its judging met a fault (the keys could
 * not be fetched) or Ctrl-C, it stays, and is judged at the next call (architecture.md, rule 6). True when nothing was changed.
 */
async function discard(provider: OpenIdProvider, keep: Keeper, error: unknown): Promise<boolean> {
  const received = keep.received();
  if (received === undefined) return true;
  if (isOidcError(error) && (error.code === "ISSUER_UNREACHABLE" || error.code === "INTERRUPTED")) return !keep.isKept();
  const isUndone = await keep.undo();
  await provider.revoke(secret(received)).catch(() => false);
  return isUndone;
}

function timedOut(after: number): unknown {
  try {
    return fail("LOGIN_TIMED_OUT", { message: `nobody finished the login within ${after} s` });
  } catch (error) {
    return error;
  }
}

async function accept(
  run: Run,
  origin: LoginOrigin,
  keep: Keeper,
  answer: TokenAnswer,
  request: LoginRequest,
  how: { readonly offlineRefused: boolean; readonly grant: string },
): Promise<CredentialRecord> {
  const { settings, session, world } = run;
  compareAccount(run, answer.claims);
  const known = session.record?.subject;
  // kubectl may not switch the person behind a session without a word; who types `login` may.
  if (origin.command === "get-token" && known !== undefined && known !== answer.claims["sub"]) {
    fail("ACCOUNT_MISMATCH", { message: "somebody else logged in than the person of the stored session", hint: "to switch, run: kubectl oidc login" });
  }
  // The list can have been unreadable before the login, or made meanwhile: kubectl may not add to one that is there (cli.md M9).
  if (origin.command === "get-token" && !mayBeUsedWith(keep.servers, run.server)) failServer(run, keep.servers);
  sayNarrowed(run, request.scope.split(" "), answer);
  const credential = await keep.promote(answer, { isLogin: true, ...how });
  const hasRefreshToken = answer.refreshToken !== undefined;
  if (!hasRefreshToken && world.store.keeps && !isMachineGrant(settings.grant)) {
    const life = timeAway(credential.expiresAt - credential.receivedAt).replace("in ", "every ");
    world.terminal.warn(`the issuer gave no refresh token, so ${life} a new login is needed; ${cureForNoRefreshToken(run, request)}`);
  }
  return credential;
}

/** Google knows no offline_access, and gives a refresh token at a consent only. */
function cureForNoRefreshToken({ settings }: Run, request: LoginRequest): string {
  if (settings.issuer === googleIssuer) return settings.prompt === "consent" ? "the client must be of the type Desktop app" : "add --prompt=consent";
  return request.asksOffline ? "allow offline_access for this client" : "try --oidc-extra-scope=offline_access";
}
