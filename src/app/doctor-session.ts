import { failed, fromError, type Outcome, ok, warn } from "../core/checks/outcome.ts";
import { rfc3339 } from "../core/exec-credential.ts";
import { isMachineGrant, isPureMachine } from "../core/keys.ts";
import { secret } from "../core/secret.ts";
import { mayBeUsedWith } from "../core/server-trust.ts";
import type { CredentialRecord } from "../core/session.ts";
import type { TokenReview } from "../core/token-proof.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { isOidcError, OidcError } from "../errors/oidc-error.ts";
import type { ApiServer, IssuerFacts } from "../ports.ts";
import { getToken } from "./get-token.ts";
import { readCredential } from "./keep-session.ts";
import { lookAtIdentity } from "./machine-grants.ts";
import { refreshSession } from "./refresh-session.ts";
import { type Run, seconds } from "./world.ts";

/** What was asked for, or our error. */
export type Found<T> = { readonly kind: "value"; readonly value: T } | { readonly kind: "fault"; readonly error: OidcError };

/** The token that kubectl would get now, if any, and how its renewal went (D-15). */
export interface FoundToken {
  readonly token: string | undefined;
  readonly outcome: Outcome;
  readonly credential: CredentialRecord | undefined;
}

/** One refresh, as the next kubectl would make it: a session whose token cannot be renewed is found before it is needed. */
export async function currentToken(run: Run): Promise<FoundToken> {
  const { session, settings } = run;
  const found = await attempt(() => readCredential(run));
  const cached = found.kind === "value" && found.value !== undefined && found.value.expiresAt > seconds(run.world) ? found.value : undefined;
  const give = (outcome: Outcome, credential = cached): FoundToken => ({ token: credential?.token, outcome, credential });
  if (isMachineGrant(settings.grant)) {
    const made = await attempt(() => getToken(run, { interactive: false, wasRefused: false, origin: { command: "get-token", mayPrompt: false } }));
    if (made.kind === "fault") return give(fromError(made.error));
    // A cached token says nothing about the next one.
    const identity = isPureMachine(settings.grant) ? await attempt(() => lookAtIdentity(run)) : undefined;
    if (identity?.kind === "fault") return give(fromError(identity.error), made.value);
    const { label, expiresAt } = identity?.value ?? {};
    const stands = label === undefined ? "" : `; it stands on ${label}, whose token can be read${expiresAt === undefined ? "" : ` and is good until ${rfc3339(expiresAt)}`}`;
    return give(ok(`a token was issued without a person${stands}`), made.value);
  }
  if (cached === undefined && session.record === undefined) return give(failed("LOGIN_REQUIRED", `not logged in to ${shownUrl(settings.issuer)}`));
  const refreshed = await attempt(() => refreshSession(run, cached));
  if (refreshed.kind === "fault") return give(fromError(refreshed.error));
  switch (refreshed.value.kind) {
    case "token":
      return give(ok(`works; the new token is good until ${rfc3339(refreshed.value.credential.expiresAt)}`), refreshed.value.credential);
    case "none":
      return give(
        cached === undefined
          ? failed("LOGIN_REQUIRED", `no refresh token is stored for ${shownUrl(settings.issuer)}, and no token is good`)
          : withoutRefreshToken(run, cached, await facts(run)),
      );
    case "outdated":
      return give(failed("LOGIN_REQUIRED", refreshed.value.why));
    case "refused":
      return give(failed("SESSION_REVOKED", `${shownUrl(settings.issuer)} refuses the refresh token: revoked, expired, or used by somebody else`));
    case "fault":
      return give(isOidcError(refreshed.value.error) ? fromError(refreshed.value.error) : failed("UNEXPECTED", "the refresh failed"));
    default:
      return refreshed.value satisfies never;
  }
}

const facts = async (run: Run) => {
  const found = await attempt(async () => (await run.world.provider()).facts());
  return found.kind === "value" ? found.value : undefined;
};

/** Why there is none, as far as it can be told: it was not asked for, not kept, refused, or not given. */
function withoutRefreshToken({ settings, session, world }: Run, cached: CredentialRecord, issuer: IssuerFacts | undefined): Outcome {
  const found = (why: string, cure: string) => warn(`there is no refresh token, so a login is needed at ${rfc3339(cached.expiresAt)}: ${why}`, cure);
  if (!world.store.keeps) return found("--token-cache-storage=none keeps none", "choose another --token-cache-storage than none");
  if (!settings.offlineAccess) return found("--no-offline-access keeps it from being asked for", "remove --no-offline-access");
  if (session.record?.offlineRefused === true) return found("the issuer refused the scope offline_access", "let the issuer grant offline_access to this client");
  if (issuer !== undefined && !issuer.supportsOffline)
    return found("the issuer does not list the scope offline_access, and gave none without it", "let the issuer give refresh tokens to this client");
  return found("the issuer was asked for offline_access and gave none; some give one only after the consent page", "run: kubectl oidc login --prompt=consent");
}

/** Asks the API server whom it sees. Not one that the session may not be used with. Value undefined: there is no token, or no server. */
export async function askServer(run: Run, found: FoundToken | undefined, server: ApiServer | undefined): Promise<Found<TokenReview | undefined>> {
  if (server === undefined || found?.token === undefined || found.credential === undefined) return { kind: "value", value: undefined };
  const { token, credential } = found;
  if (!mayBeUsedWith(credential.servers, run.server))
    return { kind: "fault", error: new OidcError("SERVER_NOT_TRUSTED", { message: `this session may not be used with ${safeText(run.server?.origin, 120)}` }) };
  return attempt(() => server.review(secret(token)));
}

/** Any other error than ours is a fault of this program, and thrown. */
export async function attempt<T>(action: () => Promise<T>): Promise<Found<T>> {
  try {
    return { kind: "value", value: await action() };
  } catch (error) {
    if (isOidcError(error)) return { kind: "fault", error };
    throw error;
  }
}
