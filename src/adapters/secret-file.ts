import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";

/** A secret is never longer than this; a device or a log file named by mistake is. Bytes. */
const mostBytes = 65_536;

/** The text of a small secret file, without its last line break. SETTINGS_INVALID naming the option, never the content. */
export function readSecretFile(option: string, path: string): string {
  const bad = (reason: string, cause?: unknown): never =>
    fail("SETTINGS_INVALID", { message: `the file of --${option}, ${safeText(path)}, cannot be used`, reason, hint: `check the path and the mode of --${option}` }, cause);
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
    const text = readFileSync(fd, "utf8").replace(/\r?\n$/, "");
    if (text === "") return bad("it is empty");
    return text.includes("\u0000") ? bad("it is not a text") : text;
  } finally {
    closeSync(fd);
  }
}
