import { isLoopbackHost, isSafeText } from "./untrusted-text.ts";

/** The members of a discovery document that we send something to, or a browser. */
export const endpointNames = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
  "device_authorization_endpoint",
  "pushed_authorization_request_endpoint",
  "revocation_endpoint",
  "end_session_endpoint",
] as const;

/** Those of them that can have another address for clients with a certificate (RFC 8705, section 5): what only a browser or anybody asks for has none. */
export const aliasNames = ["token_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint", "revocation_endpoint"] as const;

/**
 * Why an endpoint of the discovery document may not be used; undefined when it may. https on any host and address: issuers may put
 * endpoints elsewhere (Google does), and the certificate says who is there. Plain http on this computer only, for an issuer that is there
 * too (RFC 8414, section 2; protocol.md NW-01, NW-05): no other request is unencrypted, a cloud's metadata address included.
 */
export function endpointFault(value: unknown, issuer: string): string | undefined {
  if (typeof value !== "string") return "it is not a text";
  if (value.length > 8192 || !isSafeText(value)) return "it holds characters that a URL does not have, or is too long";
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    return "it is not a URL";
  }
  if (url.username !== "" || url.password !== "") return "it holds a user name or password";
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") return `its scheme is ${url.protocol.slice(0, 20)}`;
  return issuer.startsWith("http://") && isLoopbackHost(url.hostname) ? undefined : "it is plain http";
}
