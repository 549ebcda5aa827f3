import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { bundledPackages } from "../../packaging/bundled.mjs";
import { allowedLicences, thirdPartyText, executableText } from "../../packaging/licences.mjs";
import { readBundled } from "../../packaging/write-bundled.mjs";
import { type Package, root } from "./whole-release.ts";

const shipped = readFileSync(resolve(root, "dist/THIRD-PARTY-LICENSES.txt"), "utf8");
const bundled: readonly Package[] = readBundled();
const rule = "-".repeat(80);

/** The licence text that stands under a package's name. */
function textUnder(text: string, { name, version, licence }: Package): string {
  const parts = text.split(`${rule}\n`);
  const at = parts.findIndex((part) => part.split("\n").includes(`${name} ${version} (${licence})`));
  return at === -1 ? "" : (parts[at + 1] ?? "");
}

const mit: Package = { name: "left-pad", version: "1.0.0", licence: "MIT", folder: "node_modules/yaml" };

describe("THIRD-PARTY-LICENSES.txt of the npm package", () => {
  it("names every package whose code a bundle has inside, as esbuild itself says it", async () => {
    // Apart from build.mjs: what a bundler finds below the program's three entries.
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ["bin/kubectl-oidc.ts", "src/cli/main.ts", "src/adapters/keychain-child.ts"],
      bundle: true,
      write: false,
      outdir: "none",
      platform: "node",
      format: "cjs",
      metafile: true,
      external: ["@napi-rs/keyring", "fs-native-extensions"],
      logLevel: "error",
    });
    const inside = bundledPackages([metafile], root);
    expect(inside.length).toBeGreaterThan(15);
    expect(bundled.map(({ name, version }) => `${name} ${version}`)).toEqual(inside.map(({ name, version }) => `${name} ${version}`));
    for (const name of ["openid-client", "open", "uqr", "env-paths", "yaml"]) expect(inside.map((one) => one.name)).toContain(name);
  });

  it.each(bundled)("has the licence text of $name", (one) => {
    const text = textUnder(shipped, one);
    expect(allowedLicences).toContain(one.licence);
    expect(text).toMatch(/copyright/i);
    expect(text).toMatch(
      one.licence === "ISC"
        ? /Permission to use, copy, modify/
        : one.licence.startsWith("BSD")
          ? /Redistributions? (of source|in binary)/
          : /Permission is hereby granted|Apache License/i,
    );
  });

  it("is in the package beside the bundles", () => {
    expect(thirdPartyText(bundled, root)).toBe(shipped);
  });
});

describe("the licences", () => {
  it.each(["GPL-3.0-only", "AGPL-3.0-only", "UNLICENSED", "unknown", "MIT OR GPL-2.0"])("%s stops the build: somebody has to read it first", (licence) => {
    expect(() => thirdPartyText([{ ...mit, licence }], root)).toThrow(`left-pad 1.0.0 is under ${licence}, which packaging/licences.mjs does not allow`);
  });

  it("a package without a licence file gets the text that it names, with its author", () => {
    const text = thirdPartyText([{ ...mit, folder: "node_modules/proxy-agent-negotiate", author: "Ann" }], root);
    expect(text).toMatch(/Copyright \(c\) Ann\n\nPermission is hereby granted/);
  });

  it("a package without a licence file and without an author stops the build", () => {
    expect(() => thirdPartyText([{ ...mit, folder: "node_modules/proxy-agent-negotiate" }], root)).toThrow("left-pad has no licence file");
  });
});

describe("THIRD-PARTY-LICENSES.txt of an executable", () => {
  const addon: Package & { readonly licenceFolder: string } = {
    name: "@napi-rs/keyring-linux-x64-gnu",
    version: "2.1.2",
    licence: "MIT",
    folder: "node_modules/none",
    licenceFolder: "node_modules/@napi-rs/keyring",
  };
  const text = executableText({ packages: bundled, addons: [addon], bunVersion: "1.4.5", keyringTexts: "## Crates of the addon", root });

  it("has what the npm package's has, and the addons", () => {
    for (const one of [...bundled, addon]) expect(textUnder(text, one), one.name).toMatch(/Permission|Redistribution|Apache License/i);
    expect(text).toContain("## Crates of the addon");
  });

  it("names the runtime and its parts, with the texts of both library licences and how to link anew", () => {
    expect(text).toContain("Bun 1.4.5 (MIT)");
    expect(text).toMatch(/JavaScriptCore.*LGPL-2\.0-or-later/);
    expect(text).toContain("GNU LIBRARY GENERAL PUBLIC LICENSE");
    expect(text).toContain("GNU LESSER GENERAL PUBLIC LICENSE");
    expect(text).toContain("link the runtime anew");
    for (const holder of text.matchAll(/<holder>/g)) expect(holder, "a licence text without its holder").toBeUndefined();
  });
});
