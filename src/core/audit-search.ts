import type { AuditEntry } from "./audit-entry.ts";
import { auditCredentialId } from "./audit-entry.ts";

/** What the log says of one token. */
export interface TokenTrace {
  /** Entries of the token itself: how it came, and to whom it was handed. The newest first. */
  readonly token: readonly AuditEntry[];
  /** The login that it leads back to; undefined when that is not in the log. */
  readonly login: AuditEntry | undefined;
}

/** The name of an entry's token: its `jti`, else `sha256:` and the digest; undefined for an entry of none. */
export function credentialIdOf(entry: AuditEntry): string | undefined {
  if (!("tokenKind" in entry)) return undefined;
  return entry.jti ?? (entry.tokenSha256 === undefined ? undefined : `sha256:${entry.tokenSha256}`);
}

/**
 * Follows a token back to its login. `id`: a `jti`, with or without the `JTI=` that the API server's audit log puts before it, or the
 * `sha256:…` of a token without one. `entries`: the newest first. A login's own token is its entry; a later one has the login's id.
 */
export function traceToken(entries: readonly AuditEntry[], id: string): TokenTrace {
  const wanted = auditCredentialId(id);
  const token = entries.filter((entry) => credentialIdOf(entry) === wanted);
  const login = token.find(({ login }) => login !== undefined)?.login;
  return {
    token,
    login: token.find(({ event }) => event === "login") ?? (login === undefined ? undefined : entries.find((entry) => entry.event === "login" && entry.login === login)),
  };
}
