// `npm run test:cluster [-- --build --build=quick --record FILE…]`: the built program against real API servers, issuers and callers.
// Uses the parts that are there (test/real/parts: a variable, the PATH, the cache); --build makes the others, which takes long once;
// --build=quick those of them that take minutes, for the gate.
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, "node_modules", ".cache", `real-${process.pid}`);
mkdirSync(folder, { recursive: true });
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
await build({
  entryPoints: [join(root, "test/real/main.ts")],
  outfile: join(folder, "real.mjs"),
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  packages: "external",
  logLevel: "warning",
});
const { main } = await import(pathToFileURL(join(folder, "real.mjs")).href);
try {
  process.exitCode = await main(process.argv.slice(2), root);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
