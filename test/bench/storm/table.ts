import { median } from "../statistics.ts";
import type { Storm } from "./storm.ts";

const columns = ["wall", "x empty", "median", "slowest", "memory", "requests", "refreshes", "failed"];

const line = (kind: string, name: string, values: readonly string[]) => `${kind.padEnd(8)}${name.padEnd(18)}${values.map((value) => value.padStart(11)).join("")}`;

export const stormHeader = () => line("", "", columns);

const inSeconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

/** The medians of the rounds; the ratio is that of each round's wall time to the same round's empty scripts. */
export function stormLine(kind: string, name: string, storms: readonly Storm[], base: readonly Storm[]): string {
  const of = (pick: (one: Storm) => number) => median(storms.map(pick));
  const peak = of((one) => one.peak ?? Number.NaN);
  return line(kind, name, [
    inSeconds(of(({ wall }) => wall)),
    median(storms.map(({ wall }, round) => wall / (base[round]?.wall ?? Number.NaN))).toFixed(2),
    inSeconds(of(({ times }) => median(times))),
    inSeconds(of(({ times }) => Math.max(...times))),
    Number.isNaN(peak) ? "-" : `${Math.round(peak)} MiB`,
    String(of(({ requests }) => requests)),
    String(of(({ refreshes }) => refreshes)),
    String(Math.max(...storms.map(({ failures }) => failures.length))),
  ]);
}
