import { isTokenFor } from "../core/audience.ts";
import { checkTimeLeft, decodeJwt } from "../core/id-token.ts";
import { accessTokenType, type ExchangedToken, tokenType } from "../core/issued-token.ts";
import { isPureMachine } from "../core/keys.ts";
import type { Secret } from "../core/secret.ts";
import type { CredentialRecord } from "../core/session.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { TokenAnswer } from "../ports.ts";
import { type Run, seconds } from "./world.ts";

/** The token that the API server will see. Seconds since the epoch. */
export interface HandedToken {
  readonly kind: CredentialRecord["kind"];
  readonly token: string;
  readonly expiresAt: number;
  readonly issuedAt: number | undefined;
}

/** What a call's token is: the ID token, or an access token; one for an audience of its own counts as such, whatever it is by itself. */
export const tokenKind = ({ settings }: Pick<Run, "settings">): HandedToken["kind"] => (settings.useAccessToken || settings.audiences.length > 0 ? "access" : "id");

/**
 * Chooses the token of a judged answer; for an audience that none of its tokens is for, it is exchanged (RFC 8693) where the issuer offers that.
 * A token for somebody else's cluster is never handed out in its place, nor one that is bound to a key, which an API server cannot check.
 * `isLogin`: the answer of a login, which named the audience. ID_TOKEN_MISSING, ID_TOKEN_INVALID, GRANT_UNSUPPORTED, SCOPE_REJECTED, and the codes of an exchange.
 */
export async function handedToken(run: Run, answer: TokenAnswer, isLogin: boolean): Promise<HandedToken> {
  const { settings } = run;
  // A machine's exchange was for the audience already, and a token of its platform is held to it (app/machine-grants.ts).
  const isMade = settings.grant === "token-exchange" || settings.grant === "subject-token";
  if (settings.audiences.length > 0 && !isMade) return tokenForAudience(run, answer, isLogin);
  // A machine's grant seldom makes an ID token (protocol.md K-08); its access token was found to be a JWT.
  const isAccessToken = settings.useAccessToken || (answer.idToken === undefined && isPureMachine(settings.grant));
  if (isAccessToken && answer.isBound === true) failBound(settings);
  const token = (isAccessToken ? answer.accessToken : answer.idToken)?.reveal() ?? fail("ID_TOKEN_MISSING");
  return handed(run, token, isAccessToken ? answer.expiresIn : undefined);
}

function handed(run: Run, token: string, expiresIn: number | undefined): HandedToken {
  const { exp, iat } = decodeJwt(token)?.claims ?? {};
  const fromAnswer = expiresIn === undefined ? undefined : seconds(run.world) + expiresIn;
  const expiresAt = fromAnswer === undefined ? exp : typeof exp === "number" ? Math.min(exp, fromAnswer) : fromAnswer;
  if (typeof expiresAt !== "number") return fail("ID_TOKEN_INVALID", { message: "the token does not say when it expires" });
  return { kind: tokenKind(run), token, expiresAt, issuedAt: typeof iat === "number" ? iat : undefined };
}

async function tokenForAudience(run: Run, answer: TokenAnswer, isLogin: boolean): Promise<HandedToken> {
  const { settings, world } = run;
  // Some issuers put the audience into the ID token (Dex, by a scope of its own); RFC 8707 narrows the access token.
  const idToken = settings.useAccessToken ? undefined : answer.idToken?.reveal();
  const accessToken = answer.accessToken?.reveal();
  for (const [token, expiresIn] of [[idToken, undefined] as const, [accessToken, answer.expiresIn] as const]) {
    if (token === undefined || !isTokenFor(token, settings.audiences)) continue;
    if (token === accessToken && answer.isBound === true) failBound(settings);
    const found = handed(run, token, expiresIn);
    checkTimeLeft(found.expiresAt, found.issuedAt, seconds(world));
    return found;
  }
  const provider = await world.provider();
  const { supportsExchange } = await provider.facts();
  if (!supportsExchange || answer.accessToken === undefined) return isLogin ? failUnsupported(settings) : failUnnamed(settings);
  if (answer.isBound === true) failBound(settings);
  world.terminal.log(1, "exchanging the access token for one of the audience");
  const exchanged = await exchange(run, answer.accessToken);
  const { iat } = exchanged.claims;
  return { kind: "access", token: exchanged.token.reveal(), expiresAt: exchanged.expiresAt, issuedAt: typeof iat === "number" ? iat : undefined };
}

/** The subject is the issuer's own token, a moment old: one that it does not take is about this client, not about the person. */
async function exchange({ world, settings, signal }: Run, accessToken: Secret): Promise<ExchangedToken> {
  const provider = await world.provider();
  const { audiences, requestedTokenType = accessTokenType } = settings;
  try {
    return await provider.exchangeToken(
      { subjectToken: accessToken, subjectTokenType: accessTokenType, requestedTokenType: tokenType(requestedTokenType), audience: audiences, scope: undefined },
      signal,
    );
  } catch (error) {
    if (isOidcError(error) && error.code === "GRANT_UNSUPPORTED") return failUnsupported(settings);
    if (!isOidcError(error) || error.code !== "SUBJECT_TOKEN_INVALID") throw error;
    return fail("CLIENT_REJECTED", {
      message: `${shownUrl(settings.issuer, 120)} does not exchange this session's token`,
      ...(error.reason === undefined ? {} : { reason: error.reason }),
      // Dex exchanges its connectors' tokens only, and puts the audience of another client into the ID token.
      hint: /connector does not exist/i.test(error.reason ?? "")
        ? `ask for the audience by a scope, as Dex wants it: --oidc-extra-scope=audience:server:client_id:${safeText(audiences[0] ?? "", 80)}`
        : "allow the client to exchange tokens (RFC 8693) at the issuer, or leave --oidc-audience out",
    });
  }
}

/** Some issuers heed the audience of a login alone (Auth0). */
function failUnnamed(settings: Run["settings"]): never {
  const named = settings.audiences.map((audience) => safeText(audience, 80)).join(", ");
  return fail("SCOPE_REJECTED", {
    message: `${shownUrl(settings.issuer, 120)} gives this session no token for the audience ${named}`,
    reason: "the refresh named it, and the answer is for somebody else",
    hint: "run: kubectl oidc login",
  });
}

/** A session that was bound before an audience was wanted of it: a new login names the audience, and is not bound. */
function failBound(settings: Run["settings"]): never {
  return fail("SCOPE_REJECTED", {
    message: `the session at ${shownUrl(settings.issuer, 120)} is bound to a key (DPoP), and no API server takes an access token of such`,
    hint: "run: kubectl oidc login",
  });
}

function failUnsupported(settings: Run["settings"]): never {
  const named = settings.audiences.map((audience) => safeText(audience, 80)).join(", ");
  return fail("GRANT_UNSUPPORTED", {
    message: `${shownUrl(settings.issuer, 120)} gives no token for the audience ${named}`,
    reason: "it heeds no resource (RFC 8707) and offers no token exchange (RFC 8693)",
    hint: "leave --oidc-audience out, and give each cluster a client of its own at the issuer",
  });
}
