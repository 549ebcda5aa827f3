import { fail } from "../errors/oidc-error.ts";
import { checkTimeLeft, decodeJwt, signingAlgorithms } from "./id-token.ts";
import type { Secret } from "./secret.ts";
import { safeText } from "./untrusted-text.ts";

type Claims = Readonly<Record<string, unknown>>;

/** One token exchange (RFC 8693, section 2.1). */
export interface ExchangeRequest {
  readonly subjectToken: Secret;
  /** `urn:ietf:params:oauth:token-type:…` */
  readonly subjectTokenType: string;
  readonly requestedTokenType: string;
  /** Empty: the issuer chooses. */
  readonly audience: readonly string[];
  /** Undefined: not said. */
  readonly scope: string | undefined;
  /** Further parameters (Dex: `connector_id`). */
  readonly extra?: readonly (readonly [name: string, value: string])[];
}

/** A token that an exchange gave, verified. */
export interface ExchangedToken {
  readonly token: Secret;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly claims: Claims;
}

const typePrefix = "urn:ietf:params:oauth:token-type:";

/** A token type as RFC 8693 names it, section 3: `jwt` → `urn:ietf:params:oauth:token-type:jwt`. Any other URN or URL stays as it is. */
export function tokenType(name: string): string {
  return /^[a-z0-9_]+$/.test(name) ? `${typePrefix}${name}` : name;
}

export const idTokenType = tokenType("id_token");
export const accessTokenType = tokenType("access_token");

/** What a token that is no ID token of a login is checked against. Seconds. */
export interface IssuedTokenExpectation {
  readonly issuer: string;
  /** One of them must be in `aud`; empty: whatever the issuer chose. */
  readonly audiences: readonly string[];
  readonly now: number;
}

/**
 * The claims of a token that the OIDC library does not look into: what an exchange gave (RFC 8693 leaves its checks to us; protocol.md X-03),
 * or the access token of another grant. Its signature is checked apart. ID_TOKEN_MISSING for what is no JWT, else ID_TOKEN_INVALID.
 */
export function checkIssuedToken(token: string, { issuer, audiences, now }: IssuedTokenExpectation): Claims {
  const decoded = decodeJwt(token);
  if (decoded === undefined) return fail("ID_TOKEN_MISSING", { message: "the issuer's token is not a JWT, so no API server can check it" });
  const { header, claims } = decoded;
  const { iss, aud, exp, iat, nbf } = claims;
  const wrong = (message: string) => fail("ID_TOKEN_INVALID", { message });
  const alg = header["alg"];
  if (typeof alg !== "string" || !signingAlgorithms.includes(alg)) wrong(`the issuer's token is signed with ${safeText(alg ?? "nothing", 20)}, which is not accepted`);
  // RFC 7515, section 4.1.11: we know no extension.
  if (header["crit"] !== undefined) wrong("the issuer's token needs an extension that is not known here (crit)");
  if (iss !== issuer) wrong("the issuer's token names another issuer (iss)");
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length > 0 && !audiences.some((audience) => named.includes(audience)))
    wrong(`the issuer's token is not for the audience that was asked for (aud), ${audiences.map((audience) => safeText(audience, 60)).join(", ")}`);
  if (typeof iat !== "number" || iat > now + 300) wrong("the issuer's token was issued in the future (iat); check this computer's clock");
  if (nbf !== undefined && !(typeof nbf === "number" && nbf <= now + 300)) wrong("the issuer's token is not valid yet (nbf); check this computer's clock");
  checkTimeLeft(exp, iat, now);
  return claims;
}

/** When a token ends: the sooner of its `exp` and what the answer says. Seconds; `expiresIn` of the answer. */
export function endOf(claims: Claims, expiresIn: number | undefined, now: number): number {
  const exp = typeof claims["exp"] === "number" ? claims["exp"] : Number.POSITIVE_INFINITY;
  return Math.min(exp, expiresIn === undefined ? Number.POSITIVE_INFINITY : now + expiresIn);
}
