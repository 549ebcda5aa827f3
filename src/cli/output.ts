import { safeJson, safeLine } from "../core/untrusted-text.ts";
import { writeOut } from "../hot/write-out.ts";

/**
 * Everything that goes to stdout goes through here (the hot path apart): data, whole or not at all. The last gate: only what is safe on a
 * terminal and our own line breaks.
 */
export function writeData(text: string, gate: (line: string) => string = safeLine): Promise<void> {
  return new Promise((resolve, reject) => {
    try {
      writeOut(Buffer.from(text.split("\n").map(gate).join("\n")), resolve);
    } catch (error) {
      reject(error);
    }
  });
}

/** The same for a form that has tabs between its parts. */
export const writeTabbed = (text: string): Promise<void> => writeData(text, (line) => line.split("\t").map(safeLine).join("\t"));

/** One JSON value on one line, foreign texts exactly as they are: what is not safe on a terminal is escaped. */
export function writeJson(value: unknown): Promise<void> {
  return writeData(`${safeJson(JSON.stringify(value))}\n`);
}

/** Rows in columns, two blanks apart; the last column is not padded. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((known, row) => row.map((cell, i) => Math.max(known[i] ?? 0, cell.length)), []);
  return rows.map((row) => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  ")}\n`).join("");
}
