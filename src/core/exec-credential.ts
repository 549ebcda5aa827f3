import type { ExecApiVersion } from "./exec-info.ts";

/** Seconds that must be left for a client to use a token at all (cli.md promise 3, M6). */
const fewSeconds = 10;

/** The part of a token's life that is its margin: the smaller of `minValidity` and a fifth of its life. Seconds. */
export function marginOf(token: { readonly expiresAt: number; readonly receivedAt: number }, minValidity: number): number {
  const life = larger(0, token.expiresAt - token.receivedAt);
  return smaller(minValidity, life / 5);
}

/** Least seconds left with which a token may be handed out: 10, or a fifth of the life of one that lived less than 30 s. */
export function leastLeft(token: { readonly expiresAt: number; readonly receivedAt: number }): number {
  const life = larger(0, token.expiresAt - token.receivedAt);
  return life < 30 ? life / 5 : fewSeconds;
}

/** True when the token is good without a refresh: margin and a few seconds are left, and the clock was not set back before its birth. */
export function isFresh(token: { readonly expiresAt: number; readonly receivedAt: number }, minValidity: number, now: number): boolean {
  const left = token.expiresAt - now;
  const least = leastLeft(token);
  return left >= least && left - marginOf(token, minValidity) >= smaller(5, least) && now >= token.receivedAt - 300;
}

/**
 * True when a script asked for more seconds than are left, and a new token would have clearly more (`token --min-validity`). Unlike the
 * margin of `isFresh`, which keeps kubectl from a refresh with every command, this is not scaled to a fifth of the token's life: who asks for
 * ten minutes for a long job gets them when the issuer gives them at all. Tokens that live shorter are renewed once a fifth of them is gone.
 */
export function isTooShort(token: { readonly expiresAt: number; readonly receivedAt: number }, wanted: number, now: number): boolean {
  const life = larger(0, token.expiresAt - token.receivedAt);
  return token.expiresAt - now < smaller(wanted, life * 0.8);
}

/** True when the token may still be handed out while the issuer is out of reach. */
export function isUsable(token: { readonly expiresAt: number; readonly receivedAt: number }, now: number): boolean {
  return token.expiresAt - now >= leastLeft(token);
}

/**
 * When the client must ask again (cli.md M6), seconds since the epoch, whole.
 * T = min(now + ttl, exp − margin); for a token that is past its margin, and the issuer is out of reach,
 * min(now + ttl, max(exp − margin, now + 10 s)), never beyond exp.
 */
export function askAgainAt(token: { readonly expiresAt: number; readonly receivedAt: number }, minValidity: number, ttl: number, now: number): number {
  const beforeMargin = token.expiresAt - marginOf(token, minValidity);
  const soonest = smaller(now + fewSeconds, token.expiresAt);
  return floor(smaller(now + ttl, larger(beforeMargin, soonest)));
}

/**
 * RFC 3339, whole seconds, `Z`. By arithmetic (H. Hinnant, "chrono-compatible low-level date algorithms"): the first
 * Date.toISOString of a process takes 0.3 ms, a tenth of the hot path.
 */
export function rfc3339(seconds: number): string {
  const whole = floor(seconds);
  const days = floor(whole / 86_400);
  const rest = whole - days * 86_400;
  // Days since 0000-03-01, in eras of 400 years; years begin in March, so that a leap day is the last one.
  const shifted = days + 719_468;
  const era = floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = floor((dayOfEra - floor(dayOfEra / 1_460) + floor(dayOfEra / 36_524) - floor(dayOfEra / 146_096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + floor(yearOfEra / 4) - floor(yearOfEra / 100));
  const monthFromMarch = floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year + 10_000).slice(1)}-${pad(month)}-${pad(day)}T${pad(floor(rest / 3_600))}:${pad(floor(rest / 60) % 60)}:${pad(rest % 60)}Z`;
}

/** Two digits, by a third before them that is cut off. */
const pad = (value: number) => String(value + 100).slice(1);

// In place of Math, which Bun makes at its first mention in a process: 0.05 ms, a tenth of the look-up.
const smaller = (a: number, b: number) => (a < b ? a : b);
const larger = (a: number, b: number) => (a > b ? a : b);
function floor(x: number): number {
  const rest = x % 1;
  return rest < 0 ? x - rest - 1 : x - rest;
}

/** RFC 6750 b64token; anything else would break the header kubectl builds (protocol.md EC-32). */
export function isBearerToken(token: string): boolean {
  // The first regular expression of a process takes the standalone executable 0.05 ms.
  return isOfPlainCharacters(token) || /^[A-Za-z0-9\-._~+/]+=*$/.test(token);
}

/** A JWT's characters, and a few more of a b64token: what no URL escapes, without the five marks that are none of a token's. */
function isOfPlainCharacters(token: string): boolean {
  try {
    return (
      token !== "" && encodeURIComponent(token) === token && !(token.includes("!") || token.includes("*") || token.includes("'") || token.includes("(") || token.includes(")"))
    );
  } catch {
    // Half a surrogate pair.
    return false;
  }
}

/** One ExecCredential and a newline. */
export function execCredentialText(apiVersion: ExecApiVersion, token: string, expirationTimestamp: number): string {
  return `${JSON.stringify({ apiVersion, kind: "ExecCredential", status: { expirationTimestamp: rfc3339(expirationTimestamp), token } })}\n`;
}
