import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";

/** A secret is never longer than this; a device or a log file named by mistake is. Bytes. */
const mostBytes = 65_536;
/** Milliseconds that the writer of a pipe may take (`<(vault read …)`), and between two looks at it. */
const [pipeDeadline, pipeInterval] = [10_000, 20];

/** SETTINGS_INVALID for the file of an option. `reason`: nothing of its content. */
export function badFile(option: string, path: string, reason: string): never {
  return fail("SETTINGS_INVALID", { message: `the file of --${option}, ${safeText(path)}, cannot be used`, reason, hint: `check the path, the owner and the mode of --${option}` });
}

/**
 * Why somebody else decides what this file holds; undefined when only we and root can write it, or a group that it was given to (Kubernetes'
 * `fsGroup`). The folders above are not looked at, as OpenSSH's client does not: Kubernetes' own volumes are 0777. Windows has other rights.
 */
export function strangerTo({ uid, mode }: Pick<Stats, "uid" | "mode">, platform: string = process.platform): string | undefined {
  if (platform === "win32") return undefined;
  // Its owner may write it whatever its mode says: a chmod away.
  if (uid !== process.geteuid?.() && uid !== 0) return "it belongs to another user, who can write what they like into it";
  return (mode & 0o002) === 0 ? undefined : "everybody on this computer can write it";
}

export interface SecretReading {
  /** Ends the wait for a pipe's writer. */
  readonly signal?: AbortSignal | undefined;
  /** A certificate: it must fit the key, so who exchanges it gains nothing. */
  readonly isPublic?: boolean;
  /** Looks at the file before it is read. */
  readonly look?: (stat: Stats) => void;
}

/**
 * The text of a small secret file, without its last line break. SETTINGS_INVALID naming the option, never the content, and also for a file
 * that a stranger can write; INTERRUPTED.
 */
export async function readSecretFile(option: string, path: string, { signal, isPublic = false, look }: SecretReading = {}): Promise<string> {
  const bad = (reason: string): never => badFile(option, path, reason);
  let fd: number;
  try {
    // A pipe without a writer holds nobody.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return bad((error as NodeJS.ErrnoException).code ?? "it cannot be opened");
  }
  try {
    const stat = fstatSync(fd);
    // Kubernetes mounts secrets as links, and pipes come from shells (`<(…)`): both are read; devices and folders are not.
    if (!stat.isFile() && !stat.isFIFO()) return bad("it is not a file");
    if (stat.size > mostBytes) return bad("it is too large for a secret");
    const stranger = isPublic ? undefined : strangerTo(stat);
    if (stranger !== undefined) return bad(stranger);
    look?.(stat);
    const bytes = await readAll(fd, signal);
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

/** All bytes; undefined for too many, and for a pipe whose writer is late. A pipe without data yet says EAGAIN. INTERRUPTED. */
export async function readAll(fd: number, signal: AbortSignal | undefined): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(mostBytes + 1);
  const until = Date.now() + pipeDeadline;
  let filled = 0;
  while (filled <= mostBytes) {
    try {
      const n = readSync(fd, bytes, filled, bytes.length - filled, null);
      if (n === 0) return bytes.subarray(0, filled);
      filled += n;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      if (Date.now() > until) return undefined;
      await new Promise((done) => setTimeout(done, pipeInterval));
      if (signal?.aborted === true) return fail("INTERRUPTED");
    }
  }
  return undefined;
}
