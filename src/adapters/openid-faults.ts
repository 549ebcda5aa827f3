import * as client from "openid-client";
import { describeOAuthError } from "../core/callback.ts";
import { safeText } from "../core/untrusted-text.ts";
import type { ErrorCode } from "../errors/catalogue.ts";
import { fail, oidcErrorWithin } from "../errors/oidc-error.ts";
import { offsetOf } from "./date-header.ts";

export type Exchange = "discovery" | "authorization" | "code" | "device" | "poll" | "refresh" | "machine" | "exchange" | "assertion" | "revocation";

/**
 * openid-client's errors → our codes; never returns. Nothing of the library's error object is kept: its chain of causes
 * holds whole token answers (protocol.md SE-03).
 */
export function failFrom(error: unknown, exchange: Exchange, host: string): never {
  const ours = oidcErrorWithin(error);
  if (ours !== undefined) throw ours;
  if (error instanceof client.ResponseBodyError && /^(invalid_dpop_proof|use_dpop_nonce)$/.test(error.error)) return failFromProof(error);
  if (error instanceof client.ResponseBodyError) return failFromBody(error.error, error.error_description, error.status, error.response.headers.get("retry-after"), exchange, host);
  if (error instanceof client.AuthorizationResponseError) return failFromBody(error.error, error.error_description, 400, null, "authorization", host);
  if (error instanceof client.WWWAuthenticateChallengeError) {
    return fail(error.status >= 500 ? "ISSUER_UNREACHABLE" : "CLIENT_REJECTED", { message: `${host} refused the request`, reason: `HTTP ${error.status}` });
  }
  return failFromLibrary(error, exchange, host);
}

function failFromBody(error: string, description: string | undefined, status: number, retryAfter: string | null, exchange: Exchange, host: string): never {
  const reason = describeOAuthError(error, description);
  const code = exchange === "refresh" && isRefusedByDex(error, description, status) ? "SESSION_REVOKED" : codeOf(error, status, exchange);
  if (code === "ISSUER_UNREACHABLE") {
    return fail(code, { message: `${host} cannot answer now`, reason: `HTTP ${status}, ${reason}${whenToTry(retryAfter)}` });
  }
  // Keycloak says it of one client; its document speaks for the realm alone.
  const wantsPushed = exchange === "authorization" && code === "CLIENT_REJECTED" && /pushed authorization request/i.test(description ?? "");
  return fail(code, {
    reason,
    ...(code === "SUBJECT_TOKEN_INVALID" ? { message: `${host} does not accept the subject token` } : {}),
    ...(wantsPushed ? { hint: "the issuer wants this client's requests pushed: add --par=always" } : {}),
  });
}

/**
 * The issuer did not take the proof of our key (RFC 9449, sections 5 and 8): it says when it was made, so a clock that is wrong is the usual cause,
 * and the answer's own date shows it. The session is what it was.
 */
function failFromProof({ error, error_description: description, response }: client.ResponseBodyError): never {
  const now = Date.now();
  const off = offsetOf(response.headers.get("date"), now, now) ?? 0;
  const clock =
    Math.abs(off) < clockTolerance ? "check this computer's clock" : `set this computer's clock: the issuer's is ${Math.round(Math.abs(off))} s ${off > 0 ? "ahead" : "behind"}`;
  return fail("CLIENT_REJECTED", {
    message: "the issuer did not accept the proof of the session's key (DPoP)",
    reason: describeOAuthError(error, description),
    hint: `${clock}; if that is not it, log in without a key: kubectl oidc login --dpop=never`,
  });
}

/** Seconds. Issuers take proofs that are a minute old, or less. */
const clockTolerance = 20;

const whenToTry = (retryAfter: string | null) => (retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? `; try again in ${retryAfter} s` : "");

/**
 * Dex' word for invalid_grant: a refresh token that was revoked, spent, or replaced by a login elsewhere (Dex keeps one for each person and
 * client) gets invalid_request, the code of a malformed request, which ours is not (server/refreshhandlers.go of 2.45). Told by its whole
 * text, so that nobody else's invalid_request ends a session.
 */
const isRefusedByDex = (error: string, description: string | undefined, status: number) =>
  status === 400 && error === "invalid_request" && /^Refresh token (is invalid or has already been claimed by another client|expired)\.$/.test(description ?? "");

/** Only invalid_grant, login_required and interaction_required mean "log in again" (cli.md promise 6). */
function codeOf(error: string, status: number, exchange: Exchange): ErrorCode {
  if (status >= 500 || status === 429 || status === 408) return "ISSUER_UNREACHABLE";
  const isForToken = exchange === "exchange" || exchange === "assertion";
  // What stands for somebody is refused: the platform's token (RFC 8693, section 2.2.2; RFC 7521, section 4.1.1), not the client.
  if ((exchange === "exchange" && (error === "invalid_request" || error === "invalid_grant")) || (exchange === "assertion" && error === "invalid_grant"))
    return "SUBJECT_TOKEN_INVALID";
  switch (error) {
    case "invalid_grant":
      return exchange === "refresh" ? "SESSION_REVOKED" : exchange === "poll" ? "DEVICE_CODE_EXPIRED" : "LOGIN_DENIED";
    case "login_required":
    case "interaction_required":
      return exchange === "refresh" ? "SESSION_REVOKED" : isForToken ? "CLIENT_REJECTED" : "LOGIN_DENIED";
    case "access_denied":
    case "account_selection_required":
    case "consent_required":
    case "authorization_declined":
      return exchange === "refresh" || isForToken ? "CLIENT_REJECTED" : "LOGIN_DENIED";
    case "expired_token":
      return "DEVICE_CODE_EXPIRED";
    case "invalid_scope":
    case "invalid_target":
    case "not_allowed":
      return "SCOPE_REJECTED";
    case "unsupported_grant_type":
    case "unsupported_response_type":
      return "GRANT_UNSUPPORTED";
    case "temporarily_unavailable":
    case "server_error":
      return "ISSUER_UNREACHABLE";
    case "unmet_authentication_requirements":
      return "POLICY_NOT_MET";
    default:
      return "CLIENT_REJECTED";
  }
}

function failFromLibrary(error: unknown, exchange: Exchange, host: string): never {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const message = error instanceof Error ? safeText(error.message, 120) : "unknown fault";
  const answer = answerWithin(error);
  if (/authentication time|auth_time|last End-User authentication/.test(claimOf(error) ?? "")) {
    return fail("POLICY_NOT_MET", { message: "the ID token does not prove an authentication as recent as --max-age asks for" });
  }
  if (exchange !== "discovery" && /"id_token" property/.test(saidBy(error))) return fail("ID_TOKEN_MISSING", { message: `the answer of ${host} holds no ID token` });
  if (exchange !== "discovery" && brokenToken.test(saidBy(error))) return fail("ID_TOKEN_INVALID", { message: "the ID token is not a JWT" });
  switch (code) {
    case "OAUTH_JWT_CLAIM_COMPARISON_FAILED":
    case "OAUTH_JWT_TIMESTAMP_CHECK_FAILED":
    case "OAUTH_KEY_SELECTION_FAILED":
    case "OAUTH_INVALID_SIGNATURE":
      return fail("ID_TOKEN_INVALID", { reason: claimOf(error) ?? message });
    case "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED":
      return fail("ISSUER_MISMATCH", { reason: message });
    case "OAUTH_TIMEOUT":
    case "OAUTH_ABORT":
      return fail("ISSUER_UNREACHABLE", { message: `${host} did not answer in time` });
    case "OAUTH_RESPONSE_IS_NOT_JSON":
    case "OAUTH_PARSE_ERROR":
      return answer.status >= 400 ? failFromStatus(answer, exchange, host) : failNotJson(exchange, host);
    case "OAUTH_RESPONSE_IS_NOT_CONFORM":
      if (exchange === "refresh" && answer.status === 500) return failBehind(host);
      return failFromStatus(answer, exchange, host);
    case "OAUTH_INVALID_RESPONSE":
      return fail(
        exchange === "discovery"
          ? "DISCOVERY_INVALID"
          : /ID Token|id_token|JWT|JWS|nonce|"alg"|signature/i.test(message + claimOf(error))
            ? "ID_TOKEN_INVALID"
            : "ISSUER_UNREACHABLE",
        { message: `${host} gave an answer that is not valid`, reason: claimOf(error) ?? message },
      );
    case "OAUTH_UNSUPPORTED_OPERATION":
      return fail(exchange === "discovery" ? "DISCOVERY_INVALID" : "ID_TOKEN_INVALID", { reason: claimOf(error) ?? message });
    default:
      if (isUnusableKey(error)) return fail("ID_TOKEN_INVALID", { reason: "the issuer's key for this token cannot be used" });
      return exchange === "discovery"
        ? fail("DISCOVERY_INVALID", { reason: message })
        : fail("ISSUER_UNREACHABLE", { message: `${host} gave an answer that cannot be used`, reason: message });
  }
}

/** What the library says of a token whose parts are no base64url or no JSON. A passing fault would be judged again and again. */
const brokenToken = /parse JWT|JWT (?:Header|Payload) must be|not correctly encoded/;

/** What answers is not the issuer, by all appearances. */
export function failNotJson(exchange: Exchange, host: string): never {
  if (exchange === "discovery") {
    return fail("DISCOVERY_INVALID", {
      message: `the discovery document of ${host} is not JSON`,
      hint: "check --oidc-issuer-url; a login page of the network (captive portal) may answer in the issuer's place",
    });
  }
  return fail("ISSUER_UNREACHABLE", {
    message: `${host} answered with something that is not JSON`,
    hint: "a login page of the network (captive portal) or a proxy may answer in the issuer's place",
  });
}

/**
 * Dex answers a refresh so for as long as an issuer behind it has ended the session, and whenever something else fails there
 * (server/refreshhandlers.go of 2.45). A fault is no reason to log in by itself; a person may.
 * The library does not tell a 500 for the keys, which is rare, from it.
 */
function failBehind(host: string): never {
  return fail("ISSUER_UNREACHABLE", {
    message: `${host} cannot answer now`,
    reason: "HTTP 500",
    hint: "try again; if it stays so, an issuer behind this one may have ended the session: kubectl oidc login",
  });
}

function failFromStatus({ status, retryAfter }: { readonly status: number; readonly retryAfter: string | null }, exchange: Exchange, host: string): never {
  // RFC 6585, section 6: the network wants a login of its own.
  if (status === 511)
    return fail("ISSUER_UNREACHABLE", {
      message: `a login page of the network answers in the place of ${host}`,
      reason: "HTTP 511",
      hint: "open a browser and log in to the network (captive portal)",
    });
  if (status >= 500 || status === 429 || status === 408 || status === 0)
    return fail("ISSUER_UNREACHABLE", { message: `${host} cannot answer now`, reason: `HTTP ${status}${whenToTry(retryAfter)}` });
  const redirect = status >= 300 && status < 400 && status !== 304 ? " (redirects are not followed)" : "";
  if (exchange === "discovery") return fail("DISCOVERY_INVALID", { message: `${host} has no discovery document under this issuer URL`, reason: `HTTP ${status}${redirect}` });
  return fail("ISSUER_UNREACHABLE", { message: `${host} gave an unexpected answer`, reason: `HTTP ${status}${redirect}` });
}

/**
 * What a token did not fit, in the order in which they are judged: the algorithms that the issuer lists, or its keys. Newer ones may judge
 * otherwise.
 */
export function doubtedBy(error: unknown): "algorithms" | "keys" | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const said = saidBy(error);
  if (/unexpected JWT "alg"/.test(said)) return "algorithms";
  return code === "OAUTH_KEY_SELECTION_FAILED" || isUnusableKey(error) || /signature verification/.test(said) ? "keys" : undefined;
}

/** WebCrypto refuses a key that is none: a point beside its curve, for one. */
const isUnusableKey = (error: unknown) => error instanceof Error && error.cause instanceof DOMException && error.cause.name === "DataError";

/** Seconds that a busy issuer asks to wait (RFC 9110, section 10.2.3): 503 and 429 only, not as a date, and not 0, which is no reason to forget our own back-off. */
export function laterBy(error: unknown): number | undefined {
  const { status, retryAfter } = error instanceof client.ResponseBodyError ? { status: error.status, retryAfter: error.response.headers.get("retry-after") } : answerWithin(error);
  return (status === 503 || status === 429) && retryAfter !== null && /^[1-9]\d{0,5}$/.test(retryAfter) ? Number(retryAfter) : undefined;
}

/** Of a Response somewhere in the chain of causes; status 0 when there is none. */
export function answerWithin(error: unknown): { readonly status: number; readonly retryAfter: string | null } {
  let current = error;
  for (let depth = 0; depth < 6 && typeof current === "object" && current !== null; depth++) {
    if (current instanceof Response) return { status: current.status, retryAfter: current.headers.get("retry-after") };
    current = "cause" in current ? current.cause : undefined;
  }
  return { status: 0, retryAfter: null };
}

/** Every message of the chain, to be looked through, never shown. */
function saidBy(error: unknown): string {
  const said: string[] = [];
  for (let current = error; said.length < 5 && current instanceof Error; current = current.cause) said.push(current.message);
  return said.join("\n");
}

/** The innermost library message (`unexpected JWT "nonce" claim value`): names a claim, never holds its value. */
function claimOf(error: unknown): string | undefined {
  let message: string | undefined;
  let current = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth++) {
    message = safeText(current.message, 120);
    current = current.cause;
  }
  return message;
}
