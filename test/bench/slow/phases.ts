import { median } from "../statistics.ts";
import type { splitRun } from "./spans.ts";

/** Where the time of one kind of run goes; medians, so that they add up to its whole only roughly. Milliseconds. */
export interface Phases {
  readonly what: "refresh" | "login";
  readonly form: string;
  readonly storage: string;
  readonly wall: number;
  readonly before: number;
  readonly others: number;
  readonly between: number;
  readonly after: number;
}

export function phasesOf(who: Pick<Phases, "what" | "form" | "storage">, walls: readonly number[], splits: readonly ReturnType<typeof splitRun>[]): Phases {
  const of = (pick: (split: ReturnType<typeof splitRun>) => number) => median(splits.map(pick));
  return {
    ...who,
    wall: median(walls),
    before: of(({ before }) => before),
    others: of(({ others }) => others),
    between: of(({ between }) => between),
    after: of(({ after }) => after),
  };
}
