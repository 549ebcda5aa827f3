// `npm run release [-- --partial] [--host] [--quick]`: from the executables in dist-standalone and the npm program in dist to dist-release, everything that a release is:
// archives, Debian packages, the npm tarball, bills of materials, checksums, and the manifests of Krew, Homebrew, Scoop and winget.
// Without --partial every target must be there. --host takes this machine's executable only; --quick packs the Debian packages less well.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { addonsOf, keyringTexts } from "./addons.mjs";
import { tarGz, zip } from "./archive.mjs";
import { installedPackages } from "./bundled.mjs";
import { builtCommit } from "./commit.mjs";
import { buildDebian } from "./debian.mjs";
import { isOfCommit } from "./executable-content.mjs";
import { homebrewFormula } from "./homebrew.mjs";
import { krewManifest } from "./krew.mjs";
import { executableText } from "./licences.mjs";
import { archiveName, completerName, completerText, contents, debianName, debianTargets, release } from "./release.mjs";
import { bunVersion, integrityOf } from "./runtimes.mjs";
import { executableSbom, npmSbom } from "./sbom.mjs";
import { scoopManifest } from "./scoop.mjs";
import { builtFile, hostTarget, programFile, targets } from "./targets.mjs";
import { wingetFolder, wingetManifests } from "./winget.mjs";
import { checkMachO } from "./macho-signature.mjs";
import { readBundled } from "./write-bundled.mjs";

const root = resolve(import.meta.dirname, "..");
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

/**
 * Writes a release into `out`, which is emptied. `executables`: { target, file }; `seconds`: the time that every file inside carries; `thirdPartyOf`:
 * the licence texts of a target's executable. Gives the archives, as the manifests name them.
 */
export function makeRelease({ executables, out, seconds, commit, isQuick = false, hasDebian = true, thirdPartyOf = thirdPartyText }) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const shared = sharedParts();
  const archives = executables.map(({ target, file }) => {
    const parts = { ...shared, executable: readFileSync(file), completer: Buffer.from(completerText(target)), thirdParty: Buffer.from(thirdPartyOf(target)) };
    const name = archiveName(target);
    const bytes = target.os === "windows" ? zip(entriesOf(target, parts), seconds) : tarGz(entriesOf(target, parts), seconds);
    writeFileSync(join(out, name), bytes);
    if (hasDebian && debianTargets.includes(target)) buildDebian({ target, parts, seconds, file: join(out, debianName(target)), isQuick });
    return { target, name, url: `${release.downloads}/${name}`, sha256: sha256(bytes) };
  });
  packNpm(out);
  writeSboms({ out, executables, commit, seconds });
  writeManifests(archives, out, seconds);
  writeFileSync(join(out, "SHA256SUMS"), sums(out));
  return archives;
}

/** What every archive has, besides the program. */
function sharedParts() {
  const completion = (shell) => execFileSync(process.execPath, [join(root, "dist/kubectl-oidc.cjs"), "completion", shell], { stdio: ["ignore", "pipe", "inherit"] });
  return {
    licence: readFileSync(join(root, "LICENSE")),
    man: readFileSync(join(root, contents.man)),
    completions: Object.fromEntries(Object.keys(contents.completions).map((shell) => [shell, completion(shell)])),
  };
}

const entriesOf = (target, parts) => [
  { name: programFile(target), data: parts.executable, mode: 0o755 },
  { name: completerName(target), data: parts.completer, mode: 0o755 },
  { name: contents.licence, data: parts.licence, mode: 0o644 },
  { name: contents.thirdParty, data: parts.thirdParty, mode: 0o644 },
  { name: contents.man, data: parts.man, mode: 0o644 },
  ...Object.entries(contents.completions).map(([shell, name]) => ({ name, data: parts.completions[shell], mode: 0o644 })),
];

const thirdPartyText = (target) => executableText({ packages: readBundled(), addons: addonsOf(target, lock), bunVersion, keyringTexts: keyringTexts(target, lock, root), root });

/** dist is built already: with the scripts on, npm would build it once more. */
function packNpm(out) {
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", out], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
}

function writeSboms({ out, executables, commit, seconds }) {
  const bundled = readBundled();
  const write = (form, value) => writeFileSync(join(out, `${release.name}_${release.version}_${form}.cdx.json`), `${JSON.stringify(value, undefined, 2)}\n`);
  write("npm", npmSbom({ bundled, installed: installedPackages(lock), lock, commit, seconds }));
  const addons = executables.flatMap(({ target }) => addonsOf(target, lock));
  const runtimes = executables.map(({ target }) => ({ name: target.runtime, integrity: integrityOf(target.runtime) }));
  write("standalone", executableSbom({ bundled, addons, bunVersion, runtimes, lock, commit, seconds }));
}

/** Each in the layout of the repository that it is for. */
function writeManifests(archives, out, seconds) {
  const put = (name, text) => {
    mkdirSync(join(out, dirname(name)), { recursive: true });
    writeFileSync(join(out, name), text);
  };
  put("krew-index/plugins/oidc.yaml", krewManifest(archives));
  put("homebrew-tap/Formula/kubectl-oidc.rb", homebrewFormula(archives));
  if (!archives.some(({ target }) => target.os === "windows")) return;
  put("scoop-bucket/bucket/kubectl-oidc.json", scoopManifest(archives));
  const day = new Date(seconds * 1000).toISOString().slice(0, 10);
  for (const [name, text] of Object.entries(wingetManifests(archives, day))) put(`winget-pkgs/${wingetFolder}/${name}`, text);
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** In sha256sum's format, of every file that can be downloaded. */
function sums(out) {
  const files = readdirSync(out).filter((name) => statSync(join(out, name)).isFile() && name !== "SHA256SUMS");
  return files
    .sort()
    .map((name) => `${sha256(readFileSync(join(out, name)))}  ${name}\n`)
    .join("");
}

/** SOURCE_DATE_EPOCH, or when the commit was made. */
export function releaseTime() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) return Number(given);
  return Number(execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: root, encoding: "utf8" }));
}

function hasDpkg() {
  try {
    execFileSync("dpkg-deb", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What stands between this and a whole release, for a person. */
export function lacksOf(executables, hasDebian) {
  const missing = targets.filter((target) => !executables.some((one) => one.target === target)).map(({ name }) => name);
  return [
    ...(missing.length === 0 ? [] : [`no executable for ${missing.join(", ")} (npm run build:standalone -- all)`]),
    ...(hasDebian ? [] : ["no dpkg-deb for the Debian packages"]),
  ];
}

/** The executables that a Mac would end at once. */
export const unsigned = (executables) =>
  executables
    .filter(({ target }) => target.os === "darwin")
    .flatMap(({ target, file }) => checkMachO(readFileSync(file)).problems.map((problem) => `${target.name} needs packaging/sign-macos.sh on a Mac: ${problem}`));

const usage = `npm run release [-- OPTION…]
From the executables in dist-standalone and the npm program in dist to dist-release: archives, packages, manifests, bills of materials, sums.
  --partial   what can be made, though targets are missing
  --host      of this machine's executable only
  --quick     packs the Debian packages less well
  --help      this`;

/** The executables that are not of the commit that the release tells in its bills of materials, and whose sources are tagged. */
export const ofOtherCommits = (executables, commit) =>
  executables
    .filter(({ file }) => !isOfCommit(readFileSync(file), commit))
    .map(({ target }) => `${target.name} is not of commit ${commit}: npm run build:standalone -- ${target.name}`);

/** The same of the npm program, which is packed as it lies there. */
function npmOfOtherCommit(commit) {
  const built = JSON.parse(execFileSync(process.execPath, [join(root, "dist/kubectl-oidc.cjs"), "version", "-o", "json"], { encoding: "utf8" })).commit;
  return built === commit ? [] : [`the npm program in dist is of commit ${built}, not ${commit}: npm run build`];
}

function main(flags) {
  if (flags.includes("--help")) return console.log(usage);
  const strange = flags.filter((flag) => !["--partial", "--host", "--quick"].includes(flag));
  if (strange.length > 0) refuse(`unknown: ${strange.join(", ")}; there are --partial, --host and --quick`, 2);
  const isPartial = flags.includes("--partial") || flags.includes("--host");
  const wanted = flags.includes("--host") ? [hostTarget()] : targets;
  const executables = wanted.map((target) => ({ target, file: join(root, builtFile(target)) })).filter(({ file }) => existsSync(file));
  const hasDebian = hasDpkg();
  if (executables.length === 0) refuse("there is no executable; run: npm run build:standalone", 1);
  const lacks = [...lacksOf(executables, hasDebian), ...unsigned(executables)];
  for (const lack of lacks) console.error(lack);
  if (lacks.length > 0 && !isPartial) refuse("not a whole release; --partial makes what can be made", 1);
  const commit = builtCommit(root);
  const others = [...ofOtherCommits(executables, commit), ...npmOfOtherCommit(commit)];
  for (const other of others) console.error(other);
  if (others.length > 0) refuse("a release is of one commit", 1);
  const out = join(root, "dist-release");
  makeRelease({ executables, out, seconds: releaseTime(), commit, isQuick: flags.includes("--quick"), hasDebian });
  for (const name of readdirSync(out, { recursive: true }).sort()) {
    const stat = statSync(join(out, name));
    if (stat.isFile()) console.log(`${String(stat.size).padStart(10)}  ${name}`);
  }
}

function refuse(text, status) {
  console.error(text);
  process.exit(status);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(process.argv.slice(2));
