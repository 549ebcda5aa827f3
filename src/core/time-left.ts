/** What is left of a wait, as a clock shows it: `2:59`, `29:59`. Begun seconds count whole, so that the first look shows all of it. Milliseconds. */
export function timeLeft(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
