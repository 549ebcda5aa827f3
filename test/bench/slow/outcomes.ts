import { isMissing, type Missing, outcomeWithout } from "../parts/missing.ts";
import { milliseconds, type Outcome, type RowPlan } from "../rows.ts";
import { median } from "../statistics.ts";
import type { Caller } from "./callers.ts";
import type { splitRun } from "./spans.ts";

export interface TimedPlan extends RowPlan {
  /** The id of who is measured. */
  readonly caller: string;
}

/** One run that waited for others. Milliseconds. */
export interface Timed {
  readonly wall: number;
  /** Without what others needed. */
  readonly own: number;
  readonly split: ReturnType<typeof splitRun>;
  readonly requests: number;
}

type Callers = ReadonlyMap<string, Caller | Missing>;
type AllTimed = ReadonlyMap<string, readonly Timed[]>;

/** The median of what the runs took beyond the others' time. */
export function overheadOutcome(plan: TimedPlan, callers: Callers, timed: AllTimed): Outcome {
  return wholeOutcome(
    plan,
    callers,
    timed,
    ({ own }) => own,
    (all) => `${milliseconds(median(all.map(({ wall }) => wall)))} in all`,
  );
}

/** The median of one number of each run; of a count, the largest: once too often is too often. */
export function wholeOutcome(plan: TimedPlan, callers: Callers, timed: AllTimed, pick: (one: Timed) => number, from: (all: readonly Timed[]) => string = () => ""): Outcome {
  const caller = callers.get(plan.caller);
  if (isMissing(caller)) return outcomeWithout(caller);
  const all = timed.get(plan.caller) ?? [];
  if (all.length === 0) return { kind: "failed", why: "it was not measured" };
  const values = all.map(pick);
  return { kind: "measured", value: plan.unit === "requests" ? Math.max(...values) : median(values), from: from(all), rounds: all.length };
}
