import { isNestedDeeper } from "./json-depth.ts";
import type { Secret } from "./secret.ts";
import { isObject } from "./session.ts";

/** Tokens that were judged: signature, issuer, audience, times, nonce, azp. */
export interface TokenAnswer {
  readonly idToken: Secret | undefined;
  readonly accessToken: Secret | undefined;
  readonly refreshToken: Secret | undefined;
  /** Seconds, of the access token. */
  readonly expiresIn: number | undefined;
  /** The scopes that were granted, as the issuer says; undefined: those that were asked for (RFC 6749, section 5.1). */
  readonly scope?: string | undefined;
  /** The issuer says that the access token is bound to our key (RFC 9449, section 5). */
  readonly isBound?: boolean | undefined;
  /** Claims of the verified ID token; without one, of the access token's payload, or none when that is for an audience of its own. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * True when a stored body has the form of a token answer (RFC 6749, section 5.1). What has not can never be judged: without this look it would
 * be taken for a passing fault at every call, and stand in the way of the session for good.
 */
export function isTokenAnswer(body: string): boolean {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return false;
  }
  if (!isObject(answer)) return false;
  const isText = (name: string) => typeof answer[name] === "string" && answer[name] !== "";
  const isAbsentOr = (name: string, isRight: boolean) => answer[name] === undefined || isRight;
  const { expires_in: expires } = answer;
  const life = typeof expires === "number" ? expires : typeof expires === "string" ? Number.parseFloat(expires) : Number.NaN;
  return (
    isText("access_token") &&
    isText("token_type") &&
    isAbsentOr("id_token", isText("id_token")) &&
    isAbsentOr("refresh_token", isText("refresh_token")) &&
    isAbsentOr("scope", typeof answer["scope"] === "string") &&
    isAbsentOr("expires_in", life >= 0)
  );
}

/**
 * A token answer without the members that say nothing: null for an optional one, and an empty refresh token. Some issuers write them where they
 * have none to give; the OIDC library refuses the whole answer then, and every refresh of that session. Any other text stays as it is.
 */
export function plainTokenAnswer(body: string): string {
  if (isNestedDeeper(body, 100)) return body;
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return body;
  }
  if (!isObject(answer)) return body;
  const saysNothing = ([name, value]: readonly [string, unknown]) => (optional.includes(name) && value === null) || (name === "refresh_token" && value === "");
  const members = Object.entries(answer);
  return members.some(saysNothing) ? JSON.stringify(Object.fromEntries(members.filter((member) => !saysNothing(member)))) : body;
}

const optional: readonly string[] = ["refresh_token", "id_token", "scope", "expires_in"];
