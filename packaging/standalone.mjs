// `npm run build:standalone [-- TARGET… | all]`: the program as one executable with its own runtime (docs/adr/0013-standalone.md). Without
// a name: for this machine. Every target can be built on every machine; the runtimes come from the npm registry, pinned by content.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { builtCommit } from "./commit.mjs";
import { contentOf } from "./executable-content.mjs";
import { fetchPackage, runtimeFile } from "./runtimes.mjs";
import { buildStandaloneBundles } from "./standalone-bundles.mjs";
import { startupProfile } from "./startup-profile.mjs";
import { builtFile, hostTarget, programFile, targets } from "./targets.mjs";

const root = resolve(import.meta.dirname, "..");
const cache = join(root, "node_modules/.cache/standalone");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;

/** Builds one target's executable into `file` and looks into it. `order`: files of a profile (startup-profile.mjs), for the layout of its code. */
async function buildStandalone(target, file, order) {
  mkdirSync(dirname(file), { recursive: true });
  const addons = { keyring: keyringFile(target), ...(target.locks === undefined ? {} : { locks: lockFile(target) }) };
  const define = { PROGRAM_VERSION: JSON.stringify(version), PROGRAM_COMMIT: JSON.stringify(builtCommit(root)) };
  const job = {
    entry: await buildStandaloneBundles(join(root, "node_modules/.cache/standalone-bundles", target.name), { os: target.os, define }),
    outfile: file,
    runtime: runtimeFile(target, cache),
    compileTarget: target.compile,
    addons,
    order,
  };
  // Bun's bundler runs in Bun. Nothing of the working directory may steer it.
  execFileSync(runtimeFile(hostTarget(), cache), [join(root, "packaging/bun-build.mjs"), JSON.stringify(job)], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: quietEnvironment(),
  });
  const { missing, strange } = contentOf(readFileSync(file), addons, otherKeyrings(target));
  if (missing.length > 0) throw new Error(`${target.name}: not inside the executable: ${missing.join(", ")}`);
  if (strange.length > 0) throw new Error(`${target.name}: inside the executable, but of another platform: ${strange.join(", ")}`);
}

/** Undefined, said, where macOS does not run an executable that was just built (its signature): the others are as right without a profile, and a little slower. */
async function profileOfStarts() {
  const folder = join(cache, "profile");
  const executable = join(folder, programFile(hostTarget()));
  try {
    await buildStandalone(hostTarget(), executable, undefined);
    return await startupProfile(executable, folder);
  } catch (error) {
    if (process.platform !== "darwin") throw error;
    console.log(`without a profile of how it starts: ${error.message}`);
    return undefined;
  }
}

/** The addon's file; the package is fetched when it is not that of this machine, with the content that package-lock.json names. */
function keyringFile(target) {
  const name = `@napi-rs/${target.keyring}`;
  const { version: wanted, integrity } = lock[`node_modules/${name}`];
  const installed = join(root, "node_modules", name);
  const folder = existsSync(join(installed, "package.json")) ? installed : fetchPackage(name, wanted, integrity, cache);
  return join(folder, JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).main);
}

const lockFile = (target) => join(root, `node_modules/fs-native-extensions/prebuilds/${target.locks}/fs-native-extensions.node`);

/** Of those that are at hand. */
const otherKeyrings = (target) =>
  targets.filter((other) => other !== target && existsSync(join(root, "node_modules/@napi-rs", other.keyring))).map((other) => ({ name: other.keyring, file: keyringFile(other) }));

function quietEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BUN_|NODE_OPTIONS$)/.test(name)));
}

const usage = `npm run build:standalone [-- TARGET… | all]
The program as one executable with its own runtime, into dist-standalone: for this machine, or for these targets.
  ${targets.map(({ name }) => name).join(", ")}
  all      every target
  --help   this`;

async function main(names) {
  if (names.includes("--help")) return console.log(usage);
  const wanted = names.length === 0 ? [hostTarget()] : names.includes("all") ? targets : names.map((name) => targets.find((target) => target.name === name) ?? unknownTarget(name));
  const order = await profileOfStarts();
  for (const target of wanted) {
    const started = performance.now();
    const file = join(root, builtFile(target));
    await buildStandalone(target, file, order);
    console.log(`${builtFile(target)}  ${(readFileSync(file).length / 1e6).toFixed(0)} MB  ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}

function unknownTarget(name) {
  console.error(`there is no target ${name}; there are ${targets.map((target) => target.name).join(", ")}, all`);
  process.exit(2);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv.slice(2));
