/**
 * The one sanitiser for every string that came from outside: an issuer, a kubeconfig, a certificate, an environment.
 * It removes what can move a cursor, hide text or reverse it: controls (C0, C1, DEL), formatting characters (bidirectional controls of
 * Trojan Source, zero-width ones, tags), everything that Unicode lets a font leave out, line and paragraph separators, private use, lone
 * surrogates, and blanks of any other width than the usual. Made when it is needed: an engine reads Unicode's tables for it, for a millisecond.
 */
const unsafe = () =>
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u{a0}\u{1680}\u{2000}-\u{200a}\u{202f}\u{205f}\u{2800}\u{3000}]/gu;

/** What almost every text is, and nothing in it can do harm. */
const isPlain = (text: string) => /^[\x20-\x7e]*$/.test(text);

/** More marks than any writing puts on one letter: a pile of them is drawn over the lines above and below. */
const piledMarks = () => /(\p{M}{4})\p{M}+/gu;

/** Text that is safe on one line of a terminal, a page or a log, cut at `limit` characters. What is no text says so. */
export function safeText(text: unknown, limit = 200): string {
  const whole = textOf(text);
  // Cut before the replacement runs: a hostile issuer may send megabytes.
  const clean = safeLine(whole.slice(0, limit * 4))
    .replace(/ {2,}/g, " ")
    .trim();
  // Not within a pair of surrogates.
  return clean.length > limit ? `${clean.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…` : clean;
}

/** Never `String()` of an object: JSON can hold one whose `toString` is no function, and lists that are nested too deeply to be joined. */
function textOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    default:
      return value === undefined || value === null ? "" : "(not a text)";
  }
}

/** One line as it may be written to a terminal: each character that could do harm, a line break included, becomes a blank. Its layout stays. */
export function safeLine(text: string): string {
  return isPlain(text) ? text : text.replace(unsafe(), " ").replace(piledMarks(), "$1");
}

/** True when the text would pass the sanitiser unchanged (blanks in a row, at the beginning and at the end apart). */
export function isSafeText(text: string): boolean {
  return isPlain(text) || (text.search(unsafe()) === -1 && text.search(piledMarks()) === -1);
}

/**
 * A JSON text that says the same and is safe on a terminal: what the sanitiser would remove stands in it as an escape, so that nothing is
 * lost. JSON.stringify leaves C1 controls, bidirectional controls and line separators as they are.
 */
export function safeJson(json: string): string {
  if (isPlain(json)) return json;
  const escaped = (found: string) => Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
  return json.replace(unsafe(), escaped).replace(/\p{M}{5,}/gu, escaped);
}

/** The same of a YAML text in which whatever holds such a character is in double quotes; line breaks stay. */
export function safeYaml(yaml: string): string {
  const escaped = (found: string) =>
    Array.from(found, (character) => {
      const code = character.codePointAt(0) ?? 0;
      // No half of a pair is a character there.
      if (code >= 0xd800 && code < 0xe000) return "\ufffd";
      return character === "\n" ? character : code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    }).join("");
  return yaml.replace(unsafe(), escaped).replace(/\p{M}{5,}/gu, escaped);
}

/** True for a host that is this computer: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** No URL that a person needs is longer, and no launcher takes more. Characters. */
const longestUrl = 8192;

/**
 * A URL that may be shown as a link or handed to a launcher: https, or http on this computer; without user info;
 * in its normal form, which is printable ASCII (hosts in punycode) and starts with `http`, so it can never be taken for an option.
 * Undefined when it may not.
 */
export function openableUrl(text: unknown): string | undefined {
  if (typeof text !== "string" || text.length > longestUrl || !isSafeText(text)) return undefined;
  const url = parsed(text);
  if (url === undefined || url.username !== "" || url.password !== "" || url.href.length > longestUrl) return undefined;
  if (url.protocol === "https:") return url.href;
  return url.protocol === "http:" && isLoopbackHost(url.hostname) ? url.href : undefined;
}

/**
 * As `openableUrl`, of what an issuer says: plain http only when the issuer is on this computer itself. Otherwise it could send the
 * person's browser to any program that listens here.
 */
export function openableUrlOf(issuer: string, text: unknown): string | undefined {
  const url = openableUrl(text);
  return url?.startsWith("http:") && !issuer.startsWith("http:") ? undefined : url;
}

/**
 * A URL as people see it: unchanged when it is in its normal form (a final slash apart), else in that form, so that a host of look-alike
 * letters shows as `xn--…`. Never its user info. Printable ASCII, one line.
 */
export function shownUrl(text: string, limit = 300): string {
  const url = parsed(text);
  if (url === undefined) return safeText(text.replace(/[^\u0020-\u007e]/gu, "?"), limit);
  url.username = "";
  url.password = "";
  return safeText(url.href === text || url.href === `${text}/` ? text : url.href, limit);
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
