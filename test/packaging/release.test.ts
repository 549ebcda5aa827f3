import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRelease, lacksOf, ofOtherCommits, unsigned } from "../../packaging/make-release.mjs";
import { release, archiveName, debianName, debianTargets } from "../../packaging/release.mjs";
import { targets } from "../../packaging/targets.mjs";
import { hasProgram } from "../programs.ts";
import { standIns } from "./stand-ins.ts";
import { type Archive, root } from "./whole-release.ts";

const hasDebian = hasProgram("dpkg-deb");

let folder: string;
let archives: readonly Archive[];
const out = () => join(folder, "out");
const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(path, name)).isFile())
    .sort();
const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-release-"));
  mkdirSync(out());
  writeFileSync(join(out(), "of-an-older-release"), "");
  archives = makeRelease({ ...(await standIns(folder)), out: out(), hasDebian });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a release", () => {
  it("is these files, and nothing of an older one", () => {
    const base = `kubectl-oidc_${release.version}`;
    expect(filesIn(out())).toEqual(
      [
        "SHA256SUMS",
        "homebrew-tap/Formula/kubectl-oidc.rb",
        "krew-index/plugins/oidc.yaml",
        `kubectl-oidc-${release.version}.tgz`,
        ...targets.map((target) => archiveName(target)),
        ...(hasDebian ? debianTargets.map((target) => debianName(target)) : []),
        `${base}_npm.cdx.json`,
        `${base}_standalone.cdx.json`,
        "scoop-bucket/bucket/kubectl-oidc.json",
        ...["", ".installer", ".locale.en-US"].map((part) => `winget-pkgs/manifests/k/KubectlOidc/KubectlOidc/${release.version}/KubectlOidc.KubectlOidc${part}.yaml`),
      ].sort(),
    );
  });

  it("has the sum of every download in SHA256SUMS, as sha256sum writes it", () => {
    const lines = readFileSync(join(out(), "SHA256SUMS"), "utf8").trimEnd().split("\n");
    const downloads = filesIn(out()).filter((name) => !name.includes("/") && name !== "SHA256SUMS");
    expect(lines).toEqual(downloads.map((name) => `${sha256(join(out(), name))}  ${name}`));
  });

  it("gives the manifests the sums of its own archives", () => {
    for (const { target, sha256: sum } of archives) expect(sum).toBe(sha256(join(out(), archiveName(target))));
    const texts = filesIn(out())
      .filter((name) => name.includes("/"))
      .map((name) => readFileSync(join(out(), name), "utf8").toLowerCase())
      .join("\n");
    for (const { target, sha256: sum } of archives.filter((one) => one.target.libc !== "musl")) expect(texts, target.name).toContain(sum);
  });

  it("is the same bytes when it is made again from the same", { timeout: 60_000 }, async () => {
    const again = join(folder, "again");
    makeRelease({ ...(await standIns(folder)), out: again, hasDebian });
    for (const name of filesIn(out())) expect(sha256(join(again, name)), name).toBe(sha256(join(out(), name)));
  });

  it("has every file that the pages name, under this version's name", () => {
    const pages = filesIn(join(root, "docs")).filter((name) => name.endsWith(".md"));
    const named = pages.flatMap((page) => [...readFileSync(join(root, "docs", page), "utf8").matchAll(/kubectl-oidc_\d[\w.~-]*\.(?:tar\.gz|zip|deb)/g)].map(([name]) => name));
    expect(new Set(named).size).toBeGreaterThanOrEqual(2);
    const made = [...targets.map((target) => archiveName(target)), ...debianTargets.map((target) => debianName(target))];
    for (const name of named) expect(made).toContain(name);
  });

  it("says which executables it lacks, and what it lacks for Debian", () => {
    const some = targets.filter(({ name }) => name === "linux-x64").map((target) => ({ target }));
    expect(lacksOf(some, false)).toEqual([
      "no executable for linux-arm64, linux-x64-musl, linux-arm64-musl, darwin-arm64, darwin-x64, windows-x64, windows-arm64 (npm run build:standalone -- all)",
      "no dpkg-deb for the Debian packages",
    ]);
    expect(
      lacksOf(
        targets.map((target) => ({ target })),
        true,
      ),
    ).toEqual([]);
  });
});

it("an executable for macOS without a signature that holds is named, and how it gets one", async () => {
  const { executables } = await standIns(folder);
  expect(unsigned(executables)).toEqual(["darwin-arm64", "darwin-x64"].map((name) => `${name} needs packaging/sign-macos.sh on a Mac: it is no 64-bit Mach-O file`));
});

it("an executable of another commit than the release's is named, and how it is built anew", () => {
  const executables = ["linux-x64", "linux-arm64", "darwin-x64"].map((name) => {
    const target = targets.find((one) => one.name === name)!;
    return { target, file: join(folder, `of-a-commit-${name}`) };
  });
  const contents = ['commit:"0123456789ab"', 'commit:"ba9876543210"', 'commit:"0123456789ab-dirty"'];
  for (const [i, { file }] of executables.entries()) writeFileSync(file, Buffer.concat([Buffer.from([0, 255]), Buffer.from(`,${contents[i]},`), Buffer.from([0])]));
  expect(ofOtherCommits(executables, "0123456789ab")).toEqual(
    ["linux-arm64", "darwin-x64"].map((name) => `${name} is not of commit 0123456789ab: npm run build:standalone -- ${name}`),
  );
  expect(ofOtherCommits(executables.slice(2), "0123456789ab-dirty")).toEqual([]);
});

describe("what makes a release", () => {
  it.each([
    ["make-release.mjs", "npm run release"],
    ["standalone.mjs", "npm run build:standalone"],
    ["../test/bench/run.mjs", "npm run bench"],
    ["../test/real/run.mjs", "npm run test:cluster"],
  ])("%s --help says how it is used, and makes nothing", (script, name) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "packaging", script), "--help"], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.startsWith(`${name} [-- `), stdout).toBe(true);
    expect(stdout).toContain("--help");
  });
});

describe("an archive", () => {
  const others = [
    "LICENSE",
    "THIRD-PARTY-LICENSES.txt",
    "completions/_kubectl-oidc",
    "completions/kubectl-oidc.bash",
    "completions/kubectl-oidc.fish",
    "completions/kubectl-oidc.ps1",
  ];

  it.skipIf(!hasProgram("tar"))("has the program, what kubectl asks for completion, the page, the completions and the licences", () => {
    const list = execFileSync("tar", ["-tf", join(out(), `kubectl-oidc_${release.version}_linux_arm64.tar.gz`)], { encoding: "utf8" });
    expect(list.trim().split("\n")).toEqual([...others, "kubectl-oidc", "kubectl_complete-oidc", "man/kubectl-oidc.1"]);
  });

  it.skipIf(!hasProgram("unzip"))("has them under Windows' names in a .zip", () => {
    const list = execFileSync("unzip", ["-Z1", join(out(), `kubectl-oidc_${release.version}_windows_amd64.zip`)], { encoding: "utf8" });
    expect(list.trim().split("\n")).toEqual([...others, "kubectl-oidc.exe", "kubectl_complete-oidc.cmd", "man/kubectl-oidc.1"]);
  });

  it.skipIf(!hasProgram("tar"))("has the completion scripts that the program gives", () => {
    const text = execFileSync("tar", ["-xOf", join(out(), `kubectl-oidc_${release.version}_linux_amd64.tar.gz`), "completions/_kubectl-oidc"], { encoding: "utf8" });
    expect(text).toMatch(/^#compdef /);
  });
});

describe.skipIf(!hasDebian)(`the Debian package${hasDebian ? "" : " (needs dpkg-deb)"}`, () => {
  const field = (name: string, file: string) => execFileSync("dpkg-deb", ["--field", file, name], { encoding: "utf8" }).trim();
  const packages = () => debianTargets.map((target) => ({ target, file: join(out(), debianName(target)) }));

  it("names its architecture, its version and a reachable place for faults", () => {
    for (const { target, file } of packages()) {
      expect(field("Architecture", file)).toBe(target.cpu === "x64" ? "amd64" : "arm64");
      expect(field("Version", file)).toBe(release.version.replace("-", "~"));
      expect(field("Homepage", file)).toBe(release.repository);
      expect(field("Depends", file)).toBe("libc6 (>= 2.17)");
    }
  });

  it("has its files where Debian's policy wants them, all of root's, and runs nothing when it is installed", () => {
    for (const { file } of packages()) {
      const lines = execFileSync("dpkg-deb", ["--contents", file], { encoding: "utf8" }).trim().split("\n");
      for (const line of lines) expect(line).toMatch(/^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root\/root /);
      const names = lines.map((line) => line.split(/\s+/)[5] ?? "").filter((name) => !name.endsWith("/"));
      expect(names.sort()).toEqual([
        "./usr/bin/kubectl-oidc",
        "./usr/bin/kubectl_complete-oidc",
        "./usr/share/bash-completion/completions/kubectl-oidc",
        "./usr/share/doc/kubectl-oidc/THIRD-PARTY-LICENSES.txt.gz",
        "./usr/share/doc/kubectl-oidc/changelog.gz",
        "./usr/share/doc/kubectl-oidc/copyright",
        "./usr/share/fish/vendor_completions.d/kubectl-oidc.fish",
        "./usr/share/lintian/overrides/kubectl-oidc",
        "./usr/share/man/man1/kubectl-oidc.1.gz",
        "./usr/share/man/man1/kubectl_complete-oidc.1.gz",
        "./usr/share/zsh/vendor-completions/_kubectl-oidc",
      ]);
      const control = execFileSync("dpkg-deb", ["--ctrl-tarfile", file]);
      const members = execFileSync("tar", ["-t"], { input: control, encoding: "utf8" }).trim().split("\n");
      expect(members.sort()).toEqual(["./", "./control", "./md5sums"]);
    }
  });
});
