import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/** Bundles of every authority there is have some 300 KB. Bytes. */
const mostBytes = 1_048_576;

/** A cluster's certificate authority as kubectl hands it to a plugin: base64 of the file's bytes. Undefined for what is no such file. */
export function authorityData(path: string): string | undefined {
  let fd: number;
  try {
    // A pipe must not hold us up.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= mostBytes ? readFileSync(fd).toString("base64") : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
