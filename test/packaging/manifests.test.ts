import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { homebrewFormula } from "../../packaging/homebrew.mjs";
import { krewManifest } from "../../packaging/krew.mjs";
import { release, completerText } from "../../packaging/release.mjs";
import { scoopManifest } from "../../packaging/scoop.mjs";
import { wingetManifests, wingetFolder } from "../../packaging/winget.mjs";
import { findProgram } from "../programs.ts";
import { krewSchema, scoopSchema, wingetSchemas } from "./schemas.ts";
import { type Archive, root, wholeRelease } from "./whole-release.ts";

const archives = wholeRelease();
const day = "2026-11-28";

const golden = (name: string) => resolve(import.meta.dirname, "golden", name);

/** What a schema has against a value. */
function faults(schema: object, value: unknown): readonly string[] {
  const check = new Ajv2020({ allErrors: true }).compile(schema);
  return check(value) ? [] : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const archiveOf = (url: string) => archives.find((archive) => archive.url === url);
/** YAML as the package managers' parsers take it: a sum or a version that looks like a number would be one. */
const yaml = (text: string): Readonly<Record<string, unknown>> => parse(text, { schema: "core" });

interface KrewPlatform {
  readonly selector: { readonly matchLabels: { readonly os: string; readonly arch: string } };
  readonly uri: string;
  readonly sha256: string;
  readonly bin: string;
  readonly files: readonly { readonly from: string }[];
}
const platformsOf = (text: string) => (yaml(text)["spec"] as { readonly platforms: readonly KrewPlatform[] }).platforms;

describe("Krew's manifest", () => {
  const manifest = krewManifest(archives);

  it("is the one on file", () => expect(manifest).toMatchFileSnapshot(golden("oidc.yaml")));

  it("keeps Krew's rules", () => expect(faults(krewSchema, yaml(manifest))).toEqual([]));

  it("has each platform that Krew knows once, with the sum of that platform's archive", () => {
    const seen = platformsOf(manifest).map(({ selector, uri, sha256, bin, files }) => {
      const { os, arch } = selector.matchLabels;
      const archive = archiveOf(uri);
      expect(archive?.sha256, uri).toBe(sha256);
      expect(uri).toContain(`_${os}_${arch}.`);
      expect(files.map(({ from }) => from)).toContain(bin);
      expect(bin).toBe(os === "windows" ? "kubectl-oidc.exe" : "kubectl-oidc");
      return `${os}/${arch}`;
    });
    expect(seen).toEqual(["linux/amd64", "linux/arm64", "darwin/arm64", "darwin/amd64", "windows/amd64"]);
  });

  it("keeps a sum a text that YAML would read as a number", () => {
    for (const sha256 of ["1".repeat(64), `${"1".repeat(30)}e${"2".repeat(33)}`]) {
      const [first] = platformsOf(krewManifest([{ ...(archives[0] as Archive), sha256 }]));
      expect(first?.sha256).toBe(sha256);
    }
  });
});

describe("the Homebrew formula", () => {
  const formula = homebrewFormula(archives);
  const ruby = findProgram("ruby");

  it("is the one on file", () => expect(formula).toMatchFileSnapshot(golden("kubectl-oidc.rb")));

  it.skipIf(ruby === undefined)(`names one archive and its sum for each computer that Homebrew runs on${ruby === undefined ? " (needs ruby)" : ""}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-formula-"));
    try {
      writeFileSync(join(folder, "kubectl-oidc.rb"), formula);
      for (const os of ["darwin", "linux"]) {
        for (const cpu of ["arm64", "x64"]) {
          const { status, stdout, stderr } = spawnSync(ruby ?? "", [resolve(root, "packaging/try-formula.rb"), join(folder, "kubectl-oidc.rb"), os, cpu], { encoding: "utf8" });
          expect(status, stderr).toBe(0);
          const told = JSON.parse(stdout) as { readonly url: string; readonly sha256: string; readonly desc: string; readonly version: string };
          const archive = archiveOf(told.url);
          expect(archive?.target.name).toBe(`${os}-${cpu}`);
          expect(told.sha256).toBe(archive?.sha256);
          expect(told.version).toBe(release.version);
          // brew audit: at most 80 characters with the name, no article at the front, no full stop.
          expect(`kubectl-oidc: ${told.desc}`.length).toBeLessThanOrEqual(80);
          expect(told.desc).not.toMatch(/^(a|an|the) |\.$/i);
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("Scoop's manifest", () => {
  const manifest = scoopManifest(archives);
  const value = JSON.parse(manifest) as {
    readonly version: string;
    readonly architecture: Readonly<Record<"64bit" | "arm64", { readonly url: string; readonly hash: string }>>;
    readonly autoupdate: { readonly architecture: Readonly<Record<"64bit" | "arm64", { readonly url: string }>> };
  };

  it("is the one on file", () => expect(manifest).toMatchFileSnapshot(golden("scoop.json.txt")));

  it("keeps Scoop's rules", () => expect(faults(scoopSchema, value)).toEqual([]));

  it("names the Windows archives and their sums, and its update makes the same addresses", () => {
    for (const [word, cpu] of [
      ["64bit", "x64"],
      ["arm64", "arm64"],
    ] as const) {
      const { url, hash } = value.architecture[word];
      expect(archiveOf(url)?.target.name).toBe(`windows-${cpu}`);
      expect(archiveOf(url)?.sha256).toBe(hash);
      expect(value.autoupdate.architecture[word].url.replaceAll("$version", value.version)).toBe(url);
    }
  });
});

describe("winget's manifests", () => {
  const manifests = wingetManifests(archives, day);

  it.each(Object.entries(manifests))("%s is the one on file", (name, text) => expect(text).toMatchFileSnapshot(golden(`winget/${name}`)));

  it.each(Object.entries(manifests))("%s keeps winget's rules for its type", (_name, text) => {
    const value = yaml(text);
    expect(faults(wingetSchemas[value["ManifestType"] as keyof typeof wingetSchemas], value)).toEqual([]);
  });

  it("are of one package and one version, named and laid as winget-pkgs wants them", () => {
    const names = Object.keys(manifests);
    expect(names).toEqual(["KubectlOidc.KubectlOidc.yaml", "KubectlOidc.KubectlOidc.installer.yaml", "KubectlOidc.KubectlOidc.locale.en-US.yaml"]);
    for (const text of Object.values(manifests)) expect(yaml(text)).toMatchObject({ PackageIdentifier: "KubectlOidc.KubectlOidc", PackageVersion: release.version });
    expect(wingetFolder).toBe(`manifests/k/KubectlOidc/KubectlOidc/${release.version}`);
  });

  it("name the Windows archives and their sums", () => {
    const { Installers } = yaml(manifests["KubectlOidc.KubectlOidc.installer.yaml"] ?? "") as {
      readonly Installers: readonly { readonly Architecture: string; readonly InstallerUrl: string; readonly InstallerSha256: string }[];
    };
    expect(Installers.map(({ Architecture }) => Architecture)).toEqual(["x64", "arm64"]);
    for (const { Architecture, InstallerUrl, InstallerSha256 } of Installers) {
      expect(archiveOf(InstallerUrl)?.target.name).toBe(`windows-${Architecture}`);
      expect(archiveOf(InstallerUrl)?.sha256.toUpperCase()).toBe(InstallerSha256);
    }
  });
});

describe("kubectl_complete-oidc of the archives", () => {
  it("starts the program beside it on Windows, with the arguments as they came", () => {
    expect(completerText({ os: "windows" })).toBe('@echo off\r\n"%~dp0kubectl-oidc.exe" __complete %*\r\n');
  });

  it.skipIf(findProgram("sh") === undefined)("starts the program beside it elsewhere, whatever stands in the arguments, else the one on the PATH", () => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc completer-"));
    const echo = (who: string) => `#!/bin/sh\nprintf '${who}'; printf '<%s>' "$@"\n`;
    const ask = (args: readonly string[]) =>
      spawnSync(join(folder, "kubectl_complete-oidc"), args, { encoding: "utf8", env: { PATH: `${join(folder)}/path:/usr/bin:/bin` } }).stdout;
    try {
      writeFileSync(join(folder, "kubectl_complete-oidc"), completerText({ os: "linux" }), { mode: 0o755 });
      spawnSync("mkdir", [join(folder, "path")]);
      writeFileSync(join(folder, "path/kubectl-oidc"), echo("path"), { mode: 0o755 });
      expect(ask(["a b", "", "$(x)"])).toBe("path<__complete><a b><><$(x)>");
      writeFileSync(join(folder, "kubectl-oidc"), echo("beside"), { mode: 0o755 });
      expect(ask(["a b", "", "$(x)"])).toBe("beside<__complete><a b><><$(x)>");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
