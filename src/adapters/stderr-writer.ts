import { fstatSync, writeSync } from "node:fs";
import { safeLine } from "../core/untrusted-text.ts";

/** No line of ours is longer; an authorization URL has 8,192. Characters. */
const longestLine = 16_384;

/** Pauses for a reader that is slow. Milliseconds. */
const pause = 5;
/** Pauses for one text, until it is given up: one second in all. */
const mostPauses = 200;

/** Milliseconds between two looks of a line that counts, and is written over. */
export const eachSecond = 1_000;

/** Forgets what stands on the terminal's current line: to its beginning, and nothing after it. */
const inPlace = "\r\u001b[K";

/** Writes one line; `end` is the only line break in it, or nothing after a prompt. `in place`: over the terminal's current line, which it stays on. */
export type StderrWriter = (line: string, end?: "\n" | "" | "in place") => void;

/**
 * The only way to stderr, and the last gate: whatever a line was made of, only what is safe on a terminal leaves here
 * (`core/untrusted-text.ts`), so that no error message, library or planted file can move a cursor or end a line.
 * Written at once and whole: a process that ends must have said everything. A reader that is gone, or that lets the
 * pipe fill up (editors that show stderr only at the end), neither crashes us nor holds us up for more than a second:
 * what follows a text that was given up is tried once.
 */
export function stderrWriter(): StderrWriter {
  let pausesLeft = mostPauses;
  let isReady = false;
  return (line, end = "\n") => {
    if (!isReady) makeNonBlocking();
    isReady = true;
    const safe = safeLine(line.slice(0, longestLine));
    const bytes = Buffer.from(end === "in place" ? `${inPlace}${safe}` : `${safe}${end}`);
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

/**
 * A pipe or socket is inherited as one on which a write waits until somebody reads. Node changes that when it makes its stream for it, which takes
 * 3 ms: only for those who have something to say, and not for terminals and files.
 */
function makeNonBlocking(): void {
  try {
    const stat = fstatSync(2);
    if (stat.isFIFO() || stat.isSocket()) process.stderr.on("error", () => undefined);
  } catch {
    // No stderr at all.
  }
}
