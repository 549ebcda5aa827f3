import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The packages whose code the bundles contain, from esbuild's metafiles: what is inside, not what package.json names. Each with its folder
 * (as package-lock.json writes it), version, SPDX licence and author; sorted by name.
 */
export function bundledPackages(metafiles, root) {
  const folders = new Set();
  for (const { inputs } of metafiles) {
    for (const file of Object.keys(inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
      if (folder !== undefined) folders.add(folder);
    }
  }
  return [...folders].map((folder) => packageIn(folder, root)).sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/** A package by its folder, relative to the repository. */
export function packageIn(folder, root) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return { name, version, licence: license ?? "unknown", author: typeof author === "object" ? author.name : author, folder };
}

/** The packages that npm installs beside ours, for every platform: our `dependencies` and theirs. */
export function installedPackages(lock) {
  return Object.entries(lock.packages)
    .filter(([folder, { dev }]) => folder !== "" && dev !== true)
    .map(([folder, entry]) => ({ name: folder.replace(/^.*node_modules\//, ""), version: entry.version, licence: entry.license, folder }))
    .sort((a, b) => compare(a.name, b.name));
}

// Not localeCompare: what is generated must not depend on the machine's language.
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
