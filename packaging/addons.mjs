import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fetchPackage } from "./runtimes.mjs";

/** The packages whose native code is inside a target's executable, as licences.mjs and sbom.mjs take them. */
export function addonsOf(target, lock) {
  const keyring = `@napi-rs/${target.keyring}`;
  // A platform's package has the crates' licences only; its own is that of the package that chooses among them.
  const one = (name, licenceFolder) => {
    const folder = `node_modules/${name}`;
    return { name, version: lock.packages[folder].version, licence: lock.packages[folder].license, folder, licenceFolder: licenceFolder ?? folder };
  };
  return [one(keyring, "node_modules/@napi-rs/keyring"), ...(target.locks === undefined ? [] : [one("fs-native-extensions")])];
}

/** What the keychain addon's package says of the crates in it; undefined when it says nothing. Fetched when it is not this machine's. */
export function keyringTexts(target, lock, root) {
  const name = `@napi-rs/${target.keyring}`;
  const { version, integrity } = lock.packages[`node_modules/${name}`];
  const installed = join(root, "node_modules", name);
  const folder = existsSync(installed) ? installed : fetchPackage(name, version, integrity, join(root, "node_modules/.cache/standalone"));
  const file = join(folder, "LICENSE.third-party.md");
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
