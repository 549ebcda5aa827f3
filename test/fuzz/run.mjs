// `npm run test:fuzz [-- --seconds N --seed N --only NAME … | --replay NAME FILE]`: every parser against mutated inputs, for a bounded time.
// A failing input is made smaller and written to test-results/fuzz, with the command that runs it again.
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "../..");
// In the repository: packages are found from there.
const folder = join(root, "node_modules", ".cache", `fuzz-${process.pid}`);
mkdirSync(folder, { recursive: true });
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const common = { bundle: true, platform: "node", target: "node20", format: "esm", packages: "external", logLevel: "warning", define: { PROGRAM_VERSION: '"fuzz"' } };
await build({ ...common, entryPoints: ["main", "worker"].map((name) => join(root, `test/fuzz/${name}.ts`)), outdir: folder, outExtension: { ".js": ".mjs" } });
const { main } = await import(pathToFileURL(join(folder, "main.mjs")).href);
try {
  process.exit(await main(process.argv.slice(2), join(folder, "worker.mjs"), join(root, "test-results", "fuzz")));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(2);
}
