import { fail } from "../errors/oidc-error.ts";
import type { LoginFacts, SecretItem } from "./session.ts";
import { dpopKeyOf, newestToken } from "./session.ts";
import type { Settings } from "./settings.ts";

type Claims = Readonly<Record<string, unknown>>;
type Wanted = Pick<Settings, "prompt" | "maxAge" | "sessionMaxAge" | "authenticationTimeout">;

/** Seconds that the issuer's clock may be behind ours while a person logs in. */
const clocksApart = 30;
/** Seconds that an answer to max_age may come late: clocks, and pages on which a person lingers. */
const late = 10;
/** Seconds that must be left of a session's age for it to be of use. */
const leastOfSession = 30;

const asksForLogin = (prompt: string | undefined) => prompt?.split(/\s+/).includes("login") === true;

/** A login that is nearly as old as the session may be would end at once: a tenth of it is to be left, half a minute at least. Seconds. */
const newestForSession = (age: number) => age - Math.max(leastOfSession, Math.floor(age / 10));

/**
 * The max_age to ask for (seconds); undefined: none. With it the issuer must say when the person authenticated (OIDC Core 2, auth_time), which
 * alone proves what `--prompt=login` and `--session-max-age` ask for.
 */
export function maxAgeToAskFor({ prompt, maxAge, sessionMaxAge, authenticationTimeout }: Wanted): number | undefined {
  const given = [maxAge, sessionMaxAge === undefined ? undefined : newestForSession(sessionMaxAge)].filter((age) => age !== undefined);
  if (given.length > 0) return Math.min(...given);
  return asksForLogin(prompt) ? authenticationTimeout : undefined;
}

/** Since when the person must have authenticated, for an answer that came `now` to a login that began at `startedAt`. All in seconds; undefined: nothing is asked. */
export function authenticatedSince({ prompt, maxAge, sessionMaxAge }: Wanted, startedAt: number, now: number): number | undefined {
  const bounds = [
    asksForLogin(prompt) ? startedAt - clocksApart : undefined,
    maxAge === undefined ? undefined : now - maxAge - late,
    sessionMaxAge === undefined ? undefined : now - newestForSession(sessionMaxAge) - late,
  ].filter((bound) => bound !== undefined);
  return bounds.length === 0 ? undefined : Math.max(...bounds);
}

/** POLICY_NOT_MET when the claims of a login's ID token do not prove an authentication since then. */
export function checkAuthenticated(claims: Claims, since: number | undefined): void {
  const at = claims["auth_time"];
  if (since === undefined || (typeof at === "number" && at >= since)) return;
  const message = "the ID token does not prove an authentication as recent as --prompt=login, --max-age or --session-max-age asks for";
  if (typeof at === "number") {
    fail("POLICY_NOT_MET", {
      message,
      reason: `the person authenticated ${Math.ceil(since - at)} s too early (auth_time)`,
      hint: "log in again, in a browser that asks you to; if it did ask, check this computer's clock",
    });
  }
  fail("POLICY_NOT_MET", {
    message,
    reason: "it does not say when the person authenticated (auth_time)",
    hint: "let the issuer put auth_time into ID tokens (OpenID Connect Core, section 2), or leave these options out",
  });
}

/** When the login was (seconds), as early as anything says; undefined when nothing does. */
export function loginTime(login: LoginFacts | undefined): number | undefined {
  const times = [login?.at, login?.authTime].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** When a token that came with this login must not be used any more. A login whose time is not known ends at once. Seconds. */
export function endOfSession(login: LoginFacts | undefined, sessionMaxAge: number | undefined, now: number): number {
  return sessionMaxAge === undefined ? Number.POSITIVE_INFINITY : (loginTime(login) ?? now - sessionMaxAge) + sessionMaxAge;
}

/**
 * Why a stored session is not refreshed, though the issuer may allow it; undefined when it may be. A login that lies ahead was dated by a clock that
 * was wrong then or is now: it cannot be told how old it is. `now` in seconds.
 */
export function whyNewLogin(item: SecretItem, { sessionMaxAge, dpop }: Pick<Settings, "sessionMaxAge" | "dpop">, now: number): string | undefined {
  if (dpop === "always" && newestToken(item) !== undefined && dpopKeyOf(item) === undefined) return "the stored session is not bound to a key, and --dpop=always asks for one";
  if (sessionMaxAge === undefined) return undefined;
  const login = item.pending?.ofNewLogin === true ? item.pending.newLogin : item.login;
  const at = loginTime(login);
  if (at === undefined) return "it is not known when the stored session began, and --session-max-age limits its age";
  if (at > now + clocksApart) return "the stored session began in the future by this computer's clock, so --session-max-age cannot be kept; check the clock";
  return endOfSession(login, sessionMaxAge, now) - now < leastOfSession ? "the stored session is older than --session-max-age allows" : undefined;
}
