import { type ErrorCode, entryOf } from "./catalogue.ts";

/** What an error may add to its catalogue entry. Text from outside must have gone through `untrusted-text.ts` before. */
export interface ErrorDetails {
  /** One lower-case sentence without a full stop that replaces the title: what happened, with names. Never a secret. */
  readonly message?: string;
  /** The underlying reason, already made safe: `connect ECONNREFUSED 127.0.0.1:443`. */
  readonly reason?: string;
  /** The command or step that cures this case, when the catalogue's general one can be bettered. */
  readonly hint?: string;
}

const brand = Symbol.for("kubectl-oidc.error");

/** The one error class. Built through `fail` only. Bundles may hold it twice, so it is recognised by its brand. */
export class OidcError extends Error {
  readonly code: ErrorCode;
  readonly reason: string | undefined;
  readonly hint: string;
  readonly exitStatus: number;
  readonly [brand] = true;

  constructor(code: ErrorCode, details: ErrorDetails, cause?: unknown) {
    const entry = entryOf(code);
    super(details.message ?? entry.title, cause === undefined ? {} : { cause });
    this.name = "OidcError";
    this.code = code;
    this.reason = details.reason;
    this.hint = details.hint ?? entry.hint;
    this.exitStatus = entry.exit;
  }
}

/** UNEXPECTED of an installation in which a file is not there that is loaded when it is needed. */
export const missingPart = (cause: unknown): OidcError => new OidcError("UNEXPECTED", { message: "a part of the program is missing", hint: "install kubectl-oidc again" }, cause);

/** Throws the error with this code. Returns `never`, so that it can stand where a value is expected. */
export function fail(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown): never {
  throw new OidcError(code, details, cause);
}

/** True for an error of ours, whichever bundle built it. */
export function isOidcError(value: unknown): value is OidcError {
  return typeof value === "object" && value !== null && brand in value;
}

/** The first of our errors in a chain of causes (libraries wrap what a custom fetch throws); undefined when there is none. */
export function oidcErrorWithin(value: unknown): OidcError | undefined {
  let current = value;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if (isOidcError(current)) return current;
    current = current.cause;
  }
  return undefined;
}
