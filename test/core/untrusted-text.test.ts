import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSafeText, openableUrl, openableUrlOf, safeJson, safeLine, safeText, shownUrl } from "../../src/core/untrusted-text.ts";
import { harmIn, hostileText, hostileTexts, named } from "../fakes/hostile-texts.ts";

describe("the one sanitiser", () => {
  it("lets nothing through that moves, hides or reverses, whatever the text, and keeps the limit [TE-01]", () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 300 }), (text, limit) => {
        const safe = safeText(text, limit);
        expect(harmIn(safe)).toEqual([]);
        expect(safe).not.toContain("\n");
        expect(safe.length).toBeLessThanOrEqual(limit);
        expect(isSafeText(safe)).toBe(true);
        // What was made safe stays as it is.
        expect(safeText(safe, limit)).toBe(safe);
      }),
      { numRuns: 500 },
    );
  });
  it("of a line changes nothing but the harmful characters: not its blanks, not its length by more than piled marks [TE-01]", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const line = safeLine(text);
        expect([harmIn(line), line.includes("\n")]).toEqual([[], false]);
        expect(safeLine(line)).toBe(line);
        if (isSafeText(text)) expect(line).toBe(text);
      }),
    );
    expect(safeLine("  █▀▄ é ñ 日本 🙂  ")).toBe("  █▀▄ é ñ 日本 🙂  ");
  });
  it.each([...Array.from({ length: 32 }, (_, i) => i), 0x7f, 0x9b, 0xad, 0x200b, 0x202e, 0x2028, 0x2066, 0xfe0f, 0xfeff, 0xe0041, 0x3164, 0xa0, 0x2800])(
    "takes character %i away",
    (code) => {
      const character = String.fromCodePoint(code);
      expect(safeText(`a${character}b`)).toBe("a b");
      expect(isSafeText(`a${character}b`)).toBe(false);
    },
  );
  it("leaves letters of every script, ordinary accents and emoji", () => {
    for (const text of ["Ånne Müller", "Жанна", "安倍", "علي", "नमस्ते", "e\u0301", "🙂 👍🏽"]) expect([safeText(text), isSafeText(text)]).toEqual([text, true]);
  });
  it("leaves four marks on a letter, so that nothing is drawn over other lines", () => {
    expect(safeText(`a${"\u0301".repeat(50)}b`)).toBe(`a${"\u0301".repeat(4)}b`);
  });
  it("does not cut a character in two", () => {
    for (let limit = 2; limit < 12; limit++) expect(safeText("🙂".repeat(20), limit)).toMatch(/^(?:🙂)*…$/u);
  });
  it("takes megabytes in no time", () => {
    const started = performance.now();
    for (const piece of ["\u001b[2J", "a\u0301", " ", "\u202e", "x"]) safeText(piece.repeat(2_000_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("says of what is no text that it is none, without asking it: JSON can hold an object whose toString is no function [TE-01]", () => {
    const nested = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`) as unknown;
    for (const value of [{ toString: 1 }, { toString: null, valueOf: [] }, [[]], nested, Object.create(null), Symbol("s"), () => 1]) expect(safeText(value)).toBe("(not a text)");
    expect([safeText(7), safeText(true), safeText(null), safeText(undefined), safeText(10n)]).toEqual(["7", "true", "", "", "10"]);
  });
});

describe("JSON for people and programs", () => {
  it("says exactly what was given, and holds nothing that a terminal obeys [TE-01]", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          fc.json().map((text): unknown => JSON.parse(text)),
          fc.dictionary(hostileText, hostileText),
        ),
        (value) => {
          const plain = JSON.stringify(value);
          const text = safeJson(plain);
          expect([harmIn(text), text.includes("\n")]).toEqual([[], false]);
          expect(JSON.parse(text)).toEqual(JSON.parse(plain));
        },
      ),
    );
  });
});

describe("a URL that may be opened", () => {
  it.each([
    "https://id.example.com/a?b=c#d",
    "HTTPS://ID.example.com",
    "https://id.example.com:8443/%20",
    "https://[2001:db8::1]/",
    "http://localhost:8080/a",
    "http://127.0.0.1/a",
    "http://[::1]:9/",
  ])("%s [TE-03]", (text) => expect(openableUrl(text)).toBe(new URL(text).href));
  it.each(
    named<unknown>([
      "http://id.example.com/a",
      "http://localhost.example.com/",
      "http://127.0.0.1.example.com/",
      "javascript:alert(1)",
      "JavaScript://id.example.com/%0aalert(1)",
      "java\nscript:alert(1)",
      "file:///etc/passwd",
      "file://evil.example.com/share",
      "data:text/html,x",
      "vscode://x",
      "ms-msdt:/id",
      "smb://evil.example.com/x",
      "blob:https://id.example.com/x",
      "view-source:https://id.example.com",
      "-flag",
      "--help",
      "/etc/passwd",
      "\\\\evil.example.com\\share",
      "//id.example.com",
      "https:",
      "https://",
      "https://user:pass@id.example.com",
      "https://id.example.com@evil.example.com",
      "https://@id.example.com:x",
      "https://id.example.com/\u001b[2J",
      "https://id.example.com/\u202egpj",
      "https://id.example.com/a\nb",
      ` https://id.example.com/${"a".repeat(8_200)}`,
      `https://id.example.com/${"é".repeat(3_000)}`,
      7,
      undefined,
      ["https://id.example.com"],
      { toString: 1 },
    ]),
  )("is not %s [TE-03, DV-14]", (_, text) => expect(openableUrl(text)).toBeUndefined());
  it("is printable ASCII in its normal form, begins with its scheme and has no user name, whatever was given [TE-02, TE-03]", () => {
    const address = fc
      .tuple(
        fc.constantFrom("https://", "http://", "https:", "HTTPS://\t", "https:\\\\", "javascript:", "file:", "-", ""),
        fc.constantFrom("id.example.com", "localhost", "аррle.com", "[::1]", "u:p@h"),
        hostileText,
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(address, hostileText, fc.webUrl()), (text) => {
        const url = openableUrl(text);
        if (url === undefined) return;
        expect(url).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
        expect(url.length).toBeLessThanOrEqual(8192);
        const { protocol, hostname, username, password } = new URL(url);
        expect([username, password]).toEqual(["", ""]);
        if (protocol !== "https:") expect(["localhost", "[::1]"].includes(hostname) || hostname.startsWith("127.")).toBe(true);
        expect(openableUrl(url)).toBe(url);
      }),
      { numRuns: 500 },
    );
  });
  it("may be one of this computer only for an issuer that is here itself [TE-03]", () => {
    expect(openableUrlOf("https://id.example.com", "http://localhost:631/admin")).toBeUndefined();
    expect(openableUrlOf("https://id.example.com", "https://localhost/x")).toBe("https://localhost/x");
    expect(openableUrlOf("http://127.0.0.1:9", "http://127.0.0.1:9/x")).toBe("http://127.0.0.1:9/x");
  });
});

describe("a URL that is shown", () => {
  it.each(
    named([
      ["https://id.example.com", "https://id.example.com"],
      ["https://id.example.com/", "https://id.example.com/"],
      ["https://id.example.com/realms/a", "https://id.example.com/realms/a"],
      ["https://аррӏе.com", "https://xn--80ak6aa92e.com/"],
      ["https://EXAMPLE.com", "https://example.com/"],
      ["https://good.example.com\\@evil.example.com", "https://good.example.com/@evil.example.com"],
      ["https://good.example.com%40x@evil.example.com/p", "https://evil.example.com/p"],
      ["https://user:secret@id.example.com", "https://id.example.com/"],
      ["https://id.example.com/\u202eabc", "https://id.example.com/%E2%80%AEabc"],
      ["https://id.example.com/\u009b2J", "https://id.example.com/%C2%9B2J"],
      ["no url \u001b[2J é", "no url ?[2J ?"],
    ]),
  )("%s [TE-02]", (_, [text = "", shown]) => expect(shownUrl(text)).toBe(shown));
  it("is printable ASCII on one line without a user name, whatever it is [TE-02]", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          hostileText.map((text) => `https://${text}`),
          hostileText.map((text) => `https://u:p@id.example.com/${text}`),
        ),
        (text) => {
          const shown = shownUrl(text);
          expect(shown).toMatch(/^[\x20-\x7e]*…?$/);
          expect(shown.length).toBeLessThanOrEqual(300);
          expect(shown).not.toContain("u:p@id");
        },
      ),
    );
  });
  it.each(named(hostileTexts))("never breaks its line: %s", (_, text) => expect(harmIn(shownUrl(`https://id.example.com/${text}`))).toEqual([]));
});
