import { proveToken, textsOf, type TokenReview } from "../token-proof.ts";
import { safeText } from "../untrusted-text.ts";
import { failed, type Outcome, ok, warn } from "./outcome.ts";
import type { Suspect } from "./refusal.ts";

type Claims = Readonly<Record<string, unknown>>;

/** D-14: whom does the API server see? `suspects`: what makes a server refuse a token, the likeliest first. */
export function checkReview(review: TokenReview, claims: Claims, suspects: readonly Suspect[]): Outcome {
  switch (review.kind) {
    case "seen": {
      const name = safeText(review.user.username, 120);
      const groups = review.user.groups.filter((group) => !group.startsWith("system:")).length;
      const held = textsOf(claims["groups"])?.length ?? 0;
      if (name === "system:anonymous")
        return failed(
          "TOKEN_REFUSED",
          "the API server sees system:anonymous: it takes no OIDC tokens at all",
          "the cluster's administrator sets up OIDC; this prints what is needed: kubectl oidc setup --dry-run",
        );
      const proof = proveToken(claims, review.user.extra);
      if (proof === "other")
        return failed("SETTINGS_INVALID", `the API server sees ${name}, by another credential than our token`, "remove the other credential from the user in the kubeconfig");
      const seen = `the API server sees ${name} with ${groups} ${groups === 1 ? "group" : "groups"}`;
      if (groups === 0 && held > 0)
        return warn(
          `${seen}, and the token holds ${held}: the server takes the groups from no claim, or from another than groups`,
          "set claimMappings.groups.claim: groups in the AuthenticationConfiguration, or --oidc-groups-claim=groups",
        );
      return ok(proof === "same" ? `${seen}, by this very token` : seen);
    }
    case "refused":
      return {
        ...failed(
          "TOKEN_REFUSED",
          `the API server refuses the token (401); ${causes(claims, suspects)}`,
          "compare the API server's settings with what this prints: kubectl oidc setup --dry-run; the server's log says why (Unable to authenticate the request)",
        ),
        blames: suspects[0]?.check,
      };
    case "unanswered":
      return warn(`the API server does not say whom it sees (${review.status})`, "run: kubectl auth whoami");
    default:
      return review satisfies never;
  }
}

/** What a client can see comes first, then what the server must be compared with. */
function causes(claims: Claims, suspects: readonly Suspect[]): string {
  const rest = [
    `it trusts another issuer than ${safeText(claims["iss"], 120)} (byte for byte)`,
    `or another audience than ${safeText(Array.isArray(claims["aud"]) ? claims["aud"].join(", ") : claims["aud"], 120)}`,
    "or its own rules (CEL) are not met",
    "or it cannot reach the issuer itself",
  ];
  return suspects.length > 0 ? `likely: ${suspects.map(({ text }) => text).join("; ")}. Else ${rest.join(", ")}` : `likely: ${rest.join(", ")}`;
}
