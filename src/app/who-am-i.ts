import { decodeJwt } from "../core/id-token.ts";
import { secret } from "../core/secret.ts";
import type { CredentialRecord } from "../core/session.ts";
import { isOidcError, type OidcError } from "../errors/oidc-error.ts";
import type { TokenReview } from "../core/token-proof.ts";
import type { ApiServer } from "../ports.ts";
import { getToken } from "./get-token.ts";
import type { Run } from "./world.ts";

/** Who the token says that we are, and who the API server takes us for. */
export interface WhoAmI {
  readonly credential: CredentialRecord;
  /** Of the token that a server gets; it was verified when it came. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Undefined when no server was asked, or none answered. */
  readonly review: TokenReview | undefined;
  /** Why the server could not be asked. */
  readonly fault: OidcError | undefined;
}

/** The current token, refreshed when needed and never by a person, and the server's word about it. The codes of `getToken`. */
export async function whoAmI(run: Run, server: ApiServer | undefined): Promise<WhoAmI> {
  const credential = await getToken(run, { interactive: false, wasRefused: false, origin: { command: "get-token", mayPrompt: false } });
  const told = { credential, claims: decodeJwt(credential.token)?.claims ?? {} };
  if (server === undefined) return { ...told, review: undefined, fault: undefined };
  try {
    return { ...told, review: await server.review(secret(credential.token)), fault: undefined };
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { ...told, review: undefined, fault: error };
  }
}
