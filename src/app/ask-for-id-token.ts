import { isOidcError } from "../errors/oidc-error.ts";
import type { Parameters, TokenAnswer } from "../ports.ts";
import { loginRequest } from "./login-request.ts";
import type { Run } from "./world.ts";

/**
 * A refresh answer may lack the ID token (OIDC Core 12.2), and some issuers send one only to a client that names the scope openid again: Okta
 * once did, Entra ID's documentation says so. Asked once more with the login's scopes (RFC 6749, section 6); `refresh` spends the newest
 * token that there is. `missing`: the error of the first answer, thrown when the second is no better. SESSION_REVOKED, ISSUER_UNREACHABLE.
 */
export async function askForIdToken(run: Run, missing: unknown, refresh: (more: Parameters) => Promise<TokenAnswer>): Promise<TokenAnswer> {
  const { world, session } = run;
  world.terminal.log(1, "the refresh brought no ID token; asking once more, with the scopes of the login");
  const facts = await (await world.provider()).facts();
  const { scope } = loginRequest(run, facts, session.record?.offlineRefused !== true);
  try {
    return await refresh([["scope", scope]]);
  } catch (error) {
    // Only these say more of the session than that this issuer gives no ID token at a refresh.
    throw isOidcError(error) && ["SESSION_REVOKED", "ISSUER_UNREACHABLE", "ID_TOKEN_INVALID", "ACCOUNT_MISMATCH"].includes(error.code) ? error : missing;
  }
}
