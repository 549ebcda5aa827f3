// What `npm run release -- --partial` made for this machine, unpacked, installed and used: the archive, the Debian package, Krew's manifest with Krew itself,
// the Homebrew formula. Prints `N passed, N failed` last and `skipped: …` for what cannot be tried here.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { goTool } from "./go-tool.mjs";
import { krewManifest, krewTakes } from "./krew.mjs";
import { archiveName, debianName, debianTargets, release } from "./release.mjs";
import { newTally } from "./tally.mjs";
import { hostTarget, targets } from "./targets.mjs";
import { findProgram, personWith, ran, tryProgram } from "./try-program.mjs";

const out = resolve(import.meta.dirname, "../dist-release");
const stage = mkdtempSync(join(tmpdir(), "kubectl-oidc-packages-"));
const target = hostTarget();
const archive = join(out, archiveName(target));
const tally = newTally();

async function tryArchive() {
  const folder = join(stage, "archive");
  mkdirSync(folder);
  const isWhole = await tally.check("archive: its checksum is the one in SHA256SUMS, and it unpacks", async () => {
    const line = readFileSync(join(out, "SHA256SUMS"), "utf8")
      .split("\n")
      .find((text) => text.endsWith(`  ${basename(archive)}`));
    writeFileSync(join(stage, "sums"), `${line}\n`);
    await ran(findProgram("sha256sum"), ["--check", "--strict", join(stage, "sums")], { cwd: out });
    await ran(findProgram("tar"), ["-xzf", archive, "-C", folder]);
  });
  if (isWhole) await tryProgram(tally, "archive", { bin: folder, home: join(stage, "archive-home"), form: "standalone" });
  return folder;
}

/** Into the running system where that is ours to do and nothing of this name is there; else unpacked into a folder. */
async function tryDebian() {
  const file = join(out, debianName(target));
  if (!debianTargets.includes(target) || !existsSync(file)) return tally.skip("Debian package: none was built");
  const lintian = findProgram("lintian");
  if (lintian === undefined) tally.skip("Debian package: lintian, which is not installed");
  else await tally.check("Debian package: lintian has no error and no warning", () => ran(lintian, ["--allow-root", "--fail-on", "error,warning", file], { deadline: 120_000 }));
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot || existsSync("/usr/bin/kubectl-oidc")) {
    tally.skip(`Debian package: dpkg -i, ${isRoot ? "a kubectl-oidc is installed already" : "which needs root"}; unpacked instead`);
    const folder = join(stage, "deb");
    await tally.check("Debian package: it unpacks", () => ran("/usr/bin/dpkg-deb", ["-x", file, folder]));
    return tryProgram(tally, "Debian package", { bin: join(folder, "usr/bin"), home: join(stage, "deb-home"), form: "standalone" });
  }
  const isInstalled = await tally.check("Debian package: dpkg installs it", () => ran("/usr/bin/dpkg", ["-i", file], { deadline: 120_000 }));
  try {
    if (!isInstalled) return;
    await tryProgram(tally, "Debian package", { bin: "/usr/bin", home: join(stage, "deb-home"), form: "standalone" });
    await tally.check("Debian package: dpkg finds every file as it was built", async () => {
      assert.equal(await ran("/usr/bin/dpkg", ["--verify", release.name]), "");
    });
    const man = findProgram("man");
    if (man === undefined) tally.skip("Debian package: man finds its pages, without man");
    else await tally.check("Debian package: man finds its pages", () => ran(man, ["-w", "kubectl-oidc", "kubectl_complete-oidc"]));
  } finally {
    await tally.check("Debian package: dpkg removes all of it", async () => {
      await ran("/usr/bin/dpkg", ["--purge", release.name]);
      const left = ["/usr/bin/kubectl-oidc", "/usr/bin/kubectl_complete-oidc", "/usr/share/doc/kubectl-oidc"].filter((path) => existsSync(path));
      assert.deepEqual(left, []);
    });
  }
}

async function tryKrew() {
  const manifest = join(out, "krew-index/plugins/oidc.yaml");
  const validate = await goTool("validate-krew-manifest", "sigs.k8s.io/krew/cmd/validate-krew-manifest", "v0.4.3");
  const krew = await goTool("krew", "sigs.k8s.io/krew/cmd/krew", "v0.4.3");
  if (validate.path === undefined) tally.skip(`Krew: its own validation of the manifest; ${validate.why}`);
  else {
    await tally.check("Krew: its own validation takes the manifest of a whole release", async () => {
      const whole = join(stage, "oidc.yaml");
      writeFileSync(whole, krewManifest(targets.map((one) => ({ target: one, url: `${release.downloads}/${archiveName(one)}`, sha256: "0".repeat(64) }))));
      await ran(validate.path, ["-skip-install", "-manifest", whole]);
    });
  }
  if (krew.path === undefined || !krewTakes(target)) return tally.skip(`Krew: an installation by Krew itself; ${krew.why ?? "not on this platform"}`);
  const kubectl = findProgram("kubectl");
  if (kubectl === undefined) return tally.skip("Krew: an installation by Krew itself, without a kubectl");
  // As a user has it: kubectl finds Krew and what it installs on the PATH.
  const tools = join(stage, "krew-tools");
  mkdirSync(tools);
  symlinkSync(krew.path, join(tools, "kubectl-krew"));
  const krewRoot = join(stage, "krew");
  const bin = join(krewRoot, "bin");
  const env = { ...personWith(bin, join(stage, "krew-user")), KREW_ROOT: krewRoot };
  env.PATH = [tools, env.PATH].join(delimiter);
  const server = await serveRelease();
  try {
    const version = async () => assert.match(await ran(kubectl, ["oidc", "version"], { env }), /^kubectl-oidc /);
    await tally.check("Krew: an index of our own is one", () => ran(kubectl, ["krew", "index", "add", "own", `file://${gitIndex(manifest, server.url)}`], { env }));
    await tally.check("Krew: kubectl krew install takes the manifest with the archive, and uninstall removes it", async () => {
      await ran(kubectl, ["krew", "install", `--manifest=${manifest}`, `--archive=${archive}`], { env });
      await version();
      await ran(kubectl, ["krew", "uninstall", "oidc"], { env });
      assert.deepEqual(readdirSync(bin), []);
    });
    await tally.check("Krew: kubectl krew install takes it from the index", async () => {
      await ran(kubectl, ["krew", "install", "own/oidc"], { env, deadline: 120_000 });
      await version();
      assert.equal(await ran(kubectl, ["krew", "list"], { env }), "own/oidc\n");
    });
    // Krew links the program only: what its caveats say about completion has to be enough.
    symlinkSync(join(krewRoot, "store/oidc", release.tag, "kubectl_complete-oidc"), join(bin, "kubectl_complete-oidc"));
    await tryProgram(tally, "Krew", { bin, home: join(stage, "krew-person"), form: "standalone" });
  } finally {
    server.close();
  }
}

/** An index is a git repository; the archive comes from this machine instead of GitHub. */
function gitIndex(manifest, url) {
  const folder = join(stage, "index");
  mkdirSync(join(folder, "plugins"), { recursive: true });
  writeFileSync(join(folder, "plugins/oidc.yaml"), readFileSync(manifest, "utf8").replaceAll(release.downloads, url));
  const git = (...args) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message", "oidc");
  return folder;
}

async function serveRelease() {
  const server = createServer((request, response) =>
    createReadStream(join(out, basename(request.url ?? "")))
      .on("error", () => response.writeHead(404).end())
      .pipe(response),
  );
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

async function tryHomebrew(unpacked) {
  const formula = join(out, "homebrew-tap/Formula/kubectl-oidc.rb");
  const ruby = findProgram("ruby");
  if (ruby === undefined) return tally.skip("Homebrew: the formula, without a Ruby");
  if (!["linux", "darwin"].includes(target.os) || target.libc === "musl") return tally.skip("Homebrew: the formula, which is not for this platform");
  await tally.check("Homebrew: Ruby takes the formula", () => ran(ruby, ["-wc", formula]));
  const prefix = join(stage, "brew");
  mkdirSync(prefix);
  const { PATH, HOME, LANG } = personWith(dirname(ruby), join(stage, "brew-home"));
  await tally.check("Homebrew: the formula's install and test run on what it names", async () => {
    const script = join(import.meta.dirname, "try-formula.rb");
    const told = JSON.parse((await ran(ruby, [script, formula, target.os, target.cpu, unpacked, prefix], { env: { PATH, HOME, LANG } })).split("\n")[0]);
    assert.equal(basename(told.url), archiveName(target));
    assert.ok(readFileSync(join(out, "SHA256SUMS"), "utf8").includes(`${told.sha256}  ${archiveName(target)}\n`));
    assert.deepEqual(readdirSync(join(prefix, "etc/bash_completion.d")), ["kubectl-oidc"]);
  });
  await tryProgram(tally, "Homebrew", { bin: join(prefix, "bin"), home: join(stage, "brew-person"), form: "standalone" });
}

if (!existsSync(archive)) tally.skip(`packages of ${target.name}: there is no ${archiveName(target)}; run: npm run build:standalone && npm run release -- --partial`);
else {
  try {
    const unpacked = await tryArchive();
    await tryDebian();
    await tryKrew();
    await tryHomebrew(unpacked);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
tally.end();
