import { encode } from "uqr";
import { describe, expect, it } from "vitest";
import { qrLines } from "../../src/adapters/qr.ts";

const url = "https://id.example.com/device?user_code=WDJB-MJHT";

describe("a QR code on a terminal", () => {
  it("shows two modules a character, dark ones as blanks, every module of the code in its place", async () => {
    const { data, size } = encode(url, { border: 2 });
    const isDark = (row: number, column: number) => data[row]?.[column] === true;
    const character = (row: number, column: number) => {
      const lower = row + 1 < size ? isDark(row + 1, column) : true;
      return isDark(row, column) ? (lower ? " " : "▄") : lower ? "▀" : "█";
    };
    const expected = Array.from({ length: Math.ceil(size / 2) }, (_line, line) => Array.from({ length: size }, (_cell, column) => character(line * 2, column)).join(""));
    expect(await qrLines(url)).toEqual(expected);
  });

  it("has a quiet zone around it and fits a terminal of 80 columns", async () => {
    const lines = await qrLines(url);
    expect(lines[0]).toMatch(/^█+$/);
    expect(lines.at(-1)).toMatch(/^▀+$/);
    for (const line of lines.slice(0, -1)) expect(line).toMatch(/^██.*██$/);
    expect(lines[0]!.length).toBeLessThanOrEqual(80);
  });

  it("holds nothing but block characters and blanks, whatever the text", async () => {
    for (const path of ["", "é".repeat(200), "$(x);'"]) expect((await qrLines(`https://id.example.com/${path}`)).join("")).toMatch(/^[ ▀▄█]+$/);
  });

  it.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://id.example.com/",
    "https://u:p@id.example.com/",
    "https://id.example.com/\u202egpj",
    "WIFI:T:WPA;S:x;;",
    "-flag",
    "",
  ])("is not made of %j, which a phone would open unread [TE-07]", async (text) => expect(await qrLines(text)).toEqual([]));

  it("holds the URL in its normal form [TE-07]", async () => expect(await qrLines("HTTPS://аррӏе.com/a")).toEqual(await qrLines("https://xn--80ak6aa92e.com/a")));

  it("is left out when no code can hold the text", async () => expect(await qrLines(`https://id.example.com/${"x".repeat(8_000)}`)).toEqual([]));
});
