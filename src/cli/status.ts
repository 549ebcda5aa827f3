import type { SessionRecord } from "../core/session.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import type { Call } from "./call.ts";
import { tableText, writeData, writeJson } from "./output.ts";
import { type StoredSession, sessionContexts } from "./sessions.ts";

/** `active`: the token is good; `refreshable`: a refresh will make a new one; `expired`: a person must log in. */
type State = "active" | "refreshable" | "expired";

/** Every stored session: issuer, account, expiry, storage, which contexts use it. Offline; nothing stored is no error. */
export async function statusCommand(call: Call): Promise<void> {
  const sessions = sessionContexts(call);
  const now = call.machine.clock.now();
  if (call.invocation.output === "json") return writeJson({ sessions: sessions.map((session) => jsonOf(session, now)) });
  if (sessions.length === 0) {
    call.machine.terminal.say("kubectl-oidc: not logged in anywhere");
    return;
  }
  const rows = sessions.map(({ record, contexts }) =>
    [
      shownUrl(record.identity.issuer, 120),
      record.identity.account ?? record.displayName ?? record.subject ?? "-",
      stateOf(record, now),
      record.tokenExpiresAt ?? "-",
      record.hasRefreshToken ? record.identity.storage : "none",
      contexts.map(({ name }) => name).join(",") || "-",
    ].map((cell) => safeText(cell, 120)),
  );
  return writeData(tableText([["ISSUER", "ACCOUNT", "STATE", "TOKEN EXPIRES", "STORAGE", "CONTEXTS"], ...rows]));
}

function stateOf(record: SessionRecord, now: number): State {
  if (record.tokenExpiresAt !== undefined && Date.parse(record.tokenExpiresAt) > now) return "active";
  return record.hasRefreshToken ? "refreshable" : "expired";
}

function jsonOf({ record, contexts }: StoredSession, now: number) {
  const { issuer, clientId, scopes, account, storage } = record.identity;
  return {
    issuer,
    clientId,
    account: account ?? record.displayName ?? null,
    subject: record.subject ?? null,
    scopes,
    storage,
    tokenExpiresAt: record.tokenExpiresAt ?? null,
    hasRefreshToken: record.hasRefreshToken,
    state: stateOf(record, now),
    contexts: contexts.map(({ name }) => name),
  };
}
