import type { BuiltProgram } from "../built-program.ts";
import type { Machine } from "./machine.ts";
import { type Row, shownValue, statusOf } from "./rows.ts";
import type { Phases } from "./slow/phases.ts";
import type { ProcessFigure } from "./starts/measure.ts";

/** All of one run. `schema` counts up when a member changes its meaning. */
export interface Report {
  readonly schema: 1;
  /** RFC 3339. */
  readonly date: string;
  /** The build that was measured, in both of its forms, by itself. */
  readonly program: BuiltProgram;
  readonly machine: Machine;
  readonly loadAfter: number;
  /** How processes were started and timed. */
  readonly method: string;
  readonly rows: readonly ReportRow[];
  readonly processes: readonly ProcessFigure[];
  readonly phases: readonly Phases[];
  /** The storms in full. */
  readonly storms: readonly string[];
}

/** A row as data; `value` is in `unit`, milliseconds where it is a time. */
export interface ReportRow {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly unit: Row["unit"];
  readonly status: ReturnType<typeof statusOf>;
  readonly value?: number;
  readonly shown?: string;
  readonly from?: string;
  readonly rounds?: number;
  readonly target?: number;
  readonly limit?: number;
  /** Why it was skipped or failed. */
  readonly why?: string;
}

export function reportRow(row: Row): ReportRow {
  const { id, group, title, unit, target, limit, outcome } = row;
  const bounds = { ...(target === undefined ? {} : { target }), ...(limit === undefined ? {} : { limit }) };
  const common = { id, group, title, unit, status: statusOf(row) };
  if (outcome.kind !== "measured") return { ...common, ...bounds, why: outcome.why };
  const { value, from, rounds } = outcome;
  return { ...common, value: rounded(value), shown: shownValue(value, unit), ...(from === "" ? {} : { from }), rounds, ...bounds };
}

/** A thousandth is finer than any of this can be measured. */
export const rounded = (value: number) => Math.round(value * 1000) / 1000;

/** As JSON, numbers to a thousandth. */
export const reportJson = (report: Report) => JSON.stringify(report, (_, value) => (typeof value === "number" ? rounded(value) : value), 2);

/** For a terminal: the machine, one table, and what was skipped, by name. */
export function reportText(report: Report): readonly string[] {
  const { machine, program, rows, storms } = report;
  const cells = rows.map(({ title, from = "", shown = "", target, limit, status, unit }) => {
    const bound = (value: number | undefined) => (value === undefined ? "" : shownValue(value, unit));
    return [title, from, shown, bound(target), bound(limit), status];
  });
  return [
    `kubectl-oidc ${program.version} (${program.commit}), ${report.date}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.os}, ${machine.kernel}, Node ${machine.node}`,
    `load ${machine.loadBefore} before and ${report.loadAfter} after; ${report.method}; medians of paired, interleaved rounds`,
    "",
    ...columns([["what", "measured", "result", "target", "limit", "status"], ...cells]),
    ...reasons(rows),
    ...(storms.length === 0 ? [] : ["", ...storms]),
  ];
}

/** For the gate, which counts: a row over its target passes, one that is skipped is neither. */
export function countLine(rows: readonly ReportRow[]): string {
  const failed = rows.filter(({ status }) => status === "over limit" || status === "failed").length;
  const skipped = rows.filter(({ status }) => status === "skipped").length;
  return `${rows.length - failed - skipped} passed, ${failed} failed`;
}

/** Every row that has no number, by its name; those of one reason on one line. */
function reasons(rows: readonly ReportRow[]): readonly string[] {
  const names = new Map<string, string[]>();
  for (const { id, status, why } of rows) if (why !== undefined) names.set(`${status}: ${why}`, [...(names.get(`${status}: ${why}`) ?? []), id]);
  return [...names].map(([reason, ids]) => `${reason} (${ids.join(", ")})`);
}

/** The first and the last column to the left, the rest to the right. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const isLeft = (i: number) => i === 0 || i === widths.length - 1;
  return rows.map((row) =>
    row
      .map((text, i) => (isLeft(i) ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
