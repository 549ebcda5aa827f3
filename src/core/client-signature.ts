/** Keys that a client may sign with (RFC 7518, RFC 8037). */
export type KeyKind = "RSA" | "P-256" | "P-384" | "P-521" | "Ed25519";

/**
 * The algorithms of each, the one first that issuers know best: an issuer that lists none must take RS256 (RFC 8414, section 2), and FAPI's
 * issuers list PS256 and not RS256. Ed25519 has two names: EdDSA (RFC 8037) and its own (RFC 9864), which few know yet.
 */
export const algorithmsOf: Readonly<Record<KeyKind, readonly string[]>> = {
  RSA: ["RS256", "PS256", "RS384", "PS384", "RS512", "PS512"],
  "P-256": ["ES256"],
  "P-384": ["ES384"],
  "P-521": ["ES512"],
  Ed25519: ["EdDSA", "Ed25519"],
};

/**
 * The algorithm to sign with: the first that the issuer lists (`token_endpoint_auth_signing_alg_values_supported` or
 * `request_object_signing_alg_values_supported`). When it lists none of them it is asked all the same: lists are often wrong, and ours may be
 * hours old.
 */
export function chosenAlgorithm(able: readonly string[], listed: unknown): string {
  const known: readonly unknown[] = Array.isArray(listed) ? listed : [];
  return able.find((algorithm) => known.includes(algorithm)) ?? able[0] ?? "";
}
