import { proveToken, type TokenReview } from "../token-proof.ts";
import { safeText } from "../untrusted-text.ts";
import { failed, type Outcome, ok, warn } from "./outcome.ts";

type Claims = Readonly<Record<string, unknown>>;

/** D-14: whom does the API server see? `suspects`: what other checks found that makes a server refuse a token, the likeliest first. */
export function checkReview(review: TokenReview, claims: Claims, suspects: readonly string[]): Outcome {
  switch (review.kind) {
    case "seen": {
      const name = safeText(review.user.username, 120);
      const groups = review.user.groups.filter((group) => !group.startsWith("system:")).length;
      if (name === "system:anonymous")
        return failed(
          "TOKEN_REFUSED",
          "the API server sees system:anonymous: it takes no OIDC tokens at all",
          "the cluster's administrator sets up OIDC: an AuthenticationConfiguration or --oidc-issuer-url",
        );
      const proof = proveToken(claims, review.user.extra);
      if (proof === "other")
        return failed("SETTINGS_INVALID", `the API server sees ${name}, by another credential than our token`, "remove the other credential from the user in the kubeconfig");
      const seen = `the API server sees ${name} with ${groups} ${groups === 1 ? "group" : "groups"}`;
      return ok(proof === "same" ? `${seen}, by this very token` : seen);
    }
    case "refused":
      return failed(
        "TOKEN_REFUSED",
        `the API server refuses the token (401); ${causes(claims, suspects)}`,
        "compare with the API server's AuthenticationConfiguration or its --oidc-* flags",
      );
    case "unanswered":
      return warn(`the API server does not say whom it sees (${review.status})`, "run: kubectl auth whoami");
    default:
      return review satisfies never;
  }
}

/** A 401 has no reason: those that a client can see come first, then what the server must be compared with. */
function causes(claims: Claims, suspects: readonly string[]): string {
  const rest = [
    `it trusts another issuer than ${safeText(claims["iss"], 120)} (byte for byte)`,
    `or another audience than ${safeText(Array.isArray(claims["aud"]) ? claims["aud"].join(", ") : claims["aud"], 120)}`,
    "or cannot reach the issuer itself",
  ];
  return suspects.length > 0 ? `likely: ${suspects.join("; ")}. Else ${rest.join(", ")}` : `likely: ${rest.join(", ")}`;
}
