type Claims = Readonly<Record<string, unknown>>;

/** Since Kubernetes 1.32 the server keeps a token's `jti` beside its user (kubernetes#127010). */
const credentialId = "authentication.kubernetes.io/credential-id";

/** Whom an API server sees behind a token (`SelfSubjectReview`, authentication.k8s.io). */
export interface ReviewedUser {
  readonly username: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** `refused`: 401. `unanswered`: the server knows no SelfSubjectReview (before Kubernetes 1.26), or does not allow it (403). */
export type TokenReview = ({ readonly kind: "seen"; readonly user: ReviewedUser } | { readonly kind: "refused" } | { readonly kind: "unanswered"; readonly status: number }) & {
  /** What the server's clock says minus ours, in seconds. */
  readonly clockOffset?: number | undefined;
};

/** `same`: it was this very token that the server saw. `other`: another credential. `no-jti`, `not-said`: nothing can be told. */
export type TokenProof = "same" | "other" | "no-jti" | "not-said";

/** Compares the token's `jti` with what the server says of the credential that it saw. */
export function proveToken(claims: Claims, extra: Readonly<Record<string, readonly string[]>>): TokenProof {
  const said = extra[credentialId];
  if (said === undefined) return typeof claims["jti"] === "string" ? "not-said" : "no-jti";
  return typeof claims["jti"] === "string" && said.includes(`JTI=${claims["jti"]}`) ? "same" : "other";
}

/** The claim as a list of texts; a single text is one. Undefined when it is neither. */
export function textsOf(claim: unknown): readonly string[] | undefined {
  if (typeof claim === "string") return [claim];
  return Array.isArray(claim) && claim.every((one) => typeof one === "string") ? claim : undefined;
}
