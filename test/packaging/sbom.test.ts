import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { makeRelease } from "../../packaging/make-release.mjs";
import { release } from "../../packaging/release.mjs";
import { readBundled } from "../../packaging/write-bundled.mjs";
import { standIns } from "./stand-ins.ts";
import { root } from "./whole-release.ts";

interface Component {
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly scope?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly unknown[];
  readonly components?: readonly Component[];
  readonly properties?: readonly { readonly value: string }[];
}
interface Bom {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly metadata: { readonly component: Component };
}

const lock = JSON.parse(readFileSync(resolve(root, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly integrity?: string; readonly version: string }>>;
};

const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-sbom-"));
makeRelease({ ...(await standIns(folder)), out: join(folder, "out"), hasDebian: false });
const bom = (form: string) => JSON.parse(readFileSync(join(folder, `out/kubectl-oidc_${release.version}_${form}.cdx.json`), "utf8")) as Bom;
const boms = { npm: bom("npm"), standalone: bom("standalone") };
rmSync(folder, { recursive: true, force: true });

/** The specification's own schema, out of its library. */
function cycloneDx() {
  const schemas = join(dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json")), "res/schema");
  const read = (name: string) => JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), "utf8")) as object;
  const ajv = new Ajv({ strict: false, allErrors: true });
  for (const format of ["date-time", "email", "idn-email", "iri-reference", "uri"]) ajv.addFormat(format, (text) => text.length > 0 && !/\s/.test(text));
  for (const name of ["spdx", "jsf-0.82", "cryptography-defs"]) ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  return ajv.compile(read("bom-1.6"));
}

const hex = (integrity: string) => Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");

describe.each(Object.entries(boms))("the bill of materials of the %s form", (_form, value) => {
  it("keeps the schema of CycloneDX 1.6", () => {
    const check = cycloneDx();
    expect(check(value) ? [] : check.errors).toEqual([]);
  });

  it("would not keep it with a licence that SPDX does not know, or a package without a name", () => {
    const check = cycloneDx();
    const [first] = value.components;
    expect(check({ ...value, components: [{ ...first, licenses: [{ license: { id: "Nonsense-1.0" } }] }] })).toBe(false);
    expect(check({ ...value, components: [{ ...first, name: undefined }] })).toBe(false);
  });

  it("has every bundled package with its version, its licence and the registry's sum", () => {
    for (const { name, version, folder: at } of readBundled()) {
      const found = value.components.find(({ purl }) => purl === `pkg:npm/${name.replace("@", "%40")}@${version}`);
      expect(found?.properties?.[0]?.value, name).toBe("bundled");
      expect(found?.licenses, name).toHaveLength(1);
      expect(found?.hashes, name).toEqual([{ alg: "SHA-512", content: hex(lock.packages[at]?.integrity ?? "") }]);
    }
  });

  it("draws no dependency on something that it does not list", () => {
    const refs = new Set([value.metadata.component, ...value.components].map((one) => (one as unknown as { readonly "bom-ref": string })["bom-ref"]));
    expect(refs.size).toBe(value.components.length + 1);
    for (const { ref, dependsOn } of value.dependencies) for (const one of [ref, ...dependsOn]) expect([...refs]).toContain(one);
  });
});

it("the npm package's has everything that npm installs beside it", () => {
  const installed = Object.entries(lock.packages).filter(([at, { dev }]) => at !== "" && dev !== true);
  expect(installed.length).toBeGreaterThan(5);
  for (const [at, { version }] of installed) {
    const name = at.replace(/^.*node_modules\//, "").replace("@", "%40");
    expect(boms.npm.components.map(({ purl }) => purl)).toContain(`pkg:npm/${name}@${version}`);
  }
});

it("the executables' has the runtime with its parts, and each platform's addon", () => {
  const bun = boms.standalone.components.find(({ name }) => name === "bun");
  expect(bun?.version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(bun?.components?.map(({ name }) => name)).toContain("WebKit (JavaScriptCore and parts of WebCore)");
  const addons = boms.standalone.components.filter(({ properties }) => properties?.[0]?.value === "addon").map(({ name }) => name);
  expect(addons).toContain("keyring-linux-x64-gnu");
  expect(addons).toContain("keyring-win32-arm64-msvc");
  expect(addons).toContain("fs-native-extensions");
});
