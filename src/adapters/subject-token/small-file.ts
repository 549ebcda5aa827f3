import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { readAll } from "../secret-file.ts";

/** A device or a log file named by mistake is larger. Bytes. */
const mostBytes = 65_536;

/** The reason of a fault. */
export const isPipe = "it is a pipe";

/** What a small file holds, with what `fstat` says of it; or why it cannot be had. */
export type SmallFile =
  | {
      readonly kind: "text";
      readonly text: string;
      readonly mode: number;
      readonly uid: number;
      /** It was written while it was read. */
      readonly hasChanged: boolean;
    }
  | { readonly kind: "fault"; readonly reason: string };

/** Reads all of a file through one descriptor, links followed (Kubernetes mounts them). Never throws, and waits for nobody: a pipe is no file. */
export async function readSmallFile(path: string): Promise<SmallFile> {
  const bad = (reason: string): SmallFile => ({ kind: "fault", reason });
  let fd: number | undefined;
  try {
    // Opening a pipe that nobody writes to would never end.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd);
    // The token is read more than once, and a pipe gives it once.
    if (stat.isFIFO()) return bad(isPipe);
    if (!stat.isFile()) return bad("it is not a file");
    if (stat.size > mostBytes) return bad("it is too large for a token");
    const bytes = await readAll(fd, undefined);
    if (bytes === undefined) return bad("it is too large for a token");
    const text = bytes.toString("utf8");
    if (text.trim() === "") return bad("it is empty");
    const after = fstatSync(fd);
    return { kind: "text", text, mode: stat.mode & 0o777, uid: stat.uid, hasChanged: after.mtimeMs !== stat.mtimeMs || after.size !== bytes.length };
  } catch (error) {
    return bad((error as NodeJS.ErrnoException).code ?? "it cannot be read");
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
