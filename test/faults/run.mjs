// `npm run test:faults [-- --seed N --rounds N --fresh --storage disk|helper|keyring --replay ID --only systematic|crowds --dist FOLDER]`: the fault-injection ring.
// Works on a copy of the built program, so that a build beside it changes nothing. The copy lies in the repository: its two native
// packages are found from there.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "../..");
const copy = join(root, "node_modules", ".cache", `faults-${process.pid}`);
const at = process.argv.indexOf("--dist");
const dist = at === -1 ? join(root, "dist") : resolve(process.argv[at + 1] ?? "");

mkdirSync(copy, { recursive: true });
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const name of readdirSync(dist)) if (name.endsWith(".cjs")) copyFileSync(join(dist, name), join(copy, name));
const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning" };
await Promise.all([
  build({ ...common, entryPoints: [join(root, "test/faults/preload/main.ts")], format: "cjs", outfile: join(copy, "preload.cjs") }),
  build({ ...common, entryPoints: [join(root, "test/faults/main.ts")], format: "esm", packages: "external", outfile: join(copy, "faults.mjs") }),
]);
const { main } = await import(pathToFileURL(join(copy, "faults.mjs")).href);
try {
  process.exit(await main(process.argv.slice(2), { entry: join(copy, "kubectl-oidc.cjs"), preload: join(copy, "preload.cjs") }));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(2);
}
