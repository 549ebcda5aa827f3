import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { mostBytes, readAll } from "../secret-file.ts";

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

/** Reads all of a file through one descriptor, links followed (Kubernetes mounts them), within a bounded time. Never throws. */
export function readSmallFile(path: string): SmallFile {
  const bad = (reason: string): SmallFile => ({ kind: "fault", reason });
  let fd: number | undefined;
  try {
    // A pipe without a writer holds nobody.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd);
    if (!stat.isFile() && !stat.isFIFO()) return bad("it is not a file");
    if (stat.size > mostBytes) return bad("it is too large for a token");
    const bytes = readAll(fd);
    if (bytes === undefined) return bad("its writer takes too long, or writes too much");
    const text = bytes.toString("utf8");
    if (text.trim() === "") return bad("it is empty");
    const after = fstatSync(fd);
    return { kind: "text", text, mode: stat.mode & 0o777, uid: stat.uid, hasChanged: stat.isFile() && (after.mtimeMs !== stat.mtimeMs || after.size !== bytes.length) };
  } catch (error) {
    return bad((error as NodeJS.ErrnoException).code ?? "it cannot be read");
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
