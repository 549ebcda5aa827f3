import { BlockList, isIP } from "node:net";
import { isLoopbackHost, safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a request, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY in either case, with Go's rules (golang.org/x/net/http/httpproxy),
 * so that kubectl and we go the same way. SETTINGS_INVALID for a value that is no http(s) proxy, never quoting its user info.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const secure = url.protocol === "https:";
  // httpoxy: a web server's CGI puts the request's Proxy header there.
  if (!secure && env["REQUEST_METHOD"]) return undefined;
  const name = secure ? "HTTPS_PROXY" : "HTTP_PROXY";
  const value = env[name] || env[name.toLowerCase()];
  if (!value || bypassesProxy(env["NO_PROXY"] || env["no_proxy"] || "", url)) return undefined;
  let proxy: URL | undefined;
  try {
    proxy = new URL(value.includes("://") ? value : `http://${value}`);
  } catch {
    // Said below.
  }
  if (proxy?.protocol === "http:" || proxy?.protocol === "https:") return proxy;
  return fail("SETTINGS_INVALID", {
    message: `${name} is not an http or https proxy${proxy === undefined ? "" : ` (${safeText(proxy.protocol, 20)})`}`,
    hint: `correct or unset ${name}`,
  });
}

/** Does NO_PROXY name this host? `*`, `.suffix`, `domain` with its subdomains, `host:port`, addresses, CIDR. Loopback always. */
export function bypassesProxy(noProxy: string, url: URL): boolean {
  const host = url.hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (isLoopbackHost(host)) return true;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== "")
    .some((entry) => entryNames(entry.toLowerCase(), host, port));
}

function entryNames(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const family = isIP(host);
  if (entry.includes("/")) return family !== 0 && rangeHolds(entry, host, family);
  const { name, wantedPort } = splitPort(entry);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (isIP(name) !== 0 || family !== 0) return family !== 0 && sameAddress(name, host, family);
  const suffix = name.replace(/^\*/, "");
  return suffix.startsWith(".") ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function splitPort(entry: string): { readonly name: string; readonly wantedPort: string | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return { name: bracketed[1] ?? "", wantedPort: bracketed[2] };
  const match = isIP(entry) === 6 ? null : /^([^:]+):(\d+)$/.exec(entry);
  return match === null ? { name: entry, wantedPort: undefined } : { name: match[1] ?? "", wantedPort: match[2] };
}

const familyName = (family: number) => (family === 6 ? "ipv6" : "ipv4");

function sameAddress(name: string, host: string, family: number): boolean {
  if (isIP(name) !== family) return false;
  const list = new BlockList();
  list.addAddress(name, familyName(family));
  return list.check(host, familyName(family));
}

function rangeHolds(entry: string, host: string, family: number): boolean {
  const [network = "", bits = ""] = entry.split("/");
  if (isIP(network) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), familyName(family));
  return list.check(host, familyName(family));
}
