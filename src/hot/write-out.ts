import { writeSync } from "node:fs";

/**
 * Writes the whole text to stdout and calls `done` when the kernel has it. A plain writeSync may write a part, or throw
 * EAGAIN on a full non-blocking pipe; `process.stdout` (2 to 4 ms to load) is used only then. A closed pipe is no error
 * of ours: nobody reads.
 */
export function writeOut(text: string, done: () => void): void {
  const bytes = bytesOf(text);
  let written = 0;
  try {
    while (written < bytes.length) written += typeof bytes === "string" ? writeSync(1, written === 0 ? bytes : bytes.slice(written)) : writeSync(1, bytes, written);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EAGAIN") {
      process.stdout.on("error", done);
      process.stdout.write(bytes.slice(written), done);
      return;
    }
    if (code !== "EPIPE") throw error;
  }
  done();
}

/** In ASCII, which a credential is, a character is a byte; the first Buffer of a process costs the standalone executable 0.1 ms. */
const bytesOf = (text: string): string | Buffer => (Buffer.byteLength(text) === text.length ? text : Buffer.from(text));
