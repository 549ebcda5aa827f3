// `npm run bench [-- NAME … --json --gate --nodes=all]`: what the program costs, in one table (docs/explanation/performance.md).
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { builtFile, targets } from "../../packaging/targets.mjs";

const root = resolve(import.meta.dirname, "../..");
// In the repository: packages are found from there.
const folder = join(root, "node_modules", ".cache", `bench-${process.pid}`);
mkdirSync(folder, { recursive: true });
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
await build({
  entryPoints: [join(root, "test/bench/main.ts")],
  outfile: join(folder, "bench.mjs"),
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  packages: "external",
  logLevel: "warning",
});
const { main } = await import(pathToFileURL(join(folder, "bench.mjs")).href);
try {
  process.exitCode = await main(process.argv.slice(2), { root, standalone: process.env.BENCH_STANDALONE ?? join(root, standaloneFile()) });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}

/** Of this machine, wherever it is built. */
function standaloneFile() {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const isMusl = os === "linux" && process.report.getReport().header.glibcVersionRuntime === undefined;
  const target = targets.find(({ os: its, cpu, libc }) => its === os && cpu === process.arch && (libc === "musl") === isMusl);
  return target === undefined ? "dist-standalone/none" : builtFile(target);
}
