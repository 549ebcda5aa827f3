import { isLoopbackHost } from "../core/untrusted-text.ts";

/** One place to bind: every host must be had, on the same port. */
export interface BindTarget {
  /** `127.0.0.1`, `::1`, or what was given. */
  readonly hosts: readonly string[];
  /** A host of these may be missing on this computer (no IPv6); taken is not missing. */
  readonly port: number;
}

/**
 * The places to try, in order. A browser may resolve `localhost` to either family, so both are bound; another program on
 * ::1 would otherwise get the code (RFC 8252, section 8.3). `redirectHost`: of the redirect URL; undefined means localhost.
 */
export function bindTargets(addresses: readonly string[], redirectHost: string | undefined): readonly BindTarget[] {
  const isLocalhost = redirectHost === undefined || redirectHost === "localhost";
  return addresses.map((address) => {
    const at = address.lastIndexOf(":");
    const host = address.slice(0, at).replace(/^\[|\]$/g, "");
    const port = Number(address.slice(at + 1));
    const both = host === "localhost" || (isLocalhost && isLoopbackHost(host));
    return { hosts: both ? ["127.0.0.1", "::1"] : [host], port };
  });
}

/** The redirect URI with the port that was had: as registered, without an added slash; port 0 is replaced. */
export function redirectUriFor(configured: string | undefined, isSecure: boolean, port: number): string {
  if (configured === undefined) return `${isSecure ? "https" : "http"}://localhost:${port}`;
  return configured.replace(/^(https?:\/\/(?:\[[^\]]*\]|[^/:?#]*)):0(?=[/?#]|$)/, `$1:${port}`);
}
