import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { bypassesProxy } from "./no-proxy.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a request, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY in either case, with Go's rules (golang.org/x/net/http/httpproxy),
 * so that kubectl and we go the same way. SETTINGS_INVALID for a value that is no http(s) proxy, never quoting its user info.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const secure = url.protocol === "https:";
  // httpoxy: a web server's CGI puts the request's Proxy header there.
  if (!secure && env["REQUEST_METHOD"]) return undefined;
  const upper = secure ? "HTTPS_PROXY" : "HTTP_PROXY";
  const name = env[upper] ? upper : upper.toLowerCase();
  const value = env[name];
  if (!value || bypassesProxy(env["NO_PROXY"] || env["no_proxy"] || "", url)) return undefined;
  return proxyUrl(value, name, `correct or unset ${name}`);
}

/** The URL of a proxy; without a scheme it is http. SETTINGS_INVALID, naming `source`, for what is no http(s) proxy, never quoting its user info. */
export function proxyUrl(value: string, source: string, hint: string): URL {
  let proxy: URL | undefined;
  try {
    proxy = new URL(value.includes("://") ? value : `http://${value}`);
  } catch {
    // Said below.
  }
  if (proxy?.protocol === "http:" || proxy?.protocol === "https:") return proxy;
  return fail("SETTINGS_INVALID", { message: `${source} is not an http or https proxy${proxy === undefined ? "" : ` (${safeText(proxy.protocol, 20)})`}`, hint });
}
