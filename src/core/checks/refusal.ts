import { textsOf } from "../token-proof.ts";
import type { CheckId, Outcome } from "./outcome.ts";
import { checkAlgorithm, checkAudience, checkSize, isUnverified } from "./token.ts";

type Claims = Readonly<Record<string, unknown>>;

/** Something seen here that makes an API server refuse a token, and the check that says how it is mended. */
export interface Suspect {
  readonly check: CheckId;
  readonly text: string;
}

/** What is known of a token that was refused. */
export interface RefusedToken {
  readonly text: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
  readonly clientId: string;
  readonly audiences: readonly string[];
  /** D-13. */
  readonly clock: Outcome;
  /** D-12. */
  readonly keys: Outcome;
}

/** A 401 has no reason, so what can be seen from here is ranked: what no API server accepts, then what some refuse (protocol.md AP-03 to AP-06). */
export function suspectsOf({ text, header, claims, clientId, audiences, clock, keys }: RefusedToken): readonly Suspect[] {
  const algorithm = checkAlgorithm(header["alg"]);
  const audience = checkAudience(claims, clientId, audiences);
  const found: readonly (Suspect | undefined)[] = [
    algorithm.status === "fail" ? { check: "D-07", text: algorithm.detail } : undefined,
    clock.status === "fail" || clock.status === "warn" ? { check: "D-13", text: clock.detail } : undefined,
    // A server forgets the old keys when it first sees a token of the new ones, which may be somebody else's.
    keys.status === "fail" || keys.status === "warn" ? { check: "D-12", text: keys.detail } : undefined,
    /not for|no audience/.test(audience.detail) ? { check: "D-08", text: audience.detail } : undefined,
    isUnverified(claims) ? { check: "D-09", text: "email_verified is false, and the server may take the e-mail address as user name" } : undefined,
    claims["groups"] !== undefined && textsOf(claims["groups"]) === undefined ? { check: "D-09", text: "the claim groups is no list of texts" } : undefined,
    checkSize(text).status === "warn" ? { check: "D-11", text: "a proxy before the server may cut a token of this size" } : undefined,
    algorithm.status === "warn" ? { check: "D-07", text: algorithm.detail } : undefined,
  ];
  return found.filter((suspect) => suspect !== undefined);
}
