// Runs in Bun, started by standalone.mjs with its job as the argument.
import { dirname, resolve } from "node:path";

const job = JSON.parse(process.argv[2]);
const adapters = `${process.cwd()}/src/adapters`;
const standalone = `${adapters}/standalone/`;

/** Modules that have a form of their own in the executable. */
const instead = {
  [`${adapters}/lock-binding.ts`]: `${adapters}/standalone/${job.os === "windows" ? "lock-addon" : "lock-binding"}.ts`,
  [`${adapters}/keychain-binding.ts`]: `${adapters}/standalone/${job.os === "linux" ? "keychain-binding" : "keychain-addon"}.ts`,
};

const forms = {
  name: "standalone-forms",
  setup(build) {
    // Their own imports of the replaced modules mean those themselves.
    build.onResolve({ filter: /(lock|keychain)-binding\.ts$/ }, ({ path, importer }) => {
      const replaced = importer.startsWith(standalone) ? undefined : instead[resolve(dirname(importer), path)];
      return replaced === undefined ? undefined : { path: replaced };
    });
    build.onResolve({ filter: /^kubectl-oidc:keyring-(file|addon)$/ }, () => ({ path: job.addons.keyring }));
    build.onResolve({ filter: /^kubectl-oidc:lock-addon$/ }, () => ({ path: job.addons.locks }));
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
  plugins: [forms],
  // A working directory's .env and bunfig.toml are somebody else's: a preload there would run in this program.
  compile: {
    outfile: job.outfile,
    executablePath: job.runtime,
    target: job.compileTarget,
    autoloadDotenv: false,
    autoloadBunfig: false,
    autoloadTsconfig: false,
    autoloadPackageJson: false,
  },
});
for (const log of built.logs) console.error(String(log));
if (!built.success) process.exit(1);
