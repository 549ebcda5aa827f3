import type { TrustedServer } from "./session.ts";

const same = (one: TrustedServer, other: TrustedServer) =>
  one.origin === other.origin && one.tlsServerName === other.tlsServerName && one.authority === other.authority && one.proxy === other.proxy;

/**
 * May this session be used with this API server (cli.md M9)? An empty list trusts any; without cluster info there is
 * nothing to compare. Protects against a kubeconfig with the real issuer and somebody else's server.
 */
export function mayBeUsedWith(servers: readonly TrustedServer[], server: TrustedServer | undefined): boolean {
  return server === undefined || servers.length === 0 || servers.some((known) => same(known, server));
}

/** The list with this server in it, once. */
export function withServer(servers: readonly TrustedServer[], server: TrustedServer | undefined): readonly TrustedServer[] {
  return server === undefined || servers.some((known) => same(known, server)) ? servers : [...servers, server];
}

/** True when `now` trusts an authority that was not trusted at login, or checks nothing where login checked. */
export function isWeakerTrust(
  now: { readonly insecure: boolean; readonly authorities: readonly string[] },
  atLogin: { readonly insecure: boolean; readonly authorities: readonly string[] },
): boolean {
  if (atLogin.insecure) return false;
  return now.insecure || now.authorities.some((authority) => !atLogin.authorities.includes(authority));
}
