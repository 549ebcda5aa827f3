import { createHash } from "node:crypto";
import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from "openid-client";
import { checkIdToken, checkTimeLeft, decodeJwt } from "../core/id-token.ts";
import { secret } from "../core/secret.ts";
import { fail } from "../errors/oidc-error.ts";
import type { TokenAnswer } from "../ports.ts";
import type { ProviderOptions } from "./provider-options.ts";

/**
 * The checks that the library leaves to us, of an answer that it verified; and the token that is wanted must be there. `maxAge`: of a login,
 * where the library does not check it. ID_TOKEN_MISSING, ID_TOKEN_INVALID, POLICY_NOT_MET.
 */
export function judgedAnswer(answer: TokenEndpointResponse & TokenEndpointResponseHelpers, options: ProviderOptions, maxAge: number | undefined): TokenAnswer {
  const { id_token: idToken, access_token: accessToken, refresh_token: refreshToken } = answer;
  const { clientId, acrValues } = options;
  const now = options.now() / 1000;
  const isBound = answer.token_type === "dpop";
  // RFC 9449, section 5: whoever needs the protection discards an answer without it.
  if (options.mustBeBound === true && !isBound)
    fail("POLICY_NOT_MET", {
      message: "the issuer's answer is not bound to a key (token_type is not DPoP), and --dpop=always asks for that",
      hint: "let the issuer bind the tokens of this client (DPoP), or leave --dpop=always out",
    });
  const isForAudience = (options.audiences ?? []).length > 0;
  if (idToken === undefined && !options.useAccessToken && !isForAudience) fail("ID_TOKEN_MISSING", { message: "the issuer's answer holds no ID token" });
  // For an audience it may be the one that is exchanged, and opaque.
  if (options.useAccessToken && !isForAudience) checkAccessToken(accessToken, answer.expiresIn(), now);
  if ((options.useAccessToken || isForAudience) && idToken !== undefined) checkHash(idToken, accessToken);
  // An access token for another audience may name the person otherwise (Entra ID: a `sub` for each).
  const ofAccessToken = () => (isForAudience ? {} : (decodeJwt(accessToken)?.claims ?? {}));
  const claims = idToken === undefined ? ofAccessToken() : checkIdToken(idToken, { clientId, now, acrValues, maxAge, isHandedOut: !options.useAccessToken && !isForAudience });
  const wrap = (text: string | undefined) => (text === undefined || text === "" ? undefined : secret(text));
  return { idToken: wrap(idToken), accessToken: wrap(accessToken), refreshToken: wrap(refreshToken), expiresIn: answer.expiresIn(), scope: answer.scope, isBound, claims };
}

function checkAccessToken(token: string, expiresIn: number | undefined, now: number): void {
  const claims = decodeJwt(token)?.claims ?? fail("ID_TOKEN_MISSING", { message: "the access token is not a JWT, so no API server can check it" });
  const ends = [claims["exp"], expiresIn === undefined ? undefined : now + expiresIn].filter((end) => typeof end === "number");
  // Without any end it is refused where its credential is made.
  if (ends.length > 0) checkTimeLeft(Math.min(...ends), claims["iat"], now);
}

/**
 * OIDC Core 3.1.3.8: when the ID token says which access token it came with, it is this one. The library skips that in the code flow
 * (protocol.md ID-16); it matters when the access token is what the cluster sees.
 */
function checkHash(idToken: string, accessToken: string): void {
  const { header, claims } = decodeJwt(idToken) ?? { header: {}, claims: {} };
  const expected = claims["at_hash"];
  if (expected === undefined) return;
  const digest = createHash(hashOf(String(header["alg"])))
    .update(accessToken)
    .digest();
  if (digest.subarray(0, digest.length / 2).toString("base64url") !== expected)
    fail("ID_TOKEN_INVALID", { message: "the access token is not the one that the ID token was issued with (at_hash)" });
}

/** The hash of a signature algorithm: its last digits (RFC 7518); Ed25519 has SHA-512 in it (RFC 8032). */
function hashOf(algorithm: string): string {
  const digits = /(256|384|512)$/.exec(algorithm)?.[0];
  return `sha${digits ?? "512"}`;
}
