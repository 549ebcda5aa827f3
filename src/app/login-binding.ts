import { type DpopKey, wantsBinding } from "../core/dpop.ts";
import { isMachineGrant } from "../core/keys.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { IssuerFacts, OpenIdProvider } from "../ports.ts";
import type { Run } from "./world.ts";

/**
 * A new key for this login (RFC 9449), made before anybody is asked for anything; undefined when it is to be bound to none. A former session's key is not
 * used again: what was stolen with it ends with it. `audiences`: those that the session is to serve, this stanza's and others'. GRANT_UNSUPPORTED when `--dpop=always` asks for what the issuer does not offer; FLAG_CONFLICT.
 */
export async function bindingFor({ settings }: Run, facts: IssuerFacts, provider: OpenIdProvider, audiences: readonly string[]): Promise<DpopKey | undefined> {
  // A service account's token comes anew with every call: there is nothing to bind.
  if (settings.dpop === "always" && isMachineGrant(settings.grant))
    fail("FLAG_CONFLICT", { message: `--dpop=always binds a person's session, and --grant-type=${safeText(settings.grant, 40)} has none` });
  // Who demands it decides; what is only offered must not be in the way of another context of the same session.
  const wanted = wantsBinding(settings.dpop === "always" ? settings : { ...settings, audiences });
  if (wanted === "no") return undefined;
  if (facts.dpopAlgorithm !== undefined) return provider.newDpopKey(facts.dpopAlgorithm);
  if (wanted === "offered") return undefined;
  return fail("GRANT_UNSUPPORTED", {
    message: "the issuer does not offer to bind a session to a key (DPoP), and --dpop=always asks for it",
    hint: "leave --dpop=always out, or let the issuer offer DPoP with ES256 (dpop_signing_alg_values_supported)",
  });
}
