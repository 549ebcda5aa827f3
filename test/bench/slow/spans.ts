/** From and to, by one clock. Milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** How long at least one of them lasted, inside `within`. */
export function covered(spans: readonly Span[], within: Span): number {
  let sum = 0;
  let reached = within.from;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const end = Math.min(to, within.to);
    sum += Math.max(0, end - Math.max(from, reached));
    reached = Math.max(reached, end);
  }
  return sum;
}

/** A run's own share: all that is not in these spans. */
export const ownTime = (run: Span, others: readonly Span[]): number => run.to - run.from - covered(others, run);

/** Where a run's time went: until others first had to do something, while they did, between that, and after the last of it. */
export function splitRun(run: Span, others: readonly Span[]): { readonly before: number; readonly others: number; readonly between: number; readonly after: number } {
  const first = Math.min(run.to, ...others.map(({ from }) => from));
  const last = Math.max(first, ...others.map(({ to }) => Math.min(to, run.to)));
  const theirs = covered(others, run);
  return { before: first - run.from, others: theirs, between: last - first - theirs, after: run.to - last };
}
