import { checkAccount } from "../core/id-token.ts";
import { namedAccount } from "../core/keys.ts";
import { safeText } from "../core/untrusted-text.ts";
import type { Run } from "./world.ts";

/**
 * Is the person who came back the one of the session? ACCOUNT_MISMATCH. An ID token without a name cannot be compared, which is said: a login_hint is
 * a hint, and the browser may be logged in as somebody else. From then on the session holds whoever it was to their subject.
 */
export function compareAccount({ settings, session, world }: Run, claims: Readonly<Record<string, unknown>>): void {
  const account = namedAccount(settings, session.identity);
  if (checkAccount(claims, account)) return;
  world.terminal.warn(
    `the ID token names no account, so that ${safeText(account, 80)} logged in could not be checked; ${settings.scopes.includes("email") ? "let the issuer put email or preferred_username into it" : "try --oidc-extra-scope=email"}`,
  );
}
