// The licence texts of what is inside: dist/THIRD-PARTY-LICENSES.txt for the npm package (written by build.mjs), and a longer one for the
// executables, which have a runtime and native addons inside too.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bunParts } from "./bun-parts.mjs";

/** What may be inside a bundle. Anything else fails the build: somebody has to read that licence first. */
export const allowedLicences = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"];

/** The text for the npm package: `packages` as bundledPackages gives them. Throws for a licence that is not allowed, or a text that is missing. */
export function thirdPartyText(packages, root) {
  const head = ["kubectl-oidc is distributed under the Apache License 2.0 (LICENSE).", "Its files contain code of the packages below, under the licences that follow."];
  return `${[...head, "", ...list(packages), "", ...sections(packages, root)].join("\n")}\n`;
}

/**
 * The text for an executable: the same, with the runtime and the addons. `addons` are packages with their folder; `keyringTexts` is the list
 * of Rust crates with their licences that comes with the keychain addon (undefined: it ships none for this platform).
 */
export function executableText({ packages, addons, bunVersion, keyringTexts, root }) {
  const inside = [...packages, ...addons];
  return `${[
    "kubectl-oidc is distributed under the Apache License 2.0 (LICENSE).",
    `This executable contains the runtime of Bun ${bunVersion}, native addons, and code of the packages below, under the licences that follow.`,
    "",
    ...list(inside),
    "",
    rule,
    `Bun ${bunVersion} (MIT), https://github.com/oven-sh/bun, and what is linked into it`,
    rule,
    "",
    ...bunParts.map(({ name, licence, source }) => `  ${name}: ${licence}; ${source}`),
    "",
    "JavaScriptCore (WebKit) and TinyCC are under the GNU Library/Lesser General Public License, whose texts are below. You may change them",
    "and link the runtime anew: Bun's source, the revision of WebKit that it uses (scripts/build/deps/webkit.ts) and the commands to build",
    `it are public, at https://github.com/oven-sh/bun, tag bun-v${bunVersion}. kubectl-oidc's own source, with the build that puts it into a`,
    "runtime (packaging/standalone.mjs), is at https://github.com/kubectl-oidc/kubectl-oidc. The npm package runs without that runtime.",
    "Where a part may be used under one of two licences, it is used under the one whose text is below. Parts with licences of their own",
    "(OpenSSL in BoringSSL, IJG in libjpeg-turbo) have them in their source, at the address above.",
    "",
    ...partSections(),
    ...sections(inside, root),
    ...(keyringTexts === undefined ? [] : [rule, "The crates in the keychain addon (as its package lists them)", rule, "", keyringTexts.trimEnd(), ""]),
    rule,
    "Apache-2.0",
    rule,
    "",
    readFileSync(join(root, "LICENSE"), "utf8").trimEnd(),
  ].join("\n")}\n`;
}

/** Each text that Bun's parts need, once; Apache-2.0 is the last of the file. */
function partSections() {
  const parts = [{ name: "Bun", licence: "MIT" }, ...bunParts];
  return partLicences.flatMap(({ id, file }) => {
    const names = parts.filter(({ licence }) => licence.split(/ (?:AND|OR) /).includes(id)).map(({ name }) => name);
    return [rule, `${id}: ${names.join(", ")}`, rule, "", ...standardText(file, "the authors of the parts named above"), ""];
  });
}

const partLicences = [
  ...["MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unicode-3.0"].map((id) => ({ id, file: id })),
  { id: "LGPL-2.0-or-later", file: "LGPL-2.0" },
  { id: "LGPL-2.1-or-later", file: "LGPL-2.1" },
];

const rule = "-".repeat(80);
const list = (packages) => packages.map(({ name, version, licence }) => `  ${name} ${version}: ${licence}`);

/** The texts, each once, under the names of the packages that have it. */
function sections(packages, root) {
  const byText = new Map();
  for (const one of packages) {
    if (!allowedLicences.includes(one.licence)) throw new Error(`${one.name} ${one.version} is under ${one.licence}, which packaging/licences.mjs does not allow`);
    const text = licenceText(one, root);
    byText.set(text, [...(byText.get(text) ?? []), one]);
  }
  return [...byText].flatMap(([text, names]) => [rule, ...names.map(({ name, version, licence }) => `${name} ${version} (${licence})`), rule, "", text, ""]);
}

/** A package's own licence file; without one, the text of the licence that it names, with its author. */
function licenceText({ name, folder, licenceFolder = folder, licence, author }, root) {
  const file = readdirSync(join(root, licenceFolder)).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  if (file !== undefined)
    return readFileSync(join(root, licenceFolder, file), "utf8")
      .replaceAll("\r\n", "\n")
      .trim();
  if (licence !== "MIT" || author === undefined) throw new Error(`${name} has no licence file, and packaging/licences.mjs has no text of ${licence} for it`);
  return standardText(licence, author).join("\n");
}

const standardText = (name, holder) => commonText(name).trimEnd().replace("<holder>", holder).split("\n");

function commonText(name) {
  const file = join(import.meta.dirname, "licences", `${name}.txt`);
  if (!existsSync(file)) throw new Error(`packaging/licences has no text of ${name}`);
  return readFileSync(file, "utf8");
}
