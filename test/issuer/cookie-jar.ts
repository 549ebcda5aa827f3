/** Cookies as a browser keeps them: by host name (the port does not count, RFC 6265 section 8.5) and path. */
export interface CookieJar {
  /** The Cookie header for this address; undefined when there is none. */
  header(url: URL): string | undefined;
  /** Takes the Set-Cookie headers of an answer from this address. */
  store(url: URL, headers: readonly string[]): void;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

export function makeCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>();
  return {
    header: (url) => {
      const sent = [...cookies.values()].filter((cookie) => cookie.host === url.hostname && isWithin(url.pathname, cookie.path));
      return sent.length === 0 ? undefined : sent.map((cookie) => `${cookie.name}=${cookie.value}`).join("; ");
    },
    store: (url, headers) => {
      for (const header of headers) {
        const [pair = "", ...attributes] = header.split(";").map((part) => part.trim());
        const [name = "", ...rest] = pair.split("=");
        const attribute = (wanted: string) => attributes.find((text) => text.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
        const path = attribute("path") ?? "/";
        const expires = attribute("expires");
        const isGone = attribute("max-age") === "0" || (expires !== undefined && Date.parse(expires) <= Date.now());
        const key = `${url.hostname} ${path} ${name}`;
        if (isGone) cookies.delete(key);
        else cookies.set(key, { host: url.hostname, path, name, value: rest.join("=") });
      }
    },
  };
}

function isWithin(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}
