/**
 * The one sanitiser for every string that came from outside: an issuer, a kubeconfig, a certificate, an environment.
 * It removes what can move a cursor, hide text or reverse it: C0 and C1 controls, DEL, bidirectional controls
 * (Trojan Source), zero-width and formatting characters, line and paragraph separators, lone surrogates.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]|[\u{e0000}-\u{e007f}]/gu;

/** Text that is safe on one line of a terminal, a page or a log, cut at `limit` characters. */
export function safeText(text: unknown, limit = 200): string {
  const whole = typeof text === "string" ? text : String(text ?? "");
  // Cut before the replacement runs: a hostile issuer may send megabytes.
  const clean = whole
    .slice(0, limit * 4)
    .replace(unsafe, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}

/** True when the text would pass the sanitiser unchanged (leading and trailing blanks apart). */
export function isSafeText(text: string): boolean {
  return text.search(unsafe) === -1;
}

/** True for a host that is this computer: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * A URL that may be shown as a link or handed to a launcher: https, or http on this computer; without user info;
 * in its normal form, which starts with `http`, so it can never be taken for an option. Undefined when it may not.
 */
export function openableUrl(text: unknown): string | undefined {
  if (typeof text !== "string" || text.length > 8192 || !isSafeText(text)) return undefined;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  if (url.username !== "" || url.password !== "") return undefined;
  if (url.protocol === "https:") return url.href;
  return url.protocol === "http:" && isLoopbackHost(url.hostname) ? url.href : undefined;
}
