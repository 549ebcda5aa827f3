/** What a row's number is: a ratio to something else of the same rounds, milliseconds, or a count. */
export type Unit = "x" | "ms" | "requests";

/** A row before it was measured. Without `target` and `limit` it stands there for comparison. */
export interface RowPlan {
  readonly id: string;
  readonly group: string;
  /** What is measured, and against what. */
  readonly title: string;
  readonly unit: Unit;
  /** At most; what we want. */
  readonly target?: number;
  /** At most; above it the bench fails. */
  readonly limit?: number;
}

export type Outcome =
  | {
      readonly kind: "measured";
      readonly value: number;
      /** What the number comes from, for a reader: `21.4 ms / 20.2 ms`. */
      readonly from: string;
      readonly rounds: number;
    }
  /** A part that it needs is not on this machine. */
  | { readonly kind: "skipped"; readonly why: string }
  /** It could not be measured because something of ours did not work. */
  | { readonly kind: "failed"; readonly why: string };

export interface Row extends RowPlan {
  readonly outcome: Outcome;
}

export type Status = "ok" | "over target" | "over limit" | "for comparison" | "skipped" | "failed";

/** A value that equals its limit is within it. */
export function statusOf({ outcome, target, limit }: Pick<Row, "outcome" | "target" | "limit">): Status {
  if (outcome.kind !== "measured") return outcome.kind;
  if (target === undefined && limit === undefined) return "for comparison";
  if (Number.isNaN(outcome.value)) return "failed";
  if (limit !== undefined && outcome.value > limit) return "over limit";
  return target !== undefined && outcome.value > target ? "over target" : "ok";
}

/** 1 when a limit is passed or a row failed; what is skipped or over its target fails nothing. */
export const exitStatus = (rows: readonly Row[]): number => (rows.some((row) => ["over limit", "failed"].includes(statusOf(row))) ? 1 : 0);

/** The value as it is shown: never better than it is. */
export function shownValue(value: number, unit: Unit): string {
  if (unit === "x") return `${value < 0.1 ? roundedUp(value, 3) : roundedUp(value, 2)} x`;
  if (unit === "ms") return milliseconds(value);
  return String(value);
}

/** 1.051 is over 1.05, and must not look as if it were not. */
const roundedUp = (value: number, digits: number) => (Math.ceil(value * 10 ** digits - 1e-9) / 10 ** digits).toFixed(digits);

export const milliseconds = (ms: number) => (ms < 100 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`);
