import { safeText } from "../core/untrusted-text.ts";
import type { TokenAnswer } from "../ports.ts";
import type { Run } from "./world.ts";

/** What Google calls the scopes that it grants. */
const alsoCalled: Readonly<Record<string, string>> = {
  email: "https://www.googleapis.com/auth/userinfo.email",
  profile: "https://www.googleapis.com/auth/userinfo.profile",
};

/**
 * Says which of the scopes asked for the issuer did not grant (RFC 6749, sections 3.3 and 6). A step, no warning: issuers name
 * what they grant in words of their own. Whoever misses a claim in the cluster finds it here.
 */
export function sayNarrowed(run: Run, asked: readonly string[], answer: TokenAnswer): void {
  if (answer.scope === undefined) return;
  const granted = new Set(answer.scope.split(" "));
  // A token says more than the scope that it came by: Entra ID leaves these two out.
  const came: Readonly<Record<string, unknown>> = { openid: answer.idToken, offline_access: answer.refreshToken };
  const missing = asked.filter((scope) => !granted.has(scope) && !granted.has(alsoCalled[scope] ?? scope) && came[scope] === undefined);
  if (missing.length > 0) run.world.terminal.log(1, `the issuer granted less than was asked for; missing: ${safeText(missing.join(" "), 200)}`);
}
