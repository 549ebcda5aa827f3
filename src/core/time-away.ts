const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** A unit begins at twice itself: `90 min` says more than `1 h`. */
const least = 2;

/**
 * How far away a time is, for a person, beside the time itself: `in 42 min`, `3 h ago`, `now`. `seconds` from now, negative for the past.
 * Rounded down: nobody is told of a minute that is not there.
 */
export function timeAway(seconds: number): string {
  const whole = Math.trunc(seconds);
  const size = Math.abs(whole);
  if (size === 0 || !Number.isFinite(whole)) return "now";
  const [unit, length] = units.find(([, each]) => size >= least * each) ?? ["s", 1];
  const text = `${Math.floor(size / length)} ${unit}`;
  return whole > 0 ? `in ${text}` : `${text} ago`;
}
