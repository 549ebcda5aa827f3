import type { TrustedServer } from "./session.ts";

/** Equal in everything that a token's way depends on: address, TLS name, certificate authority, proxy. */
export function isSameServer(one: TrustedServer, other: TrustedServer): boolean {
  return one.origin === other.origin && one.tlsServerName === other.tlsServerName && one.authority === other.authority && one.proxy === other.proxy;
}

/** `system`, `insecure` (not checked), or the digest of the CA data as kubectl names it. */
export function describeAuthority({ authority }: TrustedServer): string {
  return /^[0-9a-f]{64}$/.test(authority) ? `sha256:${authority}` : authority;
}

/**
 * May this session be used with this API server (cli.md M9)? An empty list trusts any; without cluster info there is
 * nothing to compare. Protects against a kubeconfig with the real issuer and somebody else's server.
 */
export function mayBeUsedWith(servers: readonly TrustedServer[], server: TrustedServer | undefined): boolean {
  return server === undefined || servers.length === 0 || servers.some((known) => isSameServer(known, server));
}

/** What of a server that is on the list by its address differs: somebody between, or a change of the cluster. Undefined when its address is not there. */
export function differenceFrom(servers: readonly TrustedServer[], server: TrustedServer): string | undefined {
  const known = servers.filter(({ origin }) => origin === server.origin);
  if (known.length === 0) return undefined;
  const parts = [
    ["another certificate authority", known.some(({ authority }) => authority === server.authority)],
    ["another proxy", known.some(({ proxy }) => proxy === server.proxy)],
    ["another TLS name", known.some(({ tlsServerName }) => tlsServerName === server.tlsServerName)],
  ] as const;
  const differing = parts.filter(([, isKnown]) => !isKnown).map(([what]) => what);
  return differing.length === 0 ? "another combination of certificate authority, proxy and TLS name" : differing.join(" and ");
}

/** The list without the servers of this address, whatever their certificate authority or proxy. */
export function withoutOrigin(servers: readonly TrustedServer[], origin: string): readonly TrustedServer[] {
  return servers.filter((known) => known.origin !== origin);
}

/** The list with this server in it, once. */
export function withServer(servers: readonly TrustedServer[], server: TrustedServer | undefined): readonly TrustedServer[] {
  return server === undefined || servers.some((known) => isSameServer(known, server)) ? servers : [...servers, server];
}

/** True when `now` trusts an authority that was not trusted at login, or checks nothing where login checked. */
export function isWeakerTrust(
  now: { readonly insecure: boolean; readonly authorities: readonly string[] },
  atLogin: { readonly insecure: boolean; readonly authorities: readonly string[] },
): boolean {
  if (atLogin.insecure) return false;
  return now.insecure || now.authorities.some((authority) => !atLogin.authorities.includes(authority));
}
