import { pausedUntil } from "../app/login-pause.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import { writeData, writeJson } from "./output.ts";
import { type StoredSession, surveySessions } from "./sessions.ts";
import { type Found, remedyLines, stateOf, statusTable, verdictLine } from "./status-text.ts";

/** Every stored session: issuer, account, expiry, storage, which contexts use it. Offline; nothing stored is no error. */
export async function statusCommand(call: Call): Promise<void> {
  const now = call.machine.clock.now() / 1000;
  const survey = surveySessions(call);
  if (call.invocation.output === "json") return writeJson({ sessions: survey.sessions.map((session) => jsonOf(session, now)) });
  const found: Found = {
    ...survey,
    current: currentContext(call),
    kubeconfig: call.invocation.kubeconfig,
    now,
    pausedUntil: (key, folder) => pausedUntil(call.machine.filesIn(folder), key, now),
  };
  const say = (line: string) => call.machine.terminal.say(`kubectl-oidc: ${line}`);
  say(verdictLine(found));
  const table = statusTable(found);
  if (table !== "") await writeData(table);
  for (const line of remedyLines(found)) say(line);
}

/** Undefined when there is none, or when its user does not run us. */
function currentContext({ machine, invocation }: Call): string | undefined {
  try {
    return machine.context({ kubeconfig: invocation.kubeconfig, context: undefined }).contextName;
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
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
