import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { archiveName, release } from "../../packaging/release.mjs";
import { targets } from "../../packaging/targets.mjs";

export const root = resolve(import.meta.dirname, "../..");

export type Target = (typeof targets)[number];

export interface Archive {
  readonly target: Target;
  readonly url: string;
  readonly sha256: string;
}

export interface Package {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly author?: string;
  readonly folder: string;
}

/** What a whole release's manifests name, with sums of nothing. */
export const wholeRelease = (): readonly Archive[] =>
  targets.map((target) => ({
    target,
    url: `${release.downloads}/${archiveName(target)}`,
    sha256: createHash("sha256").update(target.name).digest("hex"),
  }));
