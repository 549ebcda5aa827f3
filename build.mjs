// Builds the program: a hot entry that loads node:fs only, and lazy CommonJS bundles behind it (docs/adr/0001-hot-path.md).
import { existsSync, readFileSync } from "node:fs";
import { build } from "esbuild";
import { builtCommit } from "./packaging/commit.mjs";
import { buildLazyBundles, lazyDoors } from "./packaging/lazy-bundles.mjs";
import { writeBundled } from "./packaging/write-bundled.mjs";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  legalComments: "none",
  // A dynamic import in CommonJS must become a require: the ESM loader costs 5 ms on Node 20.
  supported: { "dynamic-import": false },
  define: {
    PROGRAM_VERSION: JSON.stringify(version),
    PROGRAM_COMMIT: JSON.stringify(builtCommit(import.meta.dirname)),
    "import.meta.url": "__bundle.url",
    "import.meta.dirname": "__dirname",
  },
  external: ["@napi-rs/keyring", "fs-native-extensions"],
  metafile: true,
  logLevel: "warning",
};
// A getter: making the URL takes half a millisecond, and few ask.
const urlBanner = { js: "const __bundle={get url(){return require('node:url').pathToFileURL(__filename).href}};" };

const built = await Promise.all([
  build({ ...common, entryPoints: ["bin/kubectl-oidc.ts"], outfile: "dist/kubectl-oidc.cjs", plugins: [lazyDoors("")] }),
  build({ ...common, entryPoints: ["bin/kubectl_complete-oidc.ts"], outfile: "dist/kubectl_complete-oidc.cjs", plugins: [lazyDoors("")] }),
  buildLazyBundles("dist", { ...common, banner: urlBanner }),
  build({ ...common, entryPoints: ["src/adapters/keychain-child.ts"], outfile: "dist/keychain-child.cjs", banner: urlBanner }),
]);
writeBundled(built.flat().map(({ metafile }) => metafile));

// The demo and the tests' own programs; not part of the package (package.json "files" lists dist only).
const devPrograms = { demo: "demo/main.ts", "browser-command": "test/issuer/browser-command.ts", issuer: "test/bench/parts/issuer.ts" };
const present = Object.entries(devPrograms).filter(([, source]) => existsSync(new URL(source, import.meta.url)));
if (present.length > 0) {
  await build({
    entryPoints: Object.fromEntries(present),
    outdir: "dist-dev",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    logLevel: "warning",
  });
}
