import { rfc3339 } from "../core/exec-credential.ts";
import { shellWord } from "../core/shell-word.ts";
import { timeAway } from "../core/time-away.ts";
import { shownUrl } from "../core/untrusted-text.ts";

/** What a login brought. Times in seconds. */
interface LoggedIn {
  readonly issuer: string;
  /** Safe for a terminal. */
  readonly account: string;
  readonly expiresAt: number;
  readonly now: number;
  /** Where the refresh token rests; undefined when there is none. */
  readonly store: string | undefined;
  /** Nobody is needed for a new one. */
  readonly isMachine?: boolean;
}

/** Who you are, until when, where the session lies, and what to try. */
export function loggedInLines({ issuer, account, expiresAt, now, store, isMachine }: LoggedIn, next: string): readonly string[] {
  const kept =
    isMachine === true
      ? "it is made anew without you"
      : store === undefined
        ? "no refresh token is stored: a new login is needed then"
        : `the session is stored in ${store}, and refreshed without you`;
  return [
    `kubectl-oidc: logged in to ${shownUrl(issuer)} as ${account}`,
    `kubectl-oidc: the token is good until ${rfc3339(expiresAt)} (${timeAway(expiresAt - now)})`,
    `kubectl-oidc: ${kept}`,
    `kubectl-oidc: try: ${next}`,
  ];
}

/** The command that shows that it works. A name that cannot be written safely for every shell is not put into one. */
export function nextCommand(choice: { readonly context: string | undefined; readonly kubeconfig: string | undefined }, platform: string): string {
  if (choice.context === undefined) return "kubectl oidc status";
  const words = [choice.context, ...(choice.kubeconfig === undefined ? [] : [choice.kubeconfig])].map((text) => shellWord(text, platform));
  // One that begins with a dash would be an option.
  if (words.some((word) => word === undefined || word.startsWith("-"))) return "kubectl oidc status";
  return `kubectl get ns --context ${words[0]}${words.length === 1 ? "" : ` --kubeconfig ${words[1]}`}`;
}
