import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

export const root = resolve(import.meta.dirname, "../..");

export interface Target {
  readonly name: string;
  readonly os: "linux" | "darwin" | "windows";
  readonly cpu: "x64" | "arm64";
  readonly libc?: "glibc" | "musl";
}

export interface Archive {
  readonly target: Target;
  readonly url: string;
  readonly sha256: string;
}

export interface Entry {
  readonly name: string;
  readonly data: Buffer;
  readonly mode: number;
}

export interface Package {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly author?: string;
  readonly folder: string;
}

interface Modules {
  readonly targets: { readonly targets: readonly Target[] };
  readonly release: {
    readonly release: { readonly version: string; readonly tag: string; readonly downloads: string; readonly repository: string };
    archiveName(target: Target): string;
    debianName(target: Target): string;
    completerText(target: Pick<Target, "os">): string;
    readonly debianTargets: readonly Target[];
  };
  readonly archive: { tarGz(entries: readonly Entry[], seconds: number): Buffer; zip(entries: readonly Entry[], seconds: number): Buffer };
  readonly krew: { krewManifest(archives: readonly Archive[]): string };
  readonly homebrew: { homebrewFormula(archives: readonly Archive[]): string };
  readonly scoop: { scoopManifest(archives: readonly Archive[]): string };
  readonly winget: { wingetManifests(archives: readonly Archive[], day: string): Readonly<Record<string, string>>; readonly wingetFolder: string };
  readonly licences: {
    readonly allowedLicences: readonly string[];
    thirdPartyText(packages: readonly Package[], root: string): string;
    executableText(facts: Readonly<Record<string, unknown>>): string;
  };
  readonly bundled: { bundledPackages(metafiles: readonly { readonly inputs: object }[], root: string): readonly Package[] };
  readonly "write-bundled": { readBundled(): readonly Package[] };
  readonly "make-release": {
    makeRelease(facts: Readonly<Record<string, unknown>>): readonly Archive[];
    lacksOf(executables: readonly { readonly target: Target }[], hasDebian: boolean): readonly string[];
  };
}

/** A module of packaging/, which is JavaScript. */
export async function packaging<Name extends keyof Modules>(name: Name): Promise<Modules[Name]> {
  return (await import(pathToFileURL(resolve(root, "packaging", `${name}.mjs`)).href)) as Modules[Name];
}

/** What a whole release's manifests name, with sums of nothing. */
export async function wholeRelease(): Promise<readonly Archive[]> {
  const { targets } = await packaging("targets");
  const { archiveName, release } = await packaging("release");
  return targets.map((target) => ({
    target,
    url: `${release.downloads}/${archiveName(target)}`,
    sha256: createHash("sha256").update(target.name).digest("hex"),
  }));
}
