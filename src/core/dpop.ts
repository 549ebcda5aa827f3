import { isMachineGrant } from "./keys.ts";
import type { Secret } from "./secret.ts";
import type { Settings } from "./settings.ts";

/** A key that a session is bound to (RFC 9449). */
export interface DpopKey {
  /** Private, as JWK text. */
  readonly key: Secret;
  /** RFC 7638; for the authorization request. */
  readonly thumbprint: string;
}

/** Signatures of elliptic curves (RFC 7518), the smallest key first: it rests in a keychain. Every issuer that knows DPoP knows ES256. */
export const dpopAlgorithms: readonly string[] = ["ES256", "ES384", "ES512"];

/** How proofs for this issuer are signed, by its `dpop_signing_alg_values_supported` (RFC 9449, section 5.1); undefined when it takes none of ours. */
export function dpopAlgorithmOf(listed: unknown): string | undefined {
  return Array.isArray(listed) ? dpopAlgorithms.find((algorithm) => listed.includes(algorithm)) : undefined;
}

/**
 * Is a login with these settings to be bound to a key, when the issuer can? `offered`: when not, all is well. Not where an access token is handed out
 * or exchanged: it would be bound too, and an API server takes bearer tokens (protocol.md DP-07). A machine's grant has no session.
 */
export function wantsBinding({ dpop, useAccessToken, audiences, grant }: Pick<Settings, "dpop" | "useAccessToken" | "audiences" | "grant">): "no" | "offered" | "demanded" {
  if (dpop === "never" || useAccessToken || audiences.length > 0 || isMachineGrant(grant)) return "no";
  return dpop === "always" ? "demanded" : "offered";
}
