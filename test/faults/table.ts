import type { Verdict } from "./judge.ts";
import { type Round, rowOf, type Storage } from "./rounds.ts";

interface Cell {
  kept: number;
  lost: number;
  broken: number;
}

/** Counts verdicts by row and storage, and prints them. */
export function tally() {
  const cells = new Map<string, Cell>();
  const rows = new Set<string>();
  const cellOf = (key: string) => {
    const cell = cells.get(key) ?? { kept: 0, lost: 0, broken: 0 };
    cells.set(key, cell);
    return cell;
  };
  const text = ({ kept, lost, broken }: Cell) =>
    [kept > 0 ? `${kept} kept` : "", lost > 0 ? `${lost} lost (window)` : "", broken > 0 ? `${broken} BROKEN` : ""].filter(Boolean).join(", ");

  return {
    add(round: Round, verdict: Verdict): void {
      const row = rowOf(round);
      rows.add(row);
      for (const cell of [cellOf(`${row}|${round.storage}`), cellOf(`total|${round.storage}`)]) cell[verdict.result]++;
    },
    lines(columns: readonly Storage[]): readonly string[] {
      const table = [["", ...columns], ...[...[...rows].sort(), "total"].map((row) => [row, ...columns.map((column) => text(cellOf(`${row}|${column}`)) || "-")])];
      const widths = table.reduce<number[]>((known, row) => row.map((cell, i) => Math.max(known[i] ?? 0, cell.length)), []);
      return table.map((row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd(),
      );
    },
  };
}
