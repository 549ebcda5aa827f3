import { isMachineGrant } from "../core/keys.ts";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { isErrorCode } from "../errors/catalogue.ts";
import { OidcError } from "../errors/oidc-error.ts";
import type { Run } from "./world.ts";

/**
 * How the last refresh of a session failed, so that those who waited for it end as it did instead of asking a broken issuer one
 * after the other: 200 calls would wait 200 deadlines. The text as a whole tells two failures apart; nobody compares clocks.
 */
export type OutcomeNote = string | undefined;

const fileOf = (run: Run) => `refreshes/${run.session.key}.json`;

/** The note as it lies there now. Best effort, like all of this. */
export function readOutcome(run: Run): OutcomeNote {
  try {
    return run.world.files.read(fileOf(run));
  } catch {
    return undefined;
  }
}

/** What is the same for every waiter: the issuer cannot be reached, it refused the session, or a machine's platform gives no token. */
const shared: readonly string[] = ["ISSUER_UNREACHABLE", "SESSION_REVOKED", "SUBJECT_TOKEN_INVALID"];

/** And of a machine, or of a password: what is refused once would be refused each time, and an account be locked for it. */
const sharedOfMachines: readonly string[] = [...shared, "LOGIN_DENIED", "CLIENT_REJECTED"];

/** STORE faults are passed over: each waiter finds out by itself then. */
export function noteOutcome(run: Run, error: OidcError): void {
  if (!(isMachineGrant(run.settings.grant) ? sharedOfMachines : shared).includes(error.code)) return;
  try {
    const { code, message, reason, hint } = error;
    // Time and number make each note another text, whatever the clock does. We hold the lock.
    const nth = numberOf(readOutcome(run)) + 1;
    run.world.files.write(fileOf(run), JSON.stringify({ nth, at: run.world.clock.now(), code, message, reason, hint }));
  } catch {
    // Each waiter finds out by itself then.
  }
}

/** After a refresh that went well, and at a logout. */
export function forgetOutcome(run: Run): void {
  try {
    run.world.files.remove(fileOf(run));
  } catch {
    // An old note harms nobody: only one that changes during a wait counts.
  }
}

/** The failure that was noted since `before` was read; undefined when there is none. */
export function outcomeSince(run: Run, before: OutcomeNote): OidcError | undefined {
  const now = readOutcome(run);
  return now === undefined || now === before ? undefined : parse(now);
}

function numberOf(note: OutcomeNote): number {
  try {
    const value: unknown = JSON.parse(note ?? "null");
    return isObject(value) && typeof value["nth"] === "number" ? value["nth"] : 0;
  } catch {
    return 0;
  }
}

function parse(text: string): OidcError | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || !isErrorCode(value["code"])) return undefined;
    const detail = (name: "message" | "reason" | "hint") => (typeof value[name] === "string" ? { [name]: safeText(value[name], 300) } : {});
    return new OidcError(value["code"], { ...detail("message"), ...detail("reason"), ...detail("hint") });
  } catch {
    return undefined;
  }
}
