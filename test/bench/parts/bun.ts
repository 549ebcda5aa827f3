import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../programs.ts";
import type { Missing } from "./missing.ts";

/** An executable with Bun's runtime and an empty program: what the standalone form costs before it does anything. Its path. */
export function emptyBunProgram(root: string, folder: string): string | Missing {
  const bun = process.env["BENCH_BUN"] ?? runtimeOfTheBuild(root) ?? findProgram("bun");
  if (bun === undefined) return { missing: "no Bun: npm run build:standalone fetches it, BENCH_BUN names one" };
  const source = join(folder, "empty-bun.mjs");
  const outfile = join(folder, "empty-bun");
  writeFileSync(source, "");
  const options = ["--compile", "--minify", "--bytecode", "--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  const { status } = spawnSync(bun, ["build", ...options, "--outfile", outfile, source], { cwd: folder, env: { HOME: folder }, stdio: "ignore" });
  return status === 0 && existsSync(outfile) ? outfile : { missing: `${bun} could not build an empty program` };
}

/** Where packaging/standalone.mjs keeps the runtimes that it fetched. */
function runtimeOfTheBuild(root: string): string | undefined {
  const cache = join(root, "node_modules/.cache/standalone");
  if (!existsSync(cache)) return undefined;
  const kind = process.arch === "arm64" ? "aarch64" : process.arch;
  return readdirSync(cache)
    .filter((name) => name.startsWith(`oven+bun-${process.platform}-${kind}`) && !name.includes("musl"))
    .flatMap((name) => ["bun", "bun.exe"].map((file) => join(cache, name, "package/bin", file)))
    .find((file) => existsSync(file));
}
