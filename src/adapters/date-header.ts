/**
 * What the sender's clock says minus ours, in seconds; undefined when it does not say. `asked`, `answered`: our clock at the request and at the
 * answer, in milliseconds; the truth lies between. The header has whole seconds, cut off (RFC 9110, section 6.6.1).
 */
export function offsetOf(date: string | null, asked: number, answered: number): number | undefined {
  const said = Date.parse(date ?? "");
  if (Number.isNaN(said)) return undefined;
  const earliest = said - answered;
  const latest = said + 999 - asked;
  return earliest <= 0 && latest >= 0 ? 0 : (Math.abs(earliest) < Math.abs(latest) ? earliest : latest) / 1000;
}
