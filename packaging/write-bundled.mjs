import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { bundledPackages } from "./bundled.mjs";
import { thirdPartyText } from "./licences.mjs";

const root = resolve(import.meta.dirname, "..");
const listFile = resolve(root, "dist-dev/bundled.json");

/** What build.mjs leaves beside the bundles: the licence texts for the package, and for a release the list of what is inside. */
export function writeBundled(metafiles) {
  const packages = bundledPackages(metafiles, root);
  writeFileSync(resolve(root, "dist/THIRD-PARTY-LICENSES.txt"), thirdPartyText(packages, root));
  mkdirSync(resolve(root, "dist-dev"), { recursive: true });
  writeFileSync(listFile, `${JSON.stringify(packages, undefined, 2)}\n`);
}

/** That list, as the last build left it. */
export const readBundled = () => JSON.parse(readFileSync(listFile, "utf8"));
