import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";

/** A secret is never longer than this; a device or a log file named by mistake is. Bytes. */
export const mostBytes = 65_536;
/** Milliseconds that the writer of a pipe may take (`<(vault read …)`). */
const pipeDeadline = 10_000;

/** SETTINGS_INVALID for the file of an option. `reason`: nothing of its content. */
export const badFile = (option: string, path: string, reason: string): never =>
  fail("SETTINGS_INVALID", { message: `the file of --${option}, ${safeText(path)}, cannot be used`, reason, hint: `check the path and the mode of --${option}` });

/**
 * The text of a small secret file, without its last line break. SETTINGS_INVALID naming the option, never the content. `problemOf`: why a file
 * that is like this is not to be used.
 */
export function readSecretFile(option: string, path: string, problemOf: (stat: Stats) => string | undefined = () => undefined): string {
  const bad = (reason: string): never => badFile(option, path, reason);
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return bad((error as NodeJS.ErrnoException).code ?? "it cannot be opened");
  }
  try {
    const stat = fstatSync(fd);
    // Kubernetes mounts secrets as links, and pipes come from shells (`<(…)`): both are read; devices and folders are not.
    if (!stat.isFile() && !stat.isFIFO()) return bad("it is not a file");
    if (stat.size > mostBytes) return bad("it is too large for a secret");
    const problem = problemOf(stat);
    if (problem !== undefined) return bad(problem);
    const bytes = readAll(fd);
    if (bytes === undefined) return bad("its writer takes too long, or writes too much");
    const text = bytes.toString("utf8").replace(/\r?\n$/, "");
    if (text === "") return bad("it is empty");
    return text.includes("\u0000") ? bad("it is not a text") : text;
  } catch (error) {
    if (isOidcError(error)) throw error;
    return bad((error as NodeJS.ErrnoException).code ?? "it cannot be read");
  } finally {
    closeSync(fd);
  }
}

/** All bytes; undefined for too many, and for a pipe whose writer is late. A pipe without data yet says EAGAIN. */
export function readAll(fd: number): Buffer | undefined {
  const bytes = Buffer.alloc(mostBytes + 1);
  const until = Date.now() + pipeDeadline;
  let filled = 0;
  while (filled <= mostBytes) {
    try {
      const n = readSync(fd, bytes, filled, bytes.length - filled, null);
      if (n === 0) return bytes.subarray(0, filled);
      filled += n;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || Date.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  return undefined;
}
