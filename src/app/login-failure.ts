import { safeText } from "../core/untrusted-text.ts";
import { OidcError, isOidcError } from "../errors/oidc-error.ts";
import { entryOf, type ErrorCode } from "../errors/catalogue.ts";
import type { Run } from "./world.ts";

/** What a login's end means to who typed it, where the general text can be bettered. */
const ownWords = (run: Run): Partial<Readonly<Record<ErrorCode, { readonly message?: string; readonly hint?: string }>>> => {
  const client = `client ${safeText(run.settings.clientId, 80)}`;
  return {
    LOGIN_DENIED: { hint: "if it was not you who said no, ask whoever runs the issuer; then run the command again" },
    LOGIN_TIMED_OUT: { hint: `run the command again; if the browser showed an error page, check the redirect URLs of ${client} at the issuer` },
    DEVICE_CODE_EXPIRED: { hint: "run the command again for a new code" },
    POLICY_NOT_MET: { hint: "run the command again with --prompt=login, and log in there as --acr-values and --max-age ask for" },
    CLIENT_REJECTED: { message: `the issuer rejected ${client} or its request` },
    INTERRUPTED: { message: "cancelled" },
  };
};

/**
 * The error of a login that failed and left nothing behind, with words that say so, and who is logged in all the same. What ended before there was
 * a login (settings, this computer) is given as it is.
 */
export function nothingChanged(run: Run, error: unknown): unknown {
  if (!isOidcError(error) || ![20, 30, 130].includes(error.exitStatus) || error.code === "LOGIN_REQUIRED") return error;
  const own = ownWords(run)[error.code] ?? {};
  const isGeneral = error.message === entryOf(error.code).title;
  const { record } = run.session;
  const earlier = record?.hasRefreshToken === true ? `; the session of ${safeText(record.displayName ?? record.subject ?? "before", 120)} stays as it was` : "";
  const hint = error.hint === entryOf(error.code).hint ? own.hint : undefined;
  return withWords(error, `${isGeneral ? (own.message ?? error.message) : error.message}; nothing was changed${earlier}`, hint);
}

/** The error of a login whose answer could not be judged yet and is stored (architecture.md, rule 6). */
export function answerKept(error: unknown): unknown {
  return isOidcError(error) ? withWords(error, `${error.message}; the issuer's answer is stored, and checked at the next call`) : error;
}

/** The error of a login that is good and stored, and only has no token for the audience that was asked for. */
export function sessionKept(error: unknown): unknown {
  return isOidcError(error) ? withWords(error, `${error.message}; the login itself is stored`) : error;
}

const withWords = (error: OidcError, message: string, hint: string = error.hint) =>
  new OidcError(error.code, { message, hint, ...(error.reason === undefined ? {} : { reason: error.reason }) }, error);
