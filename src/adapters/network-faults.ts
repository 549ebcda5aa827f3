import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";

/**
 * Node's codes for a certificate that does not verify (OpenSSL's X509_V_ERR_*, without the prefix) and for a wrong name. UNSPECIFIED: one that
 * Node has no code for, such as a name constraint of the authority; its message says which.
 */
const certificateFault =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|CRL_|CA_CERT_|ERROR_IN_CERT_|UNSPECIFIED$)/;

/** Did a certificate not verify: the issuer's, or the one that it was refused for? Nothing was sent then. */
export const isCertificateFault = (error: unknown): boolean => certificateFault.test(codeOf(error));

/** Did a connection that was kept turn out to be closed? */
export const isStale = (error: unknown): boolean => codeOf(error) === "STALE";

/** A fault of this module's own making: STALE, DEADLINE, NOT_CONNECTED, NO_TIME, TOO_LARGE, UPGRADE, INTERRUPTED, ECONNRESET. */
export const requestFault = (code: string, message = code) => Object.assign(new Error(message), { code });

/** What went wrong between us and the proxy, as long as there is no tunnel to the issuer. */
export const proxyFault = (cause: unknown) => Object.assign(new Error("proxy", { cause }), { code: "AT_PROXY" });

/**
 * A fault of node:https → ISSUER_TLS_UNTRUSTED, ISSUER_UNREACHABLE or INTERRUPTED; never returns. The reason names Node's code and the
 * address, nothing of the request; a proxy is named without its user info. `seconds`: the request's deadline.
 */
export function failFromNetwork(error: unknown, url: URL, proxy: URL | undefined, seconds: number): never {
  const host = safeText(url.host, 100);
  const code = codeOf(error);
  if (code === "INTERRUPTED") return fail("INTERRUPTED");
  if (code === "AT_PROXY" && proxy !== undefined && error instanceof Error) return failFromProxy(error.cause, host, proxy);
  if (code === "DEADLINE" || code === "NOT_CONNECTED") {
    // The issuer may have acted on what was sent; without a connection nothing was.
    const what = code === "DEADLINE" ? "no answer" : "no connection";
    return fail("ISSUER_UNREACHABLE", { message: `${host} did not answer in time`, reason: `${what} in ${seconds} s${via(proxy)}` });
  }
  if (code === "NO_TIME") return fail("ISSUER_UNREACHABLE", { message: `${host} is too slow`, reason: "no time is left for one more request" });
  if (code === "UPGRADE") return fail("ISSUER_UNREACHABLE", { message: `${host} gave an unexpected answer`, reason: "HTTP 101" });
  if (code === "TOO_LARGE") return fail("ISSUER_UNREACHABLE", { message: `${host} gave an answer that is too large` });
  if (certificateFault.test(code)) {
    return fail("ISSUER_TLS_UNTRUSTED", { message: `the TLS certificate of ${host} is not trusted`, reason: certificateReason(code, error), hint: certificateHint(code) });
  }
  const refused = refusalOf(error);
  if (refused !== undefined)
    return fail("CLIENT_REJECTED", {
      message: `${host} refused the client's certificate`,
      reason: refused,
      hint: "check --client-certificate: its authority, and what this client is registered with at the issuer",
    });
  return fail("ISSUER_UNREACHABLE", { message: `${host} cannot be reached${via(proxy)}`, reason: reasonOf(error, code) });
}

/** The alerts about a client's certificate (RFC 8446, section 6.2): a server has no other reason to send them to who verified its own. */
const certificateAlerts: Readonly<Record<string, string>> = {
  "42": "it is damaged, or its signature does not fit",
  "43": "it is of a kind that is not taken there",
  "44": "it was revoked",
  "45": "it has expired",
  "46": "it is not known there",
  "48": "its authority is not known there",
  "49": "it has no access there",
};

function refusalOf(error: unknown): string | undefined {
  const alert = error instanceof Error ? /SSL alert number (\d{1,3})\b/.exec(error.message)?.[1] : undefined;
  return alert !== undefined && Object.hasOwn(certificateAlerts, alert) ? certificateAlerts[alert] : undefined;
}

function failFromProxy(cause: unknown, host: string, proxy: URL): never {
  const code = codeOf(cause);
  const name = safeText(proxy.host, 100);
  if (certificateFault.test(code)) {
    return fail("ISSUER_TLS_UNTRUSTED", {
      message: `the TLS certificate of the proxy ${name} is not trusted`,
      reason: certificateReason(code, cause),
      hint: "add the proxy's CA: --certificate-authority=FILE",
    });
  }
  const message = `${host} cannot be reached through the proxy ${name}`;
  const status = /^PROXY_STATUS_(\d{1,3})$/.exec(code)?.[1];
  if (status === undefined) return fail("ISSUER_UNREACHABLE", { message, reason: reasonOf(cause, code) });
  return fail("ISSUER_UNREACHABLE", {
    message,
    reason: `the proxy answered ${status}`,
    hint: status === "407" ? "the proxy wants a user name and password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT" : "check the proxy (HTTPS_PROXY, NO_PROXY), then try again",
  });
}

const via = (proxy: URL | undefined) => (proxy === undefined ? "" : ` through the proxy ${safeText(proxy.host, 100)}`);

/** Another authority does not help when the certificate itself is wrong. */
function certificateHint(code: string): string {
  switch (code) {
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return "check this computer's clock; if it is right, the issuer must renew its certificate";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "check the host of --oidc-issuer-url; if it is right, its certificate must name it";
    case "UNSPECIFIED":
      return "the issuer must get a certificate that its authority may give it";
    default:
      return "add the issuer's CA: --certificate-authority=FILE";
  }
}

function certificateReason(code: string, error: unknown): string {
  // OpenSSL's own words; nothing of the certificate is in them, or in any other reason.
  if (code === "UNSPECIFIED" && error instanceof Error) return safeText(error.message, 100);
  const known: Readonly<Record<string, string>> = {
    DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate",
    SELF_SIGNED_CERT_IN_CHAIN: "certificate authority not known here",
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate authority not known here",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate authority not known here",
    CERT_SIGNATURE_FAILURE: "its signature does not fit its authority",
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
  const message = first instanceof Error ? (tlsReason(first.message) ?? safeText(first.message, 160)) : "";
  return message === "" ? code : message.includes(code) ? message : `${message} (${code})`;
}

/** OpenSSL's reason out of `…:error:0A00010B:SSL routines:function:wrong version number:file.c:350:`, with what it means here. */
function tlsReason(message: string): string | undefined {
  const reason = /:error:[0-9A-F]{8}:[^:]*:[^:]*:([^:]*):/.exec(message)?.[1];
  if (reason === undefined) return undefined;
  const meaning = tlsMeanings.find(([pattern]) => pattern.test(reason))?.[1];
  return meaning === undefined ? safeText(reason, 80) : `${meaning} (${safeText(reason, 80)})`;
}

const tlsMeanings: readonly (readonly [RegExp, string])[] = [
  [/wrong version number|packet length|http request/, "it speaks no TLS on this port"],
  [/protocol version|unsupported protocol/, "it offers no TLS 1.2 or newer"],
  [/certificate required/, "it demands a client certificate (--client-certificate)"],
  [/handshake failure/, "no cipher in common, or it demands a client certificate (--client-certificate)"],
];

function codeOf(error: unknown): string {
  const own = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (own !== undefined) return safeText(own, 60);
  const part = error instanceof AggregateError ? error.errors[0] : undefined;
  return part === undefined ? "unknown" : codeOf(part);
}
