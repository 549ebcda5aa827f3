/** What is wrong with an issuer URL. */
export function issuerProblem(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "is not a URL";
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname))) return "must be an https URL";
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
  if (url.search !== "" || url.hash !== "" || text.includes("?") || text.includes("#")) return "must not hold a query or fragment";
  // openid-client skips its issuer check for such URLs (protocol.md ID-02).
  if (url.pathname.includes("/.well-known/")) return "must be the issuer, not its discovery document";
  return undefined;
}

/** What is wrong with a PKCE method. */
export function pkceProblem(method: string | undefined): string | undefined {
  if (method === undefined || method === "S256" || method === "auto") return undefined;
  return method === "no"
    ? "cannot be no: a login without PKCE can be stolen on this computer (RFC 8252, section 8.1); S256 does no harm to issuers that ignore it"
    : "must be S256";
}

/** What is wrong with a callback address; `allowAny`: one that others on the network can reach is right too. */
export function addressProblem(address: string, allowAny: boolean): string | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):(\d{1,5})$/.exec(address);
  if (match === null || Number(match[2]) > 65535) return "must be HOST:PORT";
  const host = (match[1] ?? "").replace(/^\[|\]$/g, "");
  if (allowAny || host === "" || host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)) return undefined;
  return "must be a loopback address: others on the network could reach the callback (--allow-non-loopback allows it, for containers)";
}

/** `:8000` is loopback. */
export const withLoopbackHost = (address: string) => (address.startsWith(":") ? `127.0.0.1${address}` : address);

/** What is wrong with a redirect URL. */
export function redirectProblem(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const problem = webUrlProblem(text);
  return problem ?? (text.includes("#") ? "must not hold a fragment" : undefined);
}

/** What is wrong with the URL of a page. */
export function webUrlProblem(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const url = new URL(text);
    if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
    return url.protocol === "https:" || url.protocol === "http:" ? undefined : "must be an http or https URL";
  } catch {
    return "is not a URL";
  }
}

/** What is wrong with HTTP headers. */
export function headerProblem(headers: Readonly<Record<string, string>>): string | undefined {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)) return "is not a valid HTTP header";
  }
  return undefined;
}

/** The redirect URL's port when that is loopback, else kubelogin's two. */
export function defaultAddresses(redirectUrl: string | undefined): readonly string[] {
  if (redirectUrl !== undefined) {
    const url = new URL(redirectUrl);
    const host = url.hostname;
    if (host === "localhost" || host === "[::1]" || /^127\./.test(host)) {
      const port = url.port === "" ? (/:0(\/|$)/.test(redirectUrl) ? "0" : url.protocol === "https:" ? "443" : "80") : url.port;
      return [`${host === "localhost" ? "127.0.0.1" : host}:${port}`];
    }
  }
  return ["127.0.0.1:8000", "127.0.0.1:18000"];
}

/** What is wrong with an OpenID Connect prompt (OIDC Core 3.1.2.1: a list). Values of one issuer alone are its own affair. */
export function promptProblem(text: string | undefined): string | undefined {
  return text?.split(/\s+/).includes("none") === true ? "cannot be none: nobody could log in" : undefined;
}
