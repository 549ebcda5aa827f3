import { leastLeft, rfc3339 } from "../core/exec-credential.ts";
import { isMachineGrant } from "../core/keys.ts";
import type { SessionRecord } from "../core/session.ts";
import { timeAway } from "../core/time-away.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import type { OidcError } from "../errors/oidc-error.ts";
import { tableText } from "./output.ts";
import { contextCommand, sessionCommand, shownNames, shownSession } from "./session-command.ts";
import type { SessionContext, StoredSession, Survey } from "./sessions.ts";

/** `active`: the token is good; `refreshable`: a new one is made without a person; `expired`: a person must log in. */
export type State = "active" | "refreshable" | "expired";

/** What `status` knows, without having asked anybody. */
export interface Found extends Survey {
  /** The name of the current context, when its user runs us. */
  readonly current: string | undefined;
  /** `--kubeconfig`, for the commands that are shown. */
  readonly kubeconfig: string | undefined;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Seconds since the epoch until which kubectl opens no login of this session; undefined when it would. */
  pausedUntil(key: string, folder: string): number | undefined;
}

/**
 * By the record alone: a keychain is not asked, so `refreshable` says what was true when it was last written. A token that get-token would not hand
 * out any more (cli.md M6) is not active; the record does not say how long it lived, so all are taken for those of half a minute or more. `now` in seconds.
 */
export function stateOf(record: SessionRecord, now: number): State {
  const expiresAt = Date.parse(record.tokenExpiresAt ?? "") / 1000;
  if (expiresAt - now >= leastLeft({ expiresAt, receivedAt: Number.NEGATIVE_INFINITY })) return "active";
  return record.hasRefreshToken || isMachineGrant(record.identity.grant) ? "refreshable" : "expired";
}

/** The verdict: does the next kubectl work without a person? */
export function verdictLine(found: Found): string {
  const { sessions, current, now } = found;
  const working = sessions.filter(({ record }) => stateOf(record, now) !== "expired");
  const word = working.length === 1 || sessions.length === 1 ? "works" : "work";
  const count = `${working.length} of ${sessions.length} ${sessions.length === 1 ? "session" : "sessions"} ${word}`;
  if (current === undefined) return sessions.length === 0 ? "not logged in anywhere" : `${count} without a login`;
  const works = worksWithoutPerson(found, current);
  const next =
    works === undefined
      ? `it cannot be told whether the next kubectl needs a login (context ${safeText(current, 60)})`
      : `the next kubectl ${works ? "works without" : "needs"} a login (context ${safeText(current, 60)})`;
  return sessions.length < 2 ? next : `${next}; ${count} without one`;
}

/** Undefined for a context that cannot be used at all. */
function worksWithoutPerson({ sessions, without, now }: Found, name: string): boolean | undefined {
  const isNamed = (context: SessionContext) => context.name === name;
  const stored = sessions.find(({ contexts }) => contexts.some(isNamed));
  if (stored !== undefined) return stateOf(stored.record, now) !== "expired";
  const absent = without.flat().find(isNamed);
  return absent === undefined ? undefined : isMachineGrant(absent.identity.grant);
}

/** The facts: one line a session. Empty when there is none. */
export function statusTable({ sessions, now }: Found): string {
  if (sessions.length === 0) return "";
  const rows = sessions.map(({ record, contexts }) =>
    [
      shownUrl(record.identity.issuer, 120),
      accountOf(record) ?? "-",
      stateOf(record, now),
      expiryOf(record, now),
      record.hasRefreshToken ? `${record.identity.storage}${record.bound === true ? ", bound to a key" : ""}` : "none",
      contexts.map(({ name }) => name).join(",") || "-",
    ].map((cell) => safeText(cell, 120)),
  );
  return tableText([["ISSUER", "ACCOUNT", "STATE", "TOKEN EXPIRES", "STORAGE", "CONTEXTS"], ...rows]);
}

const accountOf = (record: SessionRecord) => record.identity.account ?? record.displayName ?? record.subject;

function expiryOf({ tokenExpiresAt }: SessionRecord, now: number): string {
  const at = Date.parse(tokenExpiresAt ?? "") / 1000;
  return Number.isFinite(at) ? `${tokenExpiresAt} (${timeAway(at - now)})` : "-";
}

/** What is wrong, one line each, with the command that mends it. */
export function remedyLines(found: Found): readonly string[] {
  const { sessions, without, unusable, unreadable, kubeconfig } = found;
  const hasContexts = sessions.some(({ contexts }) => contexts.length > 0) || without.length > 0 || unusable.length > 0;
  return [
    ...(unreadable === undefined ? [] : [`${unreadable.message}: ${unreadable.reason ?? ""} [${unreadable.code}]; ${unreadable.hint}`]),
    ...sessions.filter(({ contexts }) => contexts.length > 0 || !hasContexts).flatMap((session) => remedyOf(found, session)),
    ...without.map((contexts) => absentLine(found, contexts)),
    ...unusable.map(({ name, error }) => unusableLine(name, error, kubeconfig)),
    // Without a kubeconfig of ours there is nothing to compare with: such sessions serve scripts.
    ...(hasContexts ? sessions.filter(({ contexts }) => contexts.length === 0).map((session) => unusedLine(session, kubeconfig)) : []),
    ...(sessions.length === 0 && !hasContexts && unreadable === undefined
      ? ["no context of the kubeconfig runs kubectl-oidc; for a login without one, run: kubectl oidc help login"]
      : []),
  ];
}

function remedyOf(found: Found, { record, folder, contexts }: StoredSession): readonly string[] {
  const { now, kubeconfig } = found;
  const who = shownSession(record.identity.issuer, accountOf(record));
  switch (stateOf(record, now)) {
    case "refreshable":
      return [];
    case "active":
      // Without a word, kubectl would stop in the middle of somebody's work.
      if (record.hasRefreshToken || isMachineGrant(record.identity.grant)) return [];
      return [`${who}: there is no refresh token${record.offlineRefused ? " (the issuer refused offline_access)" : ""}: a login is needed again at ${expiryOf(record, now)}`];
    case "expired": {
      const command = sessionCommand("login", record.identity, namesOf(contexts), kubeconfig);
      const left = Date.parse(record.tokenExpiresAt ?? "") / 1000 - now;
      const expired = Number.isNaN(left) ? "there is no token" : left > 0 ? "the token is about to expire" : `the token expired ${timeAway(left)}`;
      return [`${who}: ${expired}, and there is no refresh token${pauseText(found, record.key, folder)}; run: ${command}`];
    }
  }
}

const namesOf = (contexts: readonly SessionContext[]) => contexts.map(({ name }) => name);
const label = (names: readonly string[]) => `${names.length === 1 ? "context" : "contexts"} ${shownNames(names)}`;

function absentLine(found: Found, contexts: Survey["without"][number]): string {
  const [{ identity, key, folder }] = contexts;
  const names = namesOf(contexts);
  if (isMachineGrant(identity.grant)) return `${label(names)}: no token yet; the first kubectl gets one without a person (${identity.grant})`;
  if (identity.storage === "none") return `${label(names)}: the session is stored nowhere (--token-cache-storage=none), so every kubectl logs in`;
  return `${label(names)}: not logged in${pauseText(found, key, folder)}; run: ${sessionCommand("login", identity, names, found.kubeconfig)}`;
}

/** Typing `login` ends a pause at once, so the cure is the same. */
function pauseText({ pausedUntil, now }: Found, key: string, folder: string): string {
  const until = pausedUntil(key, folder);
  return until === undefined ? "" : `; after a login without success kubectl opens none until ${rfc3339(Math.ceil(until))} (${timeAway(until - now)}) [LOGIN_PAUSED]`;
}

function unusableLine(name: string, error: OidcError, kubeconfig: string | undefined): string {
  const command = contextCommand("doctor", [name], kubeconfig) ?? "kubectl oidc doctor --context NAME";
  const named = `${label([name])}: `;
  return `${error.message.startsWith(named) ? "" : named}${error.message} [${error.code}]; run: ${command}`;
}

function unusedLine({ record }: StoredSession, kubeconfig: string | undefined): string {
  return `${shownSession(record.identity.issuer, accountOf(record))}: no context of the kubeconfig uses it; to end it, run: ${sessionCommand("logout", record.identity, [], kubeconfig)}`;
}
