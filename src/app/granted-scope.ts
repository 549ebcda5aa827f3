import { safeText } from "../core/untrusted-text.ts";
import type { TokenAnswer } from "../ports.ts";
import type { Run } from "./world.ts";

/**
 * Says which of the scopes asked for the issuer did not grant (RFC 6749, sections 3.3 and 6). A step, no warning: Google and Entra ID name
 * what they grant in other words. Whoever misses a claim in the cluster finds it here.
 */
export function sayNarrowed(run: Run, asked: readonly string[], answer: TokenAnswer): void {
  if (answer.scope === undefined) return;
  const granted = new Set(answer.scope.split(" "));
  // A refresh token says more than the scope that it came by.
  const missing = asked.filter((scope) => !granted.has(scope) && !(scope === "offline_access" && answer.refreshToken !== undefined));
  if (missing.length > 0) run.world.terminal.log(1, `the issuer granted less than was asked for; missing: ${safeText(missing.join(" "), 200)}`);
}
