import { isFresh, isUsable } from "./exec-credential.ts";
import type { CredentialRecord } from "./session.ts";

/** What is known when the decision is made. Times in seconds. */
export interface Situation {
  readonly credential: CredentialRecord | undefined;
  /** A refresh token, or an answer that was not judged yet, is stored. */
  readonly canRefresh: boolean;
  readonly now: number;
  readonly minValidity: number;
  /** `--force-refresh`, or a token that the API server refused (cli.md M7). */
  readonly refreshWanted: boolean;
  /** A login may open a browser, show a code or prompt; machine grants always may. */
  readonly loginAllowed: boolean;
  /** What the last refresh of this run met: nothing yet, a fault, or the issuer's refusal. */
  readonly refresh: "untried" | "done" | "fault" | "refused";
}

export type NextStep =
  | { readonly step: "use"; readonly credential: CredentialRecord }
  | { readonly step: "refresh" }
  | { readonly step: "login"; readonly reason: "no-session" | "expired" | "refused" }
  | { readonly step: "refuse"; readonly code: "LOGIN_REQUIRED" | "SESSION_REVOKED" }
  | { readonly step: "fault" };

/**
 * The specification of the program as one function: cached → refresh → login.
 * A fault of the issuer or the network is never a reason to log in (cli.md promise 6).
 */
export function decideNextStep(s: Situation): NextStep {
  const credential = s.credential;
  // A token that the API server refused, or that is to be replaced, is not used when the issuer refuses the session.
  const wanted = s.refreshWanted && (s.refresh === "untried" || s.refresh === "refused");
  if (credential !== undefined && !wanted && isFresh(credential, s.minValidity, s.now)) return { step: "use", credential };
  if (s.refresh === "done" && credential !== undefined && isUsable(credential, s.now)) return { step: "use", credential };
  if (s.canRefresh && s.refresh === "untried") return { step: "refresh" };
  if (s.refresh === "fault") {
    return credential !== undefined && isUsable(credential, s.now) ? { step: "use", credential } : { step: "fault" };
  }
  if (s.refresh !== "refused" && !s.canRefresh && credential !== undefined && isUsable(credential, s.now) && !s.loginAllowed) return { step: "use", credential };
  if (!s.loginAllowed) return { step: "refuse", code: s.refresh === "refused" ? "SESSION_REVOKED" : "LOGIN_REQUIRED" };
  return { step: "login", reason: s.refresh === "refused" ? "refused" : credential === undefined ? "no-session" : "expired" };
}
