import { checkAuthenticated } from "../core/authentication-age.ts";
import { checkContext } from "../core/id-token.ts";
import type { TokenAnswer } from "../ports.ts";
import type { Run } from "./world.ts";

/**
 * Does a login's answer prove what was asked of the person: by a context (`--acr-values`), and since when? Only a verified ID token proves anything:
 * an access token is not for us, and with `--oidc-use-access-token` a device's answer can lack the other. POLICY_NOT_MET.
 */
export function checkProof({ settings }: Run, { idToken, claims }: TokenAnswer, authenticatedSince: number | undefined): void {
  const proven = idToken === undefined ? {} : claims;
  checkContext(proven, settings.acrValues);
  checkAuthenticated(proven, authenticatedSince);
}
