import type { SessionRecord } from "../core/session.ts";
import { shellWord } from "../core/shell-word.ts";
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
  await writeData(tableText([["ISSUER", "ACCOUNT", "STATE", "TOKEN EXPIRES", "STORAGE", "CONTEXTS"], ...rows]));
  const over = sessions.filter(({ record }) => stateOf(record, now) === "expired");
  const working = sessions.length - over.length;
  call.machine.terminal.say(
    `kubectl-oidc: ${working} of ${sessions.length} ${sessions.length === 1 ? "session works" : "sessions work"} without a login${over.length === 0 ? "" : `; ${over.length} ${over.length === 1 ? "needs" : "need"} one`}`,
  );
  for (const session of over) call.machine.terminal.say(`kubectl-oidc: run: ${loginFor(session)}`);
}

/** What makes that session work again, in words that no shell misreads. */
function loginFor({ record, contexts }: StoredSession): string {
  const words = (flags: readonly (readonly [string, string])[]) => flags.map(([name, value]) => [name, shellWord(value, process.platform)] as const);
  const [context] = contexts;
  const { issuer, clientId, account, scopes, storage } = record.identity;
  const own: [string, string][] = [
    ["oidc-issuer-url", issuer],
    ["oidc-client-id", clientId],
    ...(scopes.length === 0 ? [] : [["oidc-extra-scope", scopes.join(",")] as [string, string]]),
    ...(account === undefined ? [] : [["account", account] as [string, string]]),
    ...(storage === "keyring" ? [] : [["token-cache-storage", storage] as [string, string]]),
  ];
  const flags = words(context === undefined ? own : [["context", context.name]]);
  return flags.some(([, word]) => word === undefined) ? "kubectl oidc login --context NAME" : `kubectl oidc login${flags.map(([name, word]) => ` --${name}=${word}`).join("")}`;
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
