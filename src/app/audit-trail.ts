import { type AuditSession, auditToken, type AuditTokenEvent } from "../core/audit-entry.ts";
import { decodeJwt, displayName } from "../core/id-token.ts";
import type { CredentialRecord, SessionRecord } from "../core/session.ts";
import type { ErrorCode } from "../errors/catalogue.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import type { AuditLog, TokenAnswer } from "../ports.ts";
import { type AuditTrail, type Run, seconds } from "./world.ts";

/**
 * Refusals: the issuer, the person, or a check of ours said no, or nobody answered a login. A network that fails refuses nobody, and what is
 * wrong on a command line or in a kubeconfig has nothing to do with a session.
 */
const refusals: ReadonlySet<ErrorCode> = new Set([
  "LOGIN_DENIED",
  "LOGIN_TIMED_OUT",
  "DEVICE_CODE_EXPIRED",
  "SESSION_REVOKED",
  "ACCOUNT_MISMATCH",
  "POLICY_NOT_MET",
  "CLIENT_REJECTED",
  "SCOPE_REJECTED",
  "GRANT_UNSUPPORTED",
  "ID_TOKEN_MISSING",
  "ID_TOKEN_INVALID",
  "SUBJECT_TOKEN_INVALID",
  "SERVER_NOT_TRUSTED",
]);

/** What the use cases have to tell the audit log, as entries of it. Like the log itself, none of it throws. */
export function auditTrail(log: AuditLog): AuditTrail {
  async function note(run: Run, event: AuditTokenEvent, token: Noted, how: { readonly grant: string; readonly login: string | undefined }): Promise<void> {
    const record = recordNow(run);
    const { claims } = decodeJwt(token.token) ?? { claims: {} };
    await log.record({
      ...sessionOf(run, record, how.grant),
      subject: token.subject ?? record?.subject,
      name: displayName(claims) ?? record?.displayName,
      login: how.login ?? record?.loginId,
      event,
      ...auditToken(token),
    });
  }

  return {
    newLoginId: () => log.newLoginId(),
    record: recordNow,
    handedOut: (run, credential) => note(run, "hand-out", credential, { grant: run.session.identity.grant, login: undefined }),
    async promoted(run, event, answer, credential, { grant = run.session.identity.grant, login }) {
      const isOfAnswer = [answer.idToken, answer.accessToken].some((token) => token?.reveal() === credential?.token);
      const own = credential !== undefined && isOfAnswer ? credential : tokenOf(run, answer);
      if (own !== undefined) await note(run, event, own, { grant, login });
      if (credential !== undefined && !isOfAnswer) await note(run, "exchange", credential, { grant: "token-exchange", login });
    },
    async refused(run, error, grant) {
      if (!isOidcError(error) || !refusals.has(error.code)) return;
      await log.record({ ...sessionOf(run, recordNow(run), grant), event: "refusal", code: error.code });
    },
    async loggedOut(run, record, revoked) {
      await log.record({ ...sessionOf(run, record, run.session.identity.grant), event: "logout", revoked });
    },
  };
}

/** What an entry is made of. */
type Noted = Pick<CredentialRecord, "token" | "kind" | "expiresAt" | "subject">;

/** The answer's own token, where what is handed out is another one. An opaque token's end is what the answer says. */
function tokenOf({ world }: Run, { idToken, accessToken, expiresIn, claims }: TokenAnswer): Noted | undefined {
  const token = (idToken ?? accessToken)?.reveal();
  if (token === undefined) return undefined;
  const { exp } = decodeJwt(token)?.claims ?? {};
  const subject = typeof claims["sub"] === "string" ? { subject: claims["sub"] } : {};
  return { token, kind: idToken === undefined ? "access" : "id", expiresAt: typeof exp === "number" ? exp : seconds(world) + (expiresIn ?? 0), ...subject };
}

/** The session's record as it lies there; the one that was read at the start when it cannot be read. */
function recordNow({ world, session }: Run): SessionRecord | undefined {
  try {
    return world.sessions.read(session.key) ?? session.record;
  } catch {
    return session.record;
  }
}

function sessionOf({ session: { key, identity }, server }: Run, record: SessionRecord | undefined, grant: string): AuditSession {
  return {
    session: key.slice(0, 16),
    issuer: identity.issuer,
    clientId: identity.clientId,
    grant,
    login: record?.loginId,
    loginAt: record?.loggedInAt,
    account: identity.account,
    subject: record?.subject,
    name: record?.displayName,
    server: server?.origin,
  };
}
