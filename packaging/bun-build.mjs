// Runs in Bun, started by standalone.mjs with its job as the argument.
import { dirname, join, resolve } from "node:path";
import { doorText, goesThroughDoor } from "./lazy-bundles.mjs";

const job = JSON.parse(process.argv[2]);
const adapters = resolve("src/adapters");
const standalone = join(adapters, "standalone");

/** Modules that have a form of their own in the executable. */
const instead = {
  [join(adapters, "lock-binding.ts")]: join(standalone, job.os === "windows" ? "lock-addon.ts" : "lock-binding.ts"),
  [join(adapters, "keychain-binding.ts")]: join(standalone, job.os === "linux" ? "keychain-binding.ts" : "keychain-addon.ts"),
  ...(job.os === "windows" ? {} : { [join(adapters, "user-home.ts")]: join(standalone, "user-home.ts") }),
};

/** The addons of the target, as modules: a path inside the executable, or the loaded addon. */
const embedded = {
  "kubectl-oidc:keyring-file": `import path from ${JSON.stringify(job.addons.keyring)} with { type: "file" };\nexport default path;`,
  "kubectl-oidc:keyring-addon": `export default require(${JSON.stringify(job.addons.keyring)});`,
  "kubectl-oidc:lock-addon": `export default () => require(${JSON.stringify(job.addons.locks)});`,
};

const forms = {
  name: "standalone-forms",
  setup(build) {
    // Their own imports of the replaced modules mean those themselves.
    build.onResolve({ filter: /(lock-binding|keychain-binding|user-home)\.ts$/ }, ({ path, importer }) => {
      const replaced = dirname(resolve(importer)) === standalone ? undefined : instead[resolve(dirname(importer), path)];
      return replaced === undefined ? undefined : { path: replaced };
    });
    build.onResolve({ filter: /^kubectl-oidc:/ }, ({ path }) => ({ path, namespace: "embedded" }));
    build.onLoad({ filter: /.*/, namespace: "embedded" }, ({ path }) => ({ contents: embedded[path], loader: "js" }));
  },
};

/** The doors of the npm program's bundles (lazy-bundles.mjs): here each leads into a chunk that is loaded at the first call. */
const doors = {
  name: "lazy-doors",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer, kind, namespace }) => {
      if (kind !== "import-statement" || namespace !== "file") return undefined;
      const file = resolve(dirname(importer), path);
      return goesThroughDoor(importer, path, file) ? { path: `${file}?door`, namespace: "door" } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: "door" }, ({ path }) => {
      const file = path.replace(/\?door$/, "");
      return { contents: doorText(file, file), loader: "js" };
    });
  },
};

/**
 * The entry and all that a hit needs of it as one module: each module that is loaded takes the runtime 0.08 ms, and shared with the rest of the program they
 * were six. What a hit does not need comes by `import()`, and stays where it is; it has its own copy of what both use.
 */
async function hotModule() {
  const lazily = {
    name: "lazily",
    setup(build) {
      build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer, kind }) =>
        kind === "dynamic-import" ? { path: resolve(dirname(importer), path), external: true } : undefined,
      );
    },
  };
  const { outputs, logs } = await Bun.build({ entrypoints: [job.entry], target: "bun", format: "esm", define: job.define, plugins: [lazily] });
  for (const log of logs) console.error(String(log));
  const text = await outputs[0].text();
  const loaded = [...text.matchAll(/^import .*? from "([^"]+)";$/gm)].map(([, from]) => from).filter((from) => from !== "fs");
  if (loaded.length > 0) throw new Error(`the standalone executable's hit would load more than the file system: ${loaded.join(", ")}`);
  return text;
}
const hotText = await hotModule();

const hot = {
  name: "hot-module",
  setup(build) {
    build.onLoad({ filter: /[\\/]bin[\\/]standalone\.ts$/ }, () => ({ contents: hotText, loader: "js" }));
  },
};

const built = await Bun.build({
  entrypoints: [job.entry],
  target: "bun",
  format: "esm",
  minify: true,
  bytecode: true,
  splitting: true,
  define: job.define,
  plugins: [hot, forms, doors],
  // A working directory's .env and bunfig.toml are somebody else's: a preload there would run in this program.
  compile: {
    outfile: job.outfile,
    executablePath: job.runtime,
    target: job.compileTarget,
    autoloadDotenv: false,
    autoloadBunfig: false,
    autoloadTsconfig: false,
    autoloadPackageJson: false,
    // A hit compiles nothing then (0.3 ms of 6); bin/standalone.ts takes it back for everything else.
    jitPolicy: 1000,
  },
});
for (const log of built.logs) console.error(String(log));
if (!built.success) process.exit(1);
