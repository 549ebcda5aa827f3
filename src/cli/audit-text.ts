import type { AuditEntry } from "../core/audit-entry.ts";
import { credentialIdOf, type TokenTrace } from "../core/audit-search.ts";
import { rfc3339 } from "../core/exec-credential.ts";
import { timeAway } from "../core/time-away.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { tableText } from "./output.ts";

/** One line an entry; empty when there is none. */
export function auditTable(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return "";
  const rows = entries.map((entry) =>
    [entry.time, eventOf(entry), whoOf(entry), entry.server ?? "-", credentialIdOf(entry) ?? "-", parentOf(entry)].map((cell) => safeText(cell, 120)),
  );
  return tableText([["TIME", "EVENT", "WHO", "CLUSTER", "CREDENTIAL ID", "PARENT"], ...rows]);
}

function eventOf(entry: AuditEntry): string {
  switch (entry.event) {
    case "refusal":
      return `refusal ${entry.code}`;
    case "logout":
      return entry.revoked ? "logout" : "logout, not revoked";
    default:
      return entry.event;
  }
}

const whoOf = ({ account, name, subject, clientId }: AuditEntry) => name ?? account ?? subject ?? `client ${clientId}`;
const parentOf = ({ parent }: AuditEntry) => (parent.name === undefined ? `process ${parent.pid}` : `${parent.name} (${parent.pid})`);

/** Where a token came from, in a sentence. `now`: seconds since the epoch. */
export function traceLine({ token, login }: TokenTrace, now: number): string {
  if (login !== undefined) {
    const { time, host, user, issuer, grant } = login;
    const where = `on ${safeText(host, 60)} as ${safeText(user, 60)}`;
    return `the token came from the login of ${safeText(whoOf(login), 120)} at ${shownUrl(issuer, 120)} (${safeText(grant, 40)}), ${away(time, now)}, ${where}, by ${safeText(parentOf(login), 60)}`;
  }
  const made = token.find(({ loginAt }) => loginAt !== undefined)?.loginAt;
  return `the login that the token came from is not in this log${made === undefined ? "" : `; it was made ${away(safeText(made, 40), now)}`}`;
}

/** `2026-11-23T13:22:00Z (3 h ago)` */
function away(time: string, now: number): string {
  const at = Date.parse(time) / 1000;
  return Number.isFinite(at) ? `${rfc3339(at)} (${timeAway(at - now)})` : time;
}

/** What is to be said of a log without entries that fit; `isOn`: it is written just now. */
export function nothingLine(isOn: boolean, isEmpty: boolean): string {
  if (!isEmpty) return "the audit log has no entry that fits";
  return isOn ? "the audit log is empty" : `there is no audit log; ${howToTurnOn}`;
}

export const howToTurnOn = "to begin one, put audit: true into the configuration file (kubectl oidc help config says where it lies)";

/** Lines that could not be read: somebody edited the log, a disk was full, or a newer program wrote them. */
export const unreadLine = (count: number) =>
  `${count} ${count === 1 ? "line" : "lines"} of the audit log ${count === 1 ? "is" : "are"} damaged, or of a newer kubectl-oidc, and not shown`;
