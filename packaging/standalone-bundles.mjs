// What the standalone executable is made of, as the npm program's bundles (lazy-bundles.mjs) and for the same reason: each module that is loaded costs the
// runtime 0.08 ms, and Bun's own splitting made 130 of what are 20 here, 60 of them for a refresh.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { buildLazyBundles, lazyDoors } from "./lazy-bundles.mjs";

const root = resolve(import.meta.dirname, "..");
const adapters = join(root, "src/adapters");
const standalone = join(adapters, "standalone");

/** Modules that have a form of their own in the executable. */
const insteadOn = (os) => ({
  [join(adapters, "lock-binding.ts")]: join(standalone, os === "windows" ? "lock-addon.ts" : "lock-binding.ts"),
  [join(adapters, "keychain-binding.ts")]: join(standalone, os === "linux" ? "keychain-binding.ts" : "keychain-addon.ts"),
  ...(os === "windows" ? {} : { [join(adapters, "user-home.ts")]: join(standalone, "user-home.ts") }),
});

const forms = (os) => ({
  name: "standalone-forms",
  setup(esbuild) {
    const instead = insteadOn(os);
    // Their own imports of the replaced modules mean those themselves.
    esbuild.onResolve({ filter: /(lock-binding|keychain-binding|user-home)\.ts$/ }, ({ path, resolveDir }) => {
      const replaced = resolveDir === standalone ? undefined : instead[resolve(resolveDir, path)];
      return replaced === undefined ? undefined : { path: replaced };
    });
  },
});

/** The keychain's child is a program of its own: what it has in common with the rest it has twice. */
const childApart = {
  name: "keychain-child",
  setup(esbuild) {
    esbuild.onResolve({ filter: /\/keychain-child\.ts$/ }, ({ kind }) => (kind === "dynamic-import" ? { path: "./keychain-child.mjs", external: true } : undefined));
  },
};

/** Writes them into `folder`, for Bun to compile; gives the entry's path. It is one module with all that a hit needs. */
export async function buildStandaloneBundles(folder, { os, define }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = {
    bundle: true,
    platform: "node",
    target: "esnext",
    format: "esm",
    legalComments: "none",
    define,
    external: ["@napi-rs/keyring", "fs-native-extensions", "kubectl-oidc:*", "bun:*"],
    metafile: true,
    logLevel: "warning",
    plugins: [forms(os)],
  };
  const entry = join(folder, "standalone.mjs");
  const built = await Promise.all([
    build({ ...options, entryPoints: [join(root, "bin/standalone.ts")], outfile: entry, plugins: [childApart, lazyDoors("", undefined, "mjs")] }),
    build({ ...options, entryPoints: [join(root, "src/adapters/keychain-child.ts")], outfile: join(folder, "keychain-child.mjs") }),
    buildLazyBundles(folder, options),
  ]);
  for (const { metafile } of built.flat()) for (const file of Object.keys(metafile.outputs)) letFollow(file);
  const [{ metafile }] = built;
  const loaded = Object.values(metafile.outputs)[0].imports.filter(({ kind, path }) => kind !== "dynamic-import" && path !== "node:fs");
  if (loaded.length > 0) throw new Error(`the standalone executable's hit would load more than the file system: ${loaded.map(({ path }) => path).join(", ")}`);
  return entry;
}

/** In modules esbuild hides each `require` behind a function of its own, where Bun does not find it. */
function letFollow(file) {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replaceAll(/\b__require\("(\.\/[a-z]+\.mjs)"\)/g, 'require("$1")'));
}
