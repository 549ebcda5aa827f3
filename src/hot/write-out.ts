import { writeSync } from "node:fs";

/**
 * Writes all of it to stdout and calls `done` when the kernel has it. A plain writeSync may write a part, or throw
 * EAGAIN on a full non-blocking pipe; `process.stdout` (2 to 4 ms to load) is used only then. A closed pipe is no error
 * of ours: nobody reads. `data`: bytes, or a text in ASCII, which a credential is: there a character is a byte, and the first mention of Buffer in a
 * process costs the standalone executable 0.1 ms.
 */
export function writeOut(data: string | Uint8Array, done: () => void): void {
  let written = 0;
  try {
    while (written < data.length) written += typeof data === "string" ? writeSync(1, written === 0 ? data : data.slice(written)) : writeSync(1, data, written);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EAGAIN") {
      process.stdout.on("error", done);
      process.stdout.write(data.slice(written), done);
      return;
    }
    if (code !== "EPIPE") throw error;
  }
  done();
}
