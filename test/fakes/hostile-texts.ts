import fc from "fast-check";

/**
 * What a terminal obeys or a person cannot see, as code points from and to, written down here once more, so that a gap in the sanitiser is
 * not a gap in its tests. A line break is none.
 */
const harmful: readonly (readonly [number, number])[] = [
  [0x00, 0x09],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xf8ff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0xfffe, 0xffff],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];

/** The harmful characters of a text, as numbers for a message; empty when it may go to a terminal. */
export function harmIn(text: string): readonly string[] {
  const found = new Set<string>();
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (harmful.some(([from, to]) => code >= from && code <= to)) found.add(`U+${code.toString(16).padStart(4, "0")}`);
  }
  return [...found];
}

/** One text for each trick. `\u0007`, `\u001b` and `\u009b` begin what terminals obey. */
export const hostileTexts = [
  "\u001b[2J\u001b[1;1Hkubectl-oidc: you are safe",
  "\u001b]0;title\u0007\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\",
  "\u009b31m\u009d52;c;ZXZpbA==\u009c",
  "a\r\nkubectl-oidc: error: forged [LOGIN_REQUIRED]\nb",
  "\u0008\u0008\u0008\u007f\u0000nul",
  "abc\u202egpj.exe\u2066\u2067\u2068\u2069\u202a\u202b\u202d\u061c",
  "zero\u200bwidth\u200c\u200d\u2060\ufeff\u00ad\u034f\u3164\u180e",
  "line\u2028separator\u2029and\u0085next",
  "tag\u{e0041}\u{e0042}\u{e007f}variation\ufe0f\u{e0100}",
  `zalgo${"\u0301\u0302\u0303\u0304\u0305".repeat(40)}`,
  "\ud800lone\udfff",
  "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&",
  "javascript:alert(1)",
  "file:///etc/passwd",
  "-flag",
  "--help",
  "'; touch pwned; '",
  "$(touch pwned)`touch pwned`",
  "a\\'; touch pwned #",
  "“‘smart’” & | < > % ! ^",
  "../../../etc/passwd",
  "__proto__",
  "x".repeat(10_000),
  `\u001b[31m${"CODE-".repeat(2_000)}`,
] as const;

/** Any text at all, tricks among and within it. */
export const hostileText = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.tuple(fc.string({ maxLength: 20 }), fc.constantFrom(...hostileTexts), fc.string({ unit: "binary", maxLength: 20 })).map((parts) => parts.join("")),
  // Code units, lone surrogates among them.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
);

/** For `it.each`: a name in plain ASCII, since a test's title is shown too, and the text. */
export const named = <T>(values: readonly T[]): readonly (readonly [string, T])[] =>
  values.map((value) => [
    Array.from(JSON.stringify(value) ?? "undefined", (c) => (/[\x20-\x7e]/.test(c) ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`))
      .join("")
      .slice(0, 50),
    value,
  ]);
