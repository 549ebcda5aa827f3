/** The middle one; the upper of two. NaN for none. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Each value by the other of the same round: what disturbs a machine for a while disturbs both. */
export const pairedRatios = (values: readonly number[], others: readonly number[]): readonly number[] => values.map((value, round) => value / (others[round] ?? Number.NaN));

/**
 * Where the true median lies, whatever the distribution is: the order statistics that a fair coin's heads stay between in all but one of a
 * thousand tries (3.3 standard deviations of the binomial distribution). Everything when there are too few values to say.
 */
export function medianBounds(values: readonly number[]): readonly [number, number] {
  const from = Math.floor(values.length / 2 - (3.3 * Math.sqrt(values.length)) / 2);
  if (from < 0) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[from] ?? Number.NaN, sorted[values.length - 1 - from] ?? Number.NaN];
}

/** The quarter and the three quarters of the values. */
export function quartiles(values: readonly number[]): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[Math.floor(values.length / 4)] ?? Number.NaN, sorted[Math.floor((values.length * 3) / 4)] ?? Number.NaN];
}
