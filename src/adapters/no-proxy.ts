import { BlockList, isIP } from "node:net";
import { isLoopbackHost } from "../core/untrusted-text.ts";

/**
 * Does NO_PROXY name this host? `*`, `.suffix` (subdomains only), `domain` with its subdomains, `host:port`, addresses and CIDR
 * of both families. Loopback always. The rules are those of Go's golang.org/x/net/http/httpproxy, which kubectl follows.
 */
export function bypassesProxy(noProxy: string, url: URL): boolean {
  const host = url.hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (isLoopbackHost(host) || (isIP(host) === 6 && rangeHolds("127.0.0.0/8", host))) return true;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== "")
    .some((entry) => entryNames(entry.toLowerCase(), host, port));
}

function entryNames(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const isAddress = isIP(host) !== 0;
  if (entry.includes("/")) return isAddress && rangeHolds(entry, host);
  const { name, wantedPort } = splitPort(entry);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (isIP(name) !== 0 || isAddress) return isAddress && sameAddress(name, host);
  const suffix = name.replace(/^\*(?=\.)/, "");
  return suffix.startsWith(".") ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function splitPort(entry: string): { readonly name: string; readonly wantedPort: string | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return { name: bracketed[1] ?? "", wantedPort: bracketed[2] };
  const match = isIP(entry) === 6 ? null : /^([^:]+):(\d+)$/.exec(entry);
  return match === null ? { name: entry, wantedPort: undefined } : { name: match[1] ?? "", wantedPort: match[2] };
}

const familyName = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** BlockList takes an IPv4-mapped IPv6 host (::ffff:10.1.2.3) for its IPv4 address, as Go's net.IP does. */
function sameAddress(name: string, host: string): boolean {
  if (isIP(name) === 0) return false;
  const list = new BlockList();
  list.addAddress(name, familyName(name));
  return list.check(host, familyName(host));
}

function rangeHolds(entry: string, host: string): boolean {
  const [network = "", bits = "", ...more] = entry.split("/");
  if (isIP(network) === 0 || more.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (isIP(network) === 6 ? 128 : 32)) return false;
  // Node finds every IPv4 host in ::/0; Go does not.
  if (isIP(network) === 6 && isIP(host) === 4) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), familyName(network));
  return list.check(host, familyName(host));
}
