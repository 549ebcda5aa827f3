import { isOidcError } from "../errors/oidc-error.ts";

/** RFC 8707, section 2: the issuer does not know an audience, or does not give it to this client. */
export const isTargetRefused = (error: unknown) => isOidcError(error) && error.code === "SCOPE_REJECTED" && /^invalid_target\b/.test(error.reason ?? "");
