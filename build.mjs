// Builds the program: a hot entry that loads node:fs only, and lazy CommonJS bundles behind it (docs/adr/0001-hot-path.md).
import { existsSync, readFileSync } from "node:fs";
import { build } from "esbuild";
import { builtCommit } from "./packaging/commit.mjs";
import { writeBundled } from "./packaging/write-bundled.mjs";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

/** Modules that are bundles of their own: an import() of them stays a require at run time. */
const lazyBundles = {
  "cli/main.ts": "./cli.cjs",
  "adapters/openid-provider.ts": "./oidc.cjs",
  "./setup.ts": "./setup.cjs",
  "./migrate.ts": "./migrate.cjs",
  "./doctor.ts": "./doctor.cjs",
};
const lazy = {
  name: "lazy-bundles",
  setup(b) {
    b.onResolve({ filter: /\.ts$/ }, ({ path, kind }) => {
      if (kind !== "dynamic-import") return undefined;
      const found = Object.entries(lazyBundles).find(([suffix]) => path.endsWith(suffix));
      return found === undefined ? undefined : { path: found[1], external: true };
    });
  },
};

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  legalComments: "none",
  // A dynamic import in CommonJS must become a require: the ESM loader costs 5 ms on Node 20.
  supported: { "dynamic-import": false },
  define: { PROGRAM_VERSION: JSON.stringify(version), PROGRAM_COMMIT: JSON.stringify(builtCommit(import.meta.dirname)), "import.meta.url": "__bundleUrl" },
  external: ["@napi-rs/keyring", "fs-native-extensions"],
  plugins: [lazy],
  metafile: true,
  logLevel: "warning",
};
const urlBanner = { js: "const __bundleUrl=require('node:url').pathToFileURL(__filename).href;" };

const built = await Promise.all([
  build({ ...common, entryPoints: ["bin/kubectl-oidc.ts"], outfile: "dist/kubectl-oidc.cjs" }),
  build({ ...common, entryPoints: ["bin/kubectl_complete-oidc.ts"], outfile: "dist/kubectl_complete-oidc.cjs" }),
  build({ ...common, entryPoints: ["src/cli/main.ts"], outfile: "dist/cli.cjs", banner: urlBanner }),
  ...["setup", "migrate", "doctor"].map((name) => build({ ...common, entryPoints: [`src/cli/${name}.ts`], outfile: `dist/${name}.cjs`, banner: urlBanner })),
  build({ ...common, entryPoints: ["src/adapters/openid-provider.ts"], outfile: "dist/oidc.cjs", banner: urlBanner }),
  build({ ...common, entryPoints: ["src/adapters/keychain-child.ts"], outfile: "dist/keychain-child.cjs", banner: urlBanner }),
]);
writeBundled(built.map(({ metafile }) => metafile));

// The demo and the tests' own programs; not part of the package (package.json "files" lists dist only).
const devPrograms = { demo: "demo/main.ts", "browser-command": "test/issuer/browser-command.ts" };
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
