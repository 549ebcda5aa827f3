import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";

/** Node's codes for a certificate that does not verify (OpenSSL's X509_V_ERR_*, without the prefix) and for a wrong name. */
const certificateFault =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|CRL_|CA_CERT_|ERROR_IN_CERT_)/;

/**
 * A fault of node:https → ISSUER_TLS_UNTRUSTED or ISSUER_UNREACHABLE; never returns. The reason names Node's code and the
 * address, nothing of the request; a proxy is named without its user info. `seconds`: the request's deadline.
 */
export function failFromNetwork(error: unknown, url: URL, proxy: URL | undefined, seconds: number): never {
  const host = safeText(url.host, 100);
  const code = codeOf(error);
  if (code === "DEADLINE") return fail("ISSUER_UNREACHABLE", { message: `${host} did not answer in time`, reason: `no answer in ${seconds} s${via(proxy)}` });
  if (code === "TOO_LARGE") return fail("ISSUER_UNREACHABLE", { message: `${host} gave an answer that is too large` });
  if (certificateFault.test(code)) {
    const expired = code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID";
    return fail("ISSUER_TLS_UNTRUSTED", {
      message: `the TLS certificate of ${host} is not trusted`,
      reason: certificateReason(code),
      hint: expired ? "check this computer's clock; if it is right, the issuer must renew its certificate" : "add the issuer's CA: --certificate-authority=FILE",
    });
  }
  return fail("ISSUER_UNREACHABLE", { message: `${host} cannot be reached${via(proxy)}`, reason: reasonOf(error, code) });
}

const via = (proxy: URL | undefined) => (proxy === undefined ? "" : ` through the proxy ${safeText(proxy.host, 100)}`);

function certificateReason(code: string): string {
  const known: Readonly<Record<string, string>> = {
    DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate",
    SELF_SIGNED_CERT_IN_CHAIN: "certificate authority not known here",
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate authority not known here",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate authority not known here",
    CERT_HAS_EXPIRED: "certificate has expired",
    CERT_NOT_YET_VALID: "certificate is not valid yet",
    ERR_TLS_CERT_ALTNAME_INVALID: "certificate is for another name",
  };
  const text = known[code];
  return text === undefined ? code : `${text} (${code})`;
}

/** An AggregateError (both address families failed) has no message of its own: its first part says why. */
function reasonOf(error: unknown, code: string): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const message = first instanceof Error ? safeText(first.message, 160) : "";
  return message === "" ? code : message.includes(code) ? message : `${message} (${code})`;
}

function codeOf(error: unknown): string {
  const own = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (own !== undefined) return safeText(own, 60);
  const part = error instanceof AggregateError ? error.errors[0] : undefined;
  return part === undefined ? "unknown" : codeOf(part);
}
