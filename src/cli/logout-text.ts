import type { LoggedOut } from "../app/log-out.ts";
import { rfc3339 } from "../core/exec-credential.ts";
import { isMachineGrant } from "../core/keys.ts";
import type { SessionIdentity } from "../core/session.ts";
import { timeAway } from "../core/time-away.ts";
import { shownUrl } from "../core/untrusted-text.ts";
import { sessionCommand, shownNames, shownSession } from "./session-command.ts";

/** One logout, as it is told. */
export interface Told {
  readonly identity: SessionIdentity;
  readonly account: string | undefined;
  /** For people: `the OS keychain`. */
  readonly place: string;
  readonly outcome: LoggedOut;
  /** Contexts of the kubeconfig that use the session. */
  readonly contexts: readonly string[];
  readonly kubeconfig: string | undefined;
  /** The list of servers went too. */
  readonly forgotServers: boolean;
  /** The browser's session is ended as well. */
  readonly sso: boolean;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** What was revoked and deleted, then what remains: a logout that says nothing of that is taken for more than it is. */
export function logoutLines(told: Told): readonly string[] {
  const { identity, account, outcome, contexts, forgotServers } = told;
  const who = shownSession(identity.issuer, account);
  const lines = [`${who}: ${doneText(told)}`];
  if (forgotServers && outcome.servers.length > 0) lines.push(`${who}: the list of servers is forgotten: ${serversText(outcome)}`);
  if (outcome.result === "nothing") return lines;
  if (outcome.tokensGoodUntil !== undefined)
    lines.push(`tokens already handed out stay valid until ${rfc3339(outcome.tokensGoodUntil)} (${timeAway(outcome.tokensGoodUntil - told.now)}): an API server cannot be told`);
  if (!forgotServers && outcome.servers.length > 0) lines.push(`the list of servers stays, for the next login: ${serversText(outcome)}; --all forgets it`);
  if (contexts.length > 0) lines.push(`still in the kubeconfig: ${shownNames(contexts)}; ${isMachineGrant(identity.grant) ? nextMachine : "the next kubectl there logs in again"}`);
  if (!told.sso && !isMachineGrant(identity.grant)) lines.push(browserLine(told));
  return lines;
}

const nextMachine = "the next kubectl there gets a new token without a person, as long as the issuer accepts the client";

function doneText({ outcome, place }: Told): string {
  switch (outcome.result) {
    case "revoked":
      return `logged out, and the session is revoked; its refresh token is gone from ${place}`;
    case "deleted":
      return outcome.hadRefreshToken ? `logged out; the refresh token is gone from ${place}, and was not revoked` : "logged out; there was no refresh token to revoke";
    case "nothing":
      return "not logged in; nothing to delete";
    default:
      return outcome.result satisfies never;
  }
}

const serversText = ({ servers }: LoggedOut) => shownNames(servers.map(({ origin }) => origin));

/** Without `--sso` the next login may need no password, and may be the same person's: said before somebody else sits down there. */
function browserLine({ identity, contexts, kubeconfig }: Told): string {
  return `your browser is still logged in at ${shownUrl(identity.issuer, 120)}; to end that too, run: ${sessionCommand("logout --sso", identity, contexts, kubeconfig)}`;
}

/** How `--all` ended. `of`: the sessions that were there. */
export function countLine(count: { readonly of: number; readonly done: number; readonly revoked: number }): string {
  const { of, done, revoked } = count;
  if (of === 0) return "not logged in; nothing to delete";
  const sessions = `${of} ${of === 1 ? "session" : "sessions"}`;
  const whole = `${done === of ? sessions : `${done} of ${sessions}`} logged out`;
  if (done === 0) return whole;
  if (done === 1) return `${whole}, and ${revoked === 1 ? "" : "not "}revoked at the issuer`;
  return `${whole}, ${revoked} of them revoked at the issuer`;
}
