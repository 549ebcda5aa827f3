import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { findProgram, run } from "./try-program.mjs";

/**
 * A program written in Go, of one version, built from its module: its path. A text that says why not, when there is no Go or the module cannot be
 * had: { path } or { why }.
 */
export async function goTool(name, module, version) {
  const folder = resolve(import.meta.dirname, "../node_modules/.cache/go-tools", version);
  const path = join(folder, name);
  if (existsSync(path)) return { path };
  const go = findProgram("go");
  if (go === undefined) return { why: "there is no Go to build it" };
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = await run(go, ["install", `${module}@${version}`], { env: { ...process.env, GOBIN: folder, GOFLAGS: "" }, deadline: 300_000 });
  return status === 0 && existsSync(path) ? { path } : { why: `${module}@${version} cannot be built: ${stderr.trim().split("\n").at(-1)}` };
}
