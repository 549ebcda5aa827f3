import * as client from "openid-client";
import { describeOAuthError } from "../core/callback.ts";
import { endOf, type ExchangedToken, type ExchangeRequest, idTokenType } from "../core/issued-token.ts";
import { secret } from "../core/secret.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { IssuerConnection } from "./issuer-connection.ts";
import { answerWithin } from "./openid-faults.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { verifiedClaims } from "./verified-token.ts";

const grant = "urn:ietf:params:oauth:grant-type:token-exchange";

/** Asks for the exchange and judges what comes: type, form, signature, claims. A refresh token in the answer is not looked at (protocol.md X-04). */
export async function exchangeAt(connection: IssuerConnection, request: ExchangeRequest, options: ProviderOptions, host: string): Promise<ExchangedToken> {
  const { subjectToken, subjectTokenType, requestedTokenType, audience, scope, extra = [] } = request;
  const parameters = new URLSearchParams(extra.map(([name, value]): [string, string] => [name, value]));
  // Ours last.
  const own = { subject_token: subjectToken.reveal(), subject_token_type: subjectTokenType, requested_token_type: requestedTokenType };
  for (const [name, value] of Object.entries(own)) parameters.set(name, value);
  for (const one of audience) parameters.append("audience", one);
  if (scope !== undefined) parameters.set("scope", scope);
  const answer = await client.genericGrantRequest(connection.config, grant, parameters).catch((error: unknown) => refused(error, request, host));
  const now = options.now() / 1000;
  const issued = answer["issued_token_type"];
  // RFC 8693, section 2.2.1: without it nobody knows what `access_token` holds.
  if (issued !== requestedTokenType)
    fail("ID_TOKEN_INVALID", {
      message: `${host} answered the exchange with ${issued === undefined ? "a token of no type" : `another type of token, ${safeText(issued, 80)}`} (issued_token_type)`,
      hint: "check --requested-token-type against what the issuer can issue",
    });
  if (answer.token_type === "dpop") fail("ID_TOKEN_INVALID", { message: "the exchanged token is bound to a key, and an API server takes none such (token_type)" });
  // An ID token that is asked for nobody in particular is for the client.
  const audiences = audience.length === 0 && requestedTokenType === idTokenType ? [options.clientId] : audience;
  const claims = await verifiedClaims(answer.access_token, { issuer: options.issuer, audiences, now }, connection);
  return { token: secret(answer.access_token), expiresAt: endOf(claims, answer.expires_in, now), claims };
}

/** RFC 8693, section 2.2.2. What is not told here is told as the other exchanges' errors are (openid-faults.ts). */
function refused(error: unknown, { audience, scope }: ExchangeRequest, host: string): never {
  // Dex' word for a client that does not trust this one; the library reads no body of a 5xx.
  if (scope?.includes(dexAudience) === true && answerWithin(error).status === 500)
    return fail("ISSUER_UNREACHABLE", {
      message: `${host} cannot answer now`,
      reason: "HTTP 500",
      hint: `if it stays so, check that the client which ${dexAudience} names has this one among its trustedPeers`,
    });
  if (!(error instanceof client.ResponseBodyError)) throw error;
  const { error: code, error_description: description = "", status } = error;
  const reason = describeOAuthError(code, description);
  if (code === "invalid_target") {
    const names = audience.map((one) => safeText(one, 60)).join(", ");
    return fail("SCOPE_REJECTED", {
      message: `${host} gives this client no token for ${names === "" ? "its default audience" : `the audience ${names}`}`,
      reason,
      hint: "check --oidc-audience, and whether the client may exchange tokens for it",
    });
  }
  const unaccepted = { message: `${host} does not accept the subject token`, reason };
  // Dex' words (server/handlers.go of 2.45). A subject token that its connector cannot verify:
  if (code === "access_denied" && status === 401) return fail("SUBJECT_TOKEN_INVALID", unaccepted);
  if (code === "request_not_supported" && description.includes("subject_token_type"))
    return fail("SUBJECT_TOKEN_INVALID", { ...unaccepted, hint: "say what the subject token is: --subject-token-type=id_token (or access_token)" });
  if (code === "invalid_request" && /connector does not exist/i.test(description))
    return fail("SUBJECT_TOKEN_INVALID", {
      ...unaccepted,
      hint: "name the connector of the token's issuer, which Dex must reach: --oidc-auth-request-extra-params=connector_id=ID",
    });
  throw error;
}

/** Dex' scope for another client's audience, up to that client's name. */
const dexAudience = "audience:server:client_id:";
