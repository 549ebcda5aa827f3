import { pick } from "../random.ts";

/** A changed input. `moved`: parts may stand elsewhere now, so that a secret of a seed may lie where no secret is expected. */
export interface Mutated {
  readonly bytes: Buffer;
  readonly moved: boolean;
}

/** No input is larger: what is slow beyond that is slow by its size alone, and every reader caps that. Bytes. */
export const mostBytes = 262_144;

const lineBreak = 0x0a;

/** What parsers stumble over. */
export const tokens: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "\u0000",
  "\u001b[2J",
  "\u009b31m",
  "\u202e",
  "\u200b",
  "\u2028",
  "\ufeff",
  "\ud800",
  "\r\n",
  "\n",
  "\t",
  '"',
  "'",
  "\\",
  "\\u0000",
  "%00",
  "%",
  "%zz",
  "[",
  "{",
  "]",
  "}",
  "&a ",
  "*a",
  "<<: *a\n",
  "!!binary ",
  "!!js/function ",
  "---\n",
  "? ",
  "- ",
  ": ",
  "null",
  "true",
  "-1",
  "0",
  "1e999",
  "-0",
  "9007199254740993",
  "99999999999999999999",
  "0x10",
  "NaN",
  "Infinity",
  "../",
  "/dev/zero",
  "javascript:",
  "file:///etc/passwd",
  "https://u:p@evil.example/",
  "https://",
  "http://[::1",
  "--",
  "-v",
  "=",
  ",",
  "'; touch pwned; '",
  "$(id)",
  "-----BEGIN CERTIFICATE-----",
  "-----END CERTIFICATE-----",
  "eyJhbGciOiJub25lIn0.e30.",
];

/** One small change of bytes. `all`: further inputs to take parts from. */
export function mutateBytes(random: () => number, bytes: Buffer, all: readonly Buffer[]): Mutated {
  const at = Math.floor(random() * (bytes.length + 1));
  const length = Math.floor(random() ** 3 * Math.max(1, bytes.length - at)) + 1;
  const between = (middle: Uint8Array, skip: number, moved: boolean) => ({ bytes: Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + skip)]), moved });
  switch (Math.floor(random() * 11)) {
    case 0: {
      const copy = Buffer.from(bytes);
      const place = at % Math.max(1, copy.length);
      if (copy.length > 0) copy[place] = (copy[place] ?? 0) ^ (1 << Math.floor(random() * 8));
      // Without the line break two values are one.
      return { bytes: copy, moved: bytes[place] === lineBreak };
    }
    case 1:
      return between(Buffer.from([Math.floor(random() * 256)]), 1, bytes[at] === lineBreak);
    case 2:
      return { bytes: bytes.subarray(0, at), moved: false };
    case 3:
      return { bytes: bytes.subarray(at), moved: true };
    case 4:
      return between(Buffer.alloc(0), length, true);
    case 5:
      return between(bytes.subarray(at, at + length), 0, true);
    case 6: {
      // Much of one thing: what is quadratic shows.
      const piece = random() < 0.5 ? bytes.subarray(at, at + Math.min(length, 64)) : Buffer.from(pick(random, tokens));
      const times = Math.floor(random() ** 4 * (mostBytes / Math.max(1, piece.length)));
      return between(Buffer.concat(Array.from({ length: times }, () => piece)), 0, true);
    }
    case 7: {
      const other = pick(random, all);
      const from = Math.floor(random() * other.length);
      return between(other.subarray(from, from + Math.floor(random() * (other.length - from)) + 1), random() < 0.5 ? length : 0, true);
    }
    // Invalid UTF-8: a lone continuation, an overlong slash, a surrogate, beyond the end, cut short.
    case 8:
      return between(Buffer.from(pick(random, ["80", "c0af", "eda080", "f4908080", "e282", "ff", "00"]), "hex"), 0, false);
    default:
      return between(Buffer.from(pick(random, tokens)), random() < 0.3 ? 1 : 0, bytes[at] === lineBreak);
  }
}
