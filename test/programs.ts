import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** The first of these programs that is on the PATH; undefined when none is. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

export const hasProgram = (name: string) => findProgram(name) !== undefined;

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    // A folder may be "executed" as well.
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** True where a test may mount a file system of its own (root on Linux, and no sandbox against it). */
export function canMountHere(): boolean {
  if (process.platform !== "linux" || process.geteuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
