import type { ExecApiVersion } from "./exec-info.ts";

/** Seconds that must be left for a client to use a token at all (cli.md promise 3, M6). */
const fewSeconds = 10;

/** The part of a token's life that is its margin: the smaller of `minValidity` and a fifth of its life. Seconds. */
export function marginOf(token: { readonly expiresAt: number; readonly receivedAt: number }, minValidity: number): number {
  const life = Math.max(0, token.expiresAt - token.receivedAt);
  return Math.min(minValidity, life / 5);
}

/** Least seconds left with which a token may be handed out: 10, or a fifth of the life of one that lived less than 30 s. */
export function leastLeft(token: { readonly expiresAt: number; readonly receivedAt: number }): number {
  const life = Math.max(0, token.expiresAt - token.receivedAt);
  return life < 30 ? life / 5 : fewSeconds;
}

/** True when the token is good without a refresh: margin and a few seconds are left, and the clock was not set back before its birth. */
export function isFresh(token: { readonly expiresAt: number; readonly receivedAt: number }, minValidity: number, now: number): boolean {
  const left = token.expiresAt - now;
  const least = leastLeft(token);
  return left >= least && left - marginOf(token, minValidity) >= Math.min(5, least) && now >= token.receivedAt - 300;
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
  const soonest = Math.min(now + fewSeconds, token.expiresAt);
  return Math.floor(Math.min(now + ttl, Math.max(beforeMargin, soonest)));
}

/** RFC 3339, whole seconds, `Z`. */
export function rfc3339(seconds: number): string {
  return `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19)}Z`;
}

/** RFC 6750 b64token; anything else would break the header kubectl builds (protocol.md EC-32). */
export function isBearerToken(token: string): boolean {
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(token);
}

/** One ExecCredential and a newline. */
export function execCredentialText(apiVersion: ExecApiVersion, token: string, expirationTimestamp: number): string {
  return `${JSON.stringify({ apiVersion, kind: "ExecCredential", status: { expirationTimestamp: rfc3339(expirationTimestamp), token } })}\n`;
}
