// The npm package, installed globally by each package manager into a prefix and a home of its own, with install scripts off, and used.
// Prints `N passed, N failed` last and `skipped: …` for what is not to be had here.
import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { runtimeFile } from "./runtimes.mjs";
import { newTally } from "./tally.mjs";
import { hostTarget } from "./targets.mjs";
import { findProgram, ran, run, tryProgram } from "./try-program.mjs";

const root = resolve(import.meta.dirname, "..");
const stage = mkdtempSync(join(tmpdir(), "kubectl-oidc-installs-"));
const versions = { pnpm: "12.21.0", yarn: "1.22.22", "@yarnpkg/cli-dist": "4.18.1" };
const installDeadline = 240_000;
const tally = newTally();

/** This environment, with what reaches the registry, but a home and settings of its own. `npm run` leaves settings of its own in it too. */
function managerEnv(home, more) {
  mkdirSync(home, { recursive: true });
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|XDG_|BUN_|YARN_|PNPM_|NODE_OPTIONS$|KUBE)/i.test(name));
  return { ...Object.fromEntries(kept), HOME: home, npm_config_userconfig: join(homedir(), ".npmrc"), npm_config_cache: join(stage, "npm-cache"), ...more };
}

const managers = {
  npm: (tarball, home) => {
    const args = ["install", "--global", "--prefix", join(home, "prefix"), "--ignore-scripts", "--no-audit", "--no-fund", tarball];
    return { program: findProgram("npm"), args, bin: join(home, "prefix/bin"), env: {} };
  },
  pnpm: (tarball, home) => {
    const bin = join(home, "pnpm");
    // pnpm 11 moved the programs into a folder below its home.
    const path = [bin, join(bin, "bin"), process.env.PATH].join(delimiter);
    return {
      program: managerProgram("pnpm"),
      args: ["add", "--global", "--ignore-scripts", tarball],
      bin: [bin, join(bin, "bin")],
      env: { PNPM_HOME: bin, PATH: path, CI: "true" },
    };
  },
  "yarn 1": (tarball, home) => ({
    program: managerProgram("yarn"),
    args: [
      ...["global", "add", `file:${tarball}`, "--ignore-scripts", "--non-interactive", "--prefix", join(home, "prefix")],
      ...["--global-folder", join(home, "global"), "--cache-folder", join(home, "cache")],
    ],
    bin: join(home, "prefix/bin"),
    env: {},
  }),
  // Yarn 2 and newer install nothing globally: a project of one's own takes its place.
  "yarn 4": (tarball, home) => {
    writeFileSync(join(home, "package.json"), '{ "name": "tools", "private": true }\n');
    writeFileSync(join(home, "yarn.lock"), "");
    writeFileSync(join(home, ".yarnrc.yml"), "nodeLinker: node-modules\nenableScripts: false\nenableTelemetry: false\nenableGlobalCache: false\n");
    return { program: managerProgram("@yarnpkg/cli-dist", "yarn"), args: ["add", `kubectl-oidc@file:${tarball}`], bin: join(home, "node_modules/.bin"), env: {} };
  },
  bun: (tarball, home) => ({
    program: runtimeFile(hostTarget(), join(root, "node_modules/.cache/standalone")),
    args: ["add", "--global", "--ignore-scripts", tarball],
    bin: join(home, "bun/bin"),
    env: { BUN_INSTALL: join(home, "bun") },
  }),
};

/** A package manager out of the registry. */
const managerProgram = (name, file = name) => join(stage, "managers", name.replace("/", "+"), "node_modules/.bin", file);

async function fetchManagers() {
  for (const [name, version] of Object.entries(versions)) {
    const args = ["install", "--prefix", join(stage, "managers", name.replace("/", "+")), "--no-audit", "--no-fund", "--silent", `${name}@${version}`];
    const { status, stderr } = await run(findProgram("npm"), args, { env: managerEnv(join(stage, "fetch"), {}), deadline: installDeadline });
    if (status !== 0) console.log(`${name}@${version}: ${stderr.slice(-500)}`);
  }
}

async function tryManager(name, make, tarball) {
  const home = join(stage, name.replace(" ", "-"));
  mkdirSync(home, { recursive: true });
  let plan;
  try {
    plan = make(tarball, home);
  } catch (error) {
    return tally.skip(`${name}: it cannot be had here (${error instanceof Error ? error.message.split("\n")[0] : error})`);
  }
  if (plan.program === undefined || findProgram(plan.program, "/") === undefined) return tally.skip(`${name}: it cannot be had here`);
  const isInstalled = await tally.check(`${name}: installs the package globally, without install scripts`, async () => {
    await ran(plan.program, plan.args, { env: managerEnv(home, plan.env), cwd: home, deadline: installDeadline });
  });
  if (!isInstalled) return;
  const bin = [plan.bin].flat().find((folder) => findProgram("kubectl-oidc", folder) !== undefined);
  if (bin === undefined) return tally.check(`${name}: the program is where it puts programs`, () => assert.fail(`nothing in ${plan.bin}`));
  await tryProgram(tally, name, { bin, home: join(home, "person"), form: "npm" });
  await tally.check(`${name}: the keychain's and the locks' native bindings load`, () => tryBindings(home));
}

/** From where the bundles are, as they themselves ask for them. Some managers put a script or a link into their bin folder. */
async function tryBindings(home) {
  const isBundle = ({ name, parentPath }) => name === "kubectl-oidc.cjs" && parentPath.endsWith("kubectl-oidc/dist");
  const found = readdirSync(home, { recursive: true, withFileTypes: true }).find(isBundle);
  assert.ok(found, `no dist/kubectl-oidc.cjs below ${home}`);
  const code = `
    const load = require("node:module").createRequire(process.argv[1]);
    const { tryLock, unlock } = load("fs-native-extensions");
    const fd = require("node:fs").openSync(process.argv[2], "w");
    if (tryLock(fd) !== true) throw new Error("no lock");
    unlock(fd);
    if (!("LinuxStore" in load("@napi-rs/keyring")) && process.platform === "linux") throw new Error("the keychain binding is an old one");
  `;
  await ran(process.execPath, ["-e", code, realpathSync(join(found.parentPath, found.name)), join(stage, "lock")], { env: { PATH: process.env.PATH } });
}

try {
  await ran(findProgram("npm"), ["pack", "--silent", "--ignore-scripts", "--pack-destination", stage], { cwd: root, env: managerEnv(join(stage, "pack"), {}) });
  const tarball = join(
    stage,
    readdirSync(stage).find((file) => file.endsWith(".tgz")),
  );
  await fetchManagers();
  for (const [name, make] of Object.entries(managers)) await tryManager(name, make, tarball);
} finally {
  rmSync(stage, { recursive: true, force: true });
}
tally.end();
