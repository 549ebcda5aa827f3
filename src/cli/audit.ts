import type { AuditEntry } from "../core/audit-entry.ts";
import { auditCredentialId } from "../core/audit-entry.ts";
import { traceToken } from "../core/audit-search.ts";
import { parseDuration, parseInteger } from "../core/option-values.ts";
import { fail } from "../errors/oidc-error.ts";
import { auditTable, howToTurnOn, nothingLine, traceLine, unreadLine } from "./audit-text.ts";
import type { Call } from "./call.ts";
import { writeData, writeJson } from "./output.ts";
import { auditFolderOf } from "./sources.ts";

/** Entries that are shown when nobody says how many. */
const usualLimit = 50;

/**
 * Shows the local audit log, the newest first; with `--jti`, the entries of one token and the login that it leads back to. Makes no request.
 * FLAG_INVALID, FLAG_CONFLICT, AUDIT_ENTRY_NOT_FOUND, the codes of configuration files and of private files.
 */
export async function auditCommand(call: Call): Promise<void> {
  const asked = questionOf(call);
  const { machine } = call;
  const folder = auditFolderOf(machine);
  const { entries, unread } = contentOf(machine, folder);
  const say = (line: string) => machine.terminal.say(`kubectl-oidc: ${line}`);
  const json = call.invocation.output === "json";
  const now = machine.clock.now() / 1000;
  if (unread > 0) machine.terminal.warn(unreadLine(unread));
  if (asked.kind === "token") {
    const trace = traceToken(entries, asked.id);
    if (trace.token.length === 0)
      return fail("AUDIT_ENTRY_NOT_FOUND", {
        message: `the audit log of this computer has no entry of the token ${auditCredentialId(asked.id)}`,
        ...(folder === undefined ? { hint: `the log is off; ${howToTurnOn}` } : {}),
      });
    const found = trace.login === undefined || trace.token.includes(trace.login) ? trace.token : [...trace.token, trace.login];
    if (json) return writeJson({ entries: found });
    say(traceLine(trace, now));
    return writeData(auditTable(found));
  }
  const recent = entries.filter(({ time }) => Date.parse(time) / 1000 >= now - asked.since);
  const shown = recent.slice(0, asked.limit);
  if (json) return writeJson({ entries: shown });
  if (shown.length === 0) return say(nothingLine(folder !== undefined, entries.length === 0));
  if (shown.length < recent.length) say(`the newest ${shown.length} of ${recent.length} entries; --limit=0 shows all`);
  return writeData(auditTable(shown));
}

/** The newest first. While the log is off, what an earlier one left. */
function contentOf(machine: Call["machine"], folder: string | undefined): { readonly entries: readonly AuditEntry[]; readonly unread: number } {
  const contents = (folder === undefined ? machine.usualAuditFolders : [folder]).map(machine.auditContent);
  const entries = contents.flatMap((content) => content.entries);
  // Lines of one second stay in the order in which they were written.
  const newestFirst = entries.map((entry, nth) => ({ entry, nth, at: Date.parse(entry.time) })).sort((a, b) => b.at - a.at || b.nth - a.nth);
  return { entries: newestFirst.map(({ entry }) => entry), unread: contents.reduce((sum, content) => sum + content.unread, 0) };
}

type Question = { readonly kind: "token"; readonly id: string } | { readonly kind: "entries"; readonly since: number; readonly limit: number };

function questionOf({ invocation: { flags } }: Call): Question {
  const text = (name: string) => (typeof flags[name] === "string" ? flags[name] : undefined);
  const [id, since, limit] = [text("jti"), text("since"), text("limit")];
  if (id !== undefined) {
    if (since !== undefined || limit !== undefined)
      return fail("FLAG_CONFLICT", { message: "--jti shows all of one token; --since and --limit have no meaning there", hint: "leave --since and --limit out" });
    return auditCredentialId(id) === "" ? fail("FLAG_INVALID", { message: "--jti needs the jti of a token" }) : { kind: "token", id };
  }
  const [seconds, most] = [parseDuration(since ?? "0"), parseInteger(limit ?? String(usualLimit))];
  if (!seconds.ok) return fail("FLAG_INVALID", { message: `--since ${seconds.problem}` });
  if (!most.ok) return fail("FLAG_INVALID", { message: `--limit ${most.problem}` });
  return { kind: "entries", since: since === undefined ? Number.POSITIVE_INFINITY : seconds.value, limit: most.value === 0 ? Number.POSITIVE_INFINITY : most.value };
}
