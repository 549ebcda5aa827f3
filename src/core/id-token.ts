import { fail } from "../errors/oidc-error.ts";
import { leastLeft } from "./exec-credential.ts";
import { isNestedDeeper } from "./json-depth.ts";
import { isObject } from "./session.ts";
import { safeText } from "./untrusted-text.ts";

type Claims = Readonly<Record<string, unknown>>;

/** Asymmetric algorithms of RFC 7518 and RFC 8037. `none` and HS* are never accepted (RFC 9700, protocol.md ID-07). */
export const signingAlgorithms: readonly string[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

/** Header and payload of a compact JWT, unverified; undefined when the text is not one. */
export function decodeJwt(token: string): { readonly header: Claims; readonly claims: Claims } | undefined {
  const parts = token.split(".");
  if (parts.length !== 3 || token.length > 262_144) return undefined;
  const [header, claims] = parts.slice(0, 2).map(decodePart);
  return header === undefined || claims === undefined ? undefined : { header, claims };
}

/** No claim nests like this; printing one that does would end the program. */
const deepestClaim = 100;

function decodePart(part: string): Claims | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const value: unknown = isNestedDeeper(text, deepestClaim) ? undefined : JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a token is checked against beyond what the OIDC library checks. Seconds. */
export interface TokenExpectation {
  readonly clientId: string;
  readonly now: number;
  /** At refresh: the subject of the login (OIDC Core 12.2). */
  readonly subject?: string | undefined;
  readonly acrValues?: string | undefined;
  /** At login: most seconds since the person authenticated. */
  readonly maxAge?: number | undefined;
  /** The token is the one that the API server will see, not only the proof of who logged in. */
  readonly isHandedOut?: boolean;
}

/**
 * The algorithms that this issuer's ID tokens may have: the asymmetric ones of those it lists. RS256 alone when it lists none of them or
 * nothing: every issuer must offer it (OIDC Discovery 3). Without this the library believes a list of `none` and HS256 (protocol.md ID-07).
 */
export function acceptedAlgorithms(listed: unknown): readonly string[] {
  const accepted = Array.isArray(listed) ? signingAlgorithms.filter((algorithm) => listed.includes(algorithm)) : [];
  return accepted.length === 0 ? ["RS256"] : accepted;
}

/**
 * The checks that openid-client leaves to us (protocol.md 3.1): algorithm, azp with a single audience (ID-05), exp without the library's
 * 30 seconds of tolerance (ID-08), iat in the future (ID-09), sub (ID-17, RF-02), acr (ID-12). ID_TOKEN_INVALID, ACCOUNT_MISMATCH,
 * POLICY_NOT_MET.
 */
export function checkIdToken(token: string, expected: TokenExpectation): Claims {
  const decoded = decodeJwt(token);
  if (decoded === undefined) return fail("ID_TOKEN_INVALID", { message: "the ID token is not a JWT" });
  const { header, claims } = decoded;
  const alg = header["alg"];
  if (typeof alg !== "string" || !signingAlgorithms.includes(alg))
    fail("ID_TOKEN_INVALID", { message: `the ID token is signed with ${safeText(alg ?? "nothing", 20)}, which is not accepted` });
  if (claims["azp"] !== undefined && claims["azp"] !== expected.clientId) fail("ID_TOKEN_INVALID", { message: "the ID token was issued to another client (azp)" });
  const iat = claims["iat"];
  if (typeof iat !== "number" || iat > expected.now + 300) fail("ID_TOKEN_INVALID", { message: "the ID token was issued in the future (iat); check this computer's clock" });
  if (expected.isHandedOut === true) checkTimeLeft(claims["exp"], iat, expected.now);
  checkSubject(claims, expected.subject);
  checkContext(claims, expected.acrValues);
  const authenticatedAt = claims["auth_time"];
  // OIDC Core 3.1.2.1: with max_age the ID token must say when the person authenticated. Ten seconds for clocks and pages.
  if (expected.maxAge !== undefined && !(typeof authenticatedAt === "number" && authenticatedAt + expected.maxAge + 10 >= expected.now)) {
    fail("POLICY_NOT_MET", { message: "the ID token does not prove an authentication as recent as --max-age asks for" });
  }
  return claims;
}

/** POLICY_NOT_MET when the claims of an ID token name none of the authentication contexts that were asked for (ID-12). */
export function checkContext(claims: Claims, acrValues: string | undefined): void {
  if (acrValues === undefined || acrValues.split(/\s+/).includes(String(claims["acr"] ?? ""))) return;
  fail("POLICY_NOT_MET", { message: "the ID token does not carry a requested acr value" });
}

/** An API server knows no tolerance: what is about to expire is of no use to it (cli.md M6). Seconds. ID_TOKEN_INVALID. */
export function checkTimeLeft(exp: unknown, iat: unknown, now: number): void {
  const receivedAt = typeof iat === "number" ? Math.min(iat, now) : now;
  if (typeof exp === "number" && exp - now >= leastLeft({ expiresAt: exp, receivedAt })) return;
  fail("ID_TOKEN_INVALID", { message: "the issuer's new token has expired or is about to (exp); check this computer's clock" });
}

function checkSubject(claims: Claims, subject: string | undefined): void {
  const sub = claims["sub"];
  if (typeof sub !== "string" || sub === "" || sub.length > 255) fail("ID_TOKEN_INVALID", { message: "the ID token has no usable subject (sub)" });
  if (subject !== undefined && sub !== subject) fail("ACCOUNT_MISMATCH", { message: "the issuer returned a token for another subject (sub) than the one that logged in" });
}

/** ACCOUNT_MISMATCH when the claims name somebody and none of the names is `account`. False when they name nobody, so that nothing could be compared. */
export function checkAccount(claims: Claims, account: string | undefined): boolean {
  if (account === undefined) return true;
  const names = ["email", "preferred_username", "upn", "unique_name", "cognito:username"].map((name) => claims[name]).filter((name) => typeof name === "string");
  const wanted = account.toLowerCase();
  if ([...names, claims["sub"]].some((name) => typeof name === "string" && name.toLowerCase() === wanted)) return true;
  if (names.length === 0) return false;
  return fail("ACCOUNT_MISMATCH", { message: `logged in as ${safeText(names[0], 80)}, but --account asks for ${safeText(account, 80)}` });
}

/** For people: e-mail, preferred user name, else the subject; made safe for a terminal. */
export function displayName(claims: Claims): string | undefined {
  const name = ["email", "preferred_username", "upn", "sub"].map((claim) => claims[claim]).find((value) => typeof value === "string" && value !== "");
  return name === undefined ? undefined : safeText(name, 120);
}

/**
 * True when the ID token inside a raw token answer is plainly for another issuer, client or subject; one that does not say is only broken.
 * Unverified: it only decides whether to drop an answer, never whether to trust one.
 */
export function namesAnotherIdentity(body: string, expected: { readonly issuer: string; readonly clientId: string; readonly subject: string | undefined }): boolean {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return false;
  }
  const token = isObject(answer) ? answer["id_token"] : undefined;
  const claims = typeof token === "string" ? decodeJwt(token)?.claims : undefined;
  if (claims === undefined) return false;
  const { iss, aud, sub } = claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isOther = (value: unknown, ours: string | undefined) => value !== undefined && ours !== undefined && value !== ours;
  return isOther(iss, expected.issuer) || isOther(sub, expected.subject) || (aud !== undefined && !audiences.includes(expected.clientId));
}
