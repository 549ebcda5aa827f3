import { writeSync } from "node:fs";

/** Pauses for a reader that is slow. Milliseconds. */
const pause = 5;
/** Pauses for one text, until it is given up: one second in all. */
const mostPauses = 200;

/**
 * Writes to stderr, at once and whole: a process that ends must have said everything. A reader that is gone, or that lets the
 * pipe fill up (editors that show stderr only at the end), neither crashes us nor holds us up for more than a second:
 * what follows a text that was given up is tried once.
 */
export function stderrWriter(): (text: string) => void {
  let pausesLeft = mostPauses;
  return (text) => {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(2, bytes, written);
        pausesLeft = mostPauses;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || pausesLeft === 0) return;
        pausesLeft--;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
      }
    }
  };
}
