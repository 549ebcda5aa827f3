/** Milliseconds in which what lies in a socket or pipe already is read. */
const lastLook = 200;

/**
 * Calls `late` when the time has passed; gives what stops it. A program that was stopped, or a computer that slept, finds its timers due
 * before it looks at its sockets: an answer that came meanwhile, perhaps with a rotated refresh token, is read first.
 */
export function deadline(ms: number, late: () => void): () => void {
  let timer = setTimeout(() => {
    timer = setTimeout(late, lastLook);
  }, ms);
  return () => clearTimeout(timer);
}
