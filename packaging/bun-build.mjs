// Runs in Bun, started by standalone.mjs with its job as the argument: makes an executable of the bundles that standalone-bundles.mjs has written.
const job = JSON.parse(process.argv[2]);

/** The addons of the target, as modules: a path inside the executable, or the loaded addon. */
const embedded = {
  "kubectl-oidc:keyring-file": `import path from ${JSON.stringify(job.addons.keyring)} with { type: "file" };\nexport default path;`,
  "kubectl-oidc:keyring-addon": `export default require(${JSON.stringify(job.addons.keyring)});`,
  "kubectl-oidc:lock-addon": `export default () => require(${JSON.stringify(job.addons.locks)});`,
};

const addons = {
  name: "addons",
  setup(build) {
    build.onResolve({ filter: /^kubectl-oidc:/ }, ({ path }) => ({ path, namespace: "embedded" }));
    build.onLoad({ filter: /.*/, namespace: "embedded" }, ({ path }) => ({ contents: embedded[path], loader: "js" }));
  },
};

const built = await Bun.build({
  entrypoints: [job.entry],
  target: "bun",
  format: "esm",
  minify: true,
  bytecode: true,
  splitting: true,
  plugins: [addons],
  // A working directory's .env and bunfig.toml are somebody else's: a preload there would run in this program.
  compile: {
    outfile: job.outfile,
    executablePath: job.runtime,
    target: job.compileTarget,
    autoloadDotenv: false,
    autoloadBunfig: false,
    autoloadTsconfig: false,
    autoloadPackageJson: false,
    // A hit compiles nothing then (0.3 ms of 6), and a refresh next to nothing (8 ms of 43); bin/standalone.ts takes it back for everything else.
    jitPolicy: 1000,
    // What a start runs lies together then: 40 of a hit's 950 page faults, and 3 % of its time.
    bytecodeOrder: job.order,
  },
});
for (const log of built.logs) console.error(String(log));
if (!built.success) process.exit(1);
