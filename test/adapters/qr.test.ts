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
    for (const text of ["\u001b[2J", "é".repeat(500), "a"]) expect((await qrLines(text)).join("")).toMatch(/^[ ▀▄█]+$/);
  });

  it("is left out when no code can hold the text", async () => expect(await qrLines("x".repeat(8_000))).toEqual([]));
});
