import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Locks that everybody gets. */
const noLocks = `export async function kernelLocks() {
  const held = { release() {} };
  return { tryTake: () => held, take: async () => held };
}
`;

/**
 * The same program with the lock removed: its sources and its build script, copied to where packages are found, with one module replaced.
 * Not inside node_modules: there esbuild passes tsconfig.json over, and "use strict" with it. `remove` deletes it.
 */
export function buildWithoutLock(root: string): { readonly program: string; remove(): void } {
  // One name for all runs, so that a run that was killed leaves no more than one copy.
  const folder = join(root, "dist-dev/bench-without-lock");
  const remove = () => rmSync(folder, { recursive: true, force: true });
  remove();
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "build.mjs", "packaging", "bin", "src"]) cpSync(join(root, name), join(folder, name), { recursive: true });
  writeFileSync(join(folder, "src/adapters/kernel-locks.ts"), noLocks);
  const { status, stderr } = spawnSync(process.execPath, ["build.mjs"], { cwd: folder, encoding: "utf8" });
  if (status === 0) return { program: join(folder, "dist/kubectl-oidc.cjs"), remove };
  remove();
  throw new Error(`the program without the lock cannot be built: ${stderr}`);
}
