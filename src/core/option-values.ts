import { type OptionName, type OptionRow, optionRow } from "./flag-table.ts";
import { isSafeText } from "./untrusted-text.ts";

/** Raw values of one source: each occurrence of an option, in order. */
export type RawOptions = Readonly<Partial<Record<OptionName, readonly string[]>>>;

/** A parsed value, or a sentence that says what is wrong (without the value when it is a secret). */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (problem: string): Parsed<never> => ({ ok: false, problem });

/** `true|false|1|0` and Go's other spellings (strconv.ParseBool), as kubelogin accepts them. */
export function parseBoolean(text: string): Parsed<boolean> {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return good(true);
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return good(false);
  return bad("must be true or false");
}

/** A whole number, 0 or more. */
export function parseInteger(text: string): Parsed<number> {
  return /^\d{1,9}$/.test(text) ? good(Number(text)) : bad("must be a whole number");
}

const unitSeconds: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, μs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** Go's time.ParseDuration (`90s`, `1h30m`, `0`), in seconds; negative ones are refused. */
export function parseDuration(text: string): Parsed<number> {
  if (text === "0") return good(0);
  const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  let seconds = 0;
  let at = 0;
  while (at < text.length) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (match === null) return bad("must be a duration such as 90s or 1h30m");
    seconds += Number(match[1]) * (unitSeconds[match[2] ?? ""] ?? 0);
    at = part.lastIndex;
  }
  return at > 0 && seconds < 1e9 ? good(seconds) : bad("must be a duration such as 90s or 1h30m");
}

/** Lists take commas; a value in double quotes is kept whole (CSV, as pflag's StringSlice). Empty parts are dropped. */
export function splitList(texts: readonly string[]): readonly string[] {
  return texts
    .flatMap((text) => (text.match(/"(?:[^"]|"")*"|[^,]+/g) ?? []).map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part)))
    .filter((part) => part !== "");
}

/**
 * `k=v`, repeatable. As pflag's StringToString: with one `=` the whole text is one pair (its value may hold commas);
 * with more than one, commas separate pairs.
 */
export function parsePairs(texts: readonly string[]): Parsed<Readonly<Record<string, string>>> {
  const pairs: Record<string, string> = Object.create(null);
  for (const text of texts) {
    const parts = (text.match(/=/g) ?? []).length > 1 ? joinContinuations(splitList([text])) : [text];
    for (const part of parts) {
      const at = part.indexOf("=");
      if (at < 1) return bad("must be key=value");
      pairs[part.slice(0, at)] = part.slice(at + 1);
    }
  }
  return good(pairs);
}

/** A part without `=` belongs to the value before it: `a=1,2,b=3` is a → `1,2`. pflag refuses it; no value is lost here. */
function joinContinuations(parts: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const part of parts) {
    if (part.includes("=") || joined.length === 0) joined.push(part);
    else joined[joined.length - 1] += `,${part}`;
  }
  return joined;
}

/** What is wrong with these occurrences of an option, or undefined. Used for every source alike. */
export function problemOf(row: OptionRow, texts: readonly string[]): string | undefined {
  const last = texts.at(-1) ?? "";
  if (last === "" && row.kind !== "pairs") return undefined;
  const result = check(row, texts, last);
  if (!result.ok) return result.problem;
  if (row.values !== undefined && !row.values.includes(last)) return `must be one of ${row.values.join(", ")}`;
  return undefined;
}

function check(row: OptionRow, texts: readonly string[], last: string): Parsed<unknown> {
  switch (row.kind) {
    case "boolean":
      return parseBoolean(last);
    case "integer":
      return parseInteger(last);
    case "duration":
      return parseDuration(last);
    case "pairs":
      return parsePairs(texts.filter((text) => text !== ""));
    case "text":
    case "path":
    case "list":
    case "paths":
      return texts.every((text) => isReadable(row, text)) ? good(undefined) : bad("holds control or invisible characters");
    default:
      return row.kind satisfies never;
  }
}

/**
 * What nobody can see must not tell two values apart, nor reach a terminal by a message that shows one. Folders may be named in scripts
 * that need joiners; certificates are base64 or PEM with line breaks.
 */
function isReadable(row: OptionRow, text: string): boolean {
  if (row.name === "certificate-authority-data" && /^[\s\w+/=-]*$/.test(text)) return true;
  return row.kind === "path" || row.kind === "paths" ? /^[\x20-\x7e]*$/.test(text) || !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) : isSafeText(text);
}

/** The raw options with a name that is not an option removed; used where a foreign source was checked already. */
export function isOptionName(name: string): name is OptionName {
  return optionRow(name) !== undefined;
}
