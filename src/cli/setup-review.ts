import { secret } from "../core/secret.ts";
import type { TokenReview } from "../core/token-proof.ts";
import { safeText } from "../core/untrusted-text.ts";
import { isOidcError, type OidcError } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import type { SetupToken } from "./setup-session.ts";
import type { SetupTarget } from "./setup-target.ts";

/** Whom the API server sees now; undefined when there is nobody to show it, or no server that can be asked. */
export async function reviewed(call: Call, { cluster }: SetupTarget, { credential }: SetupToken): Promise<TokenReview | OidcError | undefined> {
  if (credential === undefined || cluster.access === undefined) return undefined;
  try {
    return await call.machine.apiServer(cluster.access, call.signal).review(secret(credential.token));
  } catch (error) {
    if (!isOidcError(error) || error.code === "INTERRUPTED") throw error;
    return error;
  }
}

/** Says it. A server that refuses is no failure of setup: its administrator may come later. */
export function sayReview({ machine: { terminal } }: Call, review: TokenReview | OidcError | undefined): void {
  if (review === undefined) return;
  if (isOidcError(review)) terminal.warn(`the API server could not be asked whom it sees: ${review.message}${review.reason === undefined ? "" : `: ${review.reason}`}`);
  else if (review.kind === "seen") {
    const groups = review.user.groups.filter((group) => !group.startsWith("system:")).map((group) => safeText(group, 80));
    terminal.say(`kubectl-oidc: the API server sees ${safeText(review.user.username, 120)}${groups.length === 0 ? "" : `, in ${groups.join(", ")}`}`);
  } else if (review.kind === "refused")
    terminal.warn("the API server does not accept the token yet (401): its administrator has to set it up as below; then run: kubectl oidc doctor");
  else terminal.warn(`the API server does not say whom it sees (${review.status})`);
}
