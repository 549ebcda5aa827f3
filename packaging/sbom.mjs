// Bills of materials in CycloneDX 1.6: what is inside the npm package and its installation, and what is inside an executable.
import { createHash } from "node:crypto";
import { bunParts } from "./bun-parts.mjs";
import { release } from "./release.mjs";

/**
 * The npm package: what is bundled (scope "required", inside our files) and what npm installs beside it. `bundled`, `installed`: packages; `lock`:
 * package-lock.json; `commit`, `seconds`: of the release.
 */
export function npmSbom({ bundled, installed, lock, commit, seconds }) {
  const inside = bundled.map((one) => npmComponent(one, lock, "bundled"));
  const beside = unique([...installed.map((one) => npmComponent(one, lock, "installed"))].filter((one) => !inside.some((other) => other["bom-ref"] === one["bom-ref"])));
  const program = mainComponent(`pkg:npm/${release.name}@${release.version}`);
  return document(
    program,
    [...inside, ...beside],
    [{ ref: program["bom-ref"], dependsOn: refs([...inside, ...beside.filter((one) => isDirect(one, lock))]) }, ...edges(installed, lock)],
    commit,
    seconds,
  );
}

/** The executables: the same packages, the addons that are inside, the runtime and its parts. */
export function executableSbom({ bundled, addons, bunVersion, runtimes, lock, commit, seconds }) {
  const packages = unique([...bundled.map((one) => npmComponent(one, lock, "bundled")), ...addons.map((one) => npmComponent(one, lock, "addon"))]);
  const parts = bunParts.map(({ name, licence, source }) => ({
    type: "library",
    "bom-ref": `bun/${name}`,
    name,
    licenses: licences(licence),
    externalReferences: [{ type: "vcs", url: source }],
  }));
  const bun = {
    type: "platform",
    "bom-ref": `pkg:npm/bun@${bunVersion}`,
    name: "bun",
    version: bunVersion,
    licenses: licences("MIT"),
    purl: `pkg:npm/bun@${bunVersion}`,
    externalReferences: [
      { type: "vcs", url: "https://github.com/oven-sh/bun" },
      ...runtimes.map(({ name, integrity }) => ({ type: "distribution", url: purl(name, bunVersion), comment: "one platform's runtime", hashes: hashes(integrity) })),
    ],
    components: parts,
  };
  const program = mainComponent(`pkg:github/kubectl-oidc/kubectl-oidc@${release.tag}`);
  return document(program, [bun, ...packages], [{ ref: program["bom-ref"], dependsOn: refs([bun, ...packages]) }], commit, seconds);
}

function document(program, components, dependencies, commit, seconds) {
  const body = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(seconds * 1000).toISOString().replace(".000", ""),
      lifecycles: [{ phase: "build" }],
      component: { ...program, properties: [{ name: "kubectl-oidc:commit", value: commit }] },
    },
    components: [...components].sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1)),
    dependencies,
  };
  // Named after its content: the same release gives the same document.
  return { $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", ...body, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}` };
}

const mainComponent = (purlText) => ({
  type: "application",
  "bom-ref": purlText,
  name: release.name,
  version: release.version,
  description: release.summary,
  licenses: licences(release.licence),
  purl: purlText,
  externalReferences: [
    { type: "vcs", url: release.repository },
    { type: "issue-tracker", url: release.issues },
  ],
});

function npmComponent({ name, version, licence, folder }, lock, how) {
  const entry = lock.packages[folder] ?? {};
  return {
    type: "library",
    "bom-ref": purl(name, version),
    ...(name.startsWith("@") ? { group: name.split("/")[0], name: name.split("/")[1] } : { name }),
    version,
    scope: entry.optional === true ? "optional" : "required",
    ...(entry.integrity === undefined ? {} : { hashes: hashes(entry.integrity) }),
    licenses: licences(licence),
    purl: purl(name, version),
    ...(entry.resolved === undefined ? {} : { externalReferences: [{ type: "distribution", url: entry.resolved }] }),
    properties: [{ name: "kubectl-oidc:inclusion", value: how }],
  };
}

/** The package URL of an npm package; its @ is escaped. */
export const purl = (name, version) => `pkg:npm/${name.replace("@", "%40")}@${version}`;

const licences = (expression) => (/ (AND|OR|WITH) /.test(expression) ? [{ expression }] : [{ license: { id: expression } }]);
const refs = (components) => components.map((one) => one["bom-ref"]).sort();
const unique = (components) => [...new Map(components.map((one) => [one["bom-ref"], one])).values()];

/** npm writes base64; CycloneDX wants hexadecimal digits. */
function hashes(integrity) {
  const [algorithm, digest] = integrity.split("-");
  return [{ alg: `SHA-${algorithm.slice(3)}`, content: Buffer.from(digest, "base64").toString("hex") }];
}

const isDirect = (component, lock) => Object.keys(lock.packages[""].dependencies).some((name) => component["bom-ref"] === purl(name, component.version));

/** Who needs whom among the installed packages; npm puts each where the other finds it. */
function edges(installed, lock) {
  const refOf = (name) => installed.find((one) => one.name === name);
  return installed.map((one) => {
    const { dependencies = {}, optionalDependencies = {} } = lock.packages[one.folder];
    const found = Object.keys({ ...dependencies, ...optionalDependencies }).map(refOf);
    return { ref: purl(one.name, one.version), dependsOn: [...new Set(found.filter((other) => other !== undefined).map((other) => purl(other.name, other.version)))].sort() };
  });
}

/** A version-5-like UUID (RFC 9562) of a text. */
function uuidOf(text) {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
