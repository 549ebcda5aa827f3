import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./whole-release.ts";

/** What the npm package may hold, and how large each file may become, in bytes. A new file has to be argued for here. */
const ceilings: Readonly<Record<string, number>> = {
  LICENSE: 12_000,
  "README.md": 25_000,
  "package.json": 6_000,
  "man/kubectl-oidc.1": 40_000,
  "dist/THIRD-PARTY-LICENSES.txt": 40_000,
  "dist/kubectl-oidc.cjs": 16_384,
  "dist/kubectl_complete-oidc.cjs": 2_000,
  // Each command loads some of these; 100 KB take Node 3 ms (docs/adr/0012-slow-paths.md).
  "dist/compiled.cjs": 4_000,
  "dist/cli.cjs": 50_000,
  "dist/commander.cjs": 45_000,
  "dist/work.cjs": 128_000,
  "dist/oidc.cjs": 98_000,
  "dist/help.cjs": 30_000,
  "dist/status.cjs": 10_000,
  "dist/audit.cjs": 16_000,
  "dist/session.cjs": 25_000,
  "dist/login.cjs": 65_000,
  "dist/machine.cjs": 17_000,
  "dist/values.cjs": 4_000,
  "dist/proof.cjs": 8_000,
  "dist/setup.cjs": 43_000,
  "dist/migrate.cjs": 50_000,
  "dist/doctor.cjs": 50_000,
  "dist/kubeconfig.cjs": 12_000,
  "dist/yaml.cjs": 160_000,
  "dist/proxy.cjs": 25_000,
  "dist/keychain.cjs": 10_000,
  "dist/start.cjs": 3_000,
  "dist/programs.cjs": 8_000,
  "dist/keychain-child.cjs": 15_000,
};
const packedCeiling = 310_000;

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
}
interface LockEntry {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
}

let folder: string;
let tarball: string;
/** The tarball, unpacked where npm would put it. */
const installed = () => join(folder, "node_modules/kubectl-oidc");
const manifestOf = (at: string) => JSON.parse(readFileSync(join(at, "package.json"), "utf8")) as Manifest;
const lock = (JSON.parse(readFileSync(resolve(root, "package-lock.json"), "utf8")) as { readonly packages: Readonly<Record<string, LockEntry>> }).packages;
const production = Object.entries(lock).filter(([at, { dev }]) => at !== "" && dev !== true);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-package-"));
  // Without scripts: `prepare` would build anew, under the feet of the other tests.
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], { cwd: root, stdio: "ignore" });
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
  mkdirSync(installed(), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed(), "--strip-components=1"]);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the npm package", () => {
  it("holds what runs and its papers, nothing else, each file below its ceiling", () => {
    const files = readdirSync(installed(), { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(installed(), name)).isFile());
    expect(files.sort()).toEqual(Object.keys(ceilings).sort());
    for (const name of files) {
      const { size } = statSync(join(installed(), name));
      const ceiling = ceilings[name] ?? 0;
      expect(size, name).toBeLessThanOrEqual(ceiling);
      // A ceiling far above the file would not notice anything.
      if (ceiling > 50_000) expect(size, `${name} is far below its ceiling: lower it`).toBeGreaterThan(ceiling / 3);
    }
    expect(statSync(tarball).size).toBeLessThanOrEqual(packedCeiling);
  });

  it("has the two programs as executable files", () => {
    expect(Object.keys(manifestOf(installed()).bin)).toEqual(["kubectl-oidc", "kubectl_complete-oidc"]);
    for (const file of Object.values(manifestOf(installed()).bin)) {
      expect(readFileSync(join(installed(), file), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
      expect(statSync(join(installed(), file)).mode & 0o111).toBe(0o111);
    }
  });

  it("pleases publint", async () => {
    const { messages } = await publint({ pkgDir: installed(), pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, manifestOf(installed())))).toEqual([]);
  });

  it("is a program, no library: nothing of it can be imported but its package.json", () => {
    const { resolve: find } = createRequire(join(folder, "main.cjs"));
    expect(find("kubectl-oidc/package.json")).toBe(join(installed(), "package.json"));
    for (const name of ["kubectl-oidc", "kubectl-oidc/dist/cli.cjs", "kubectl-oidc/dist/kubectl-oidc.cjs"])
      expect(() => find(name)).toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED|not defined by "exports"|No "exports" main/);
    expect(Object.keys(manifestOf(installed()))).not.toEqual(expect.arrayContaining(["main"]));
  });
});

describe("what npm installs beside it", () => {
  /** Required by a bundled package for a way of logging in to a proxy that we never ask it for, inside its own try. */
  const neverAsked = ["kerberos"];

  it("is what the bundles require, and all of that", () => {
    const bundles = readdirSync(join(installed(), "dist")).filter((name) => name.endsWith(".cjs"));
    const required = bundles.flatMap((name) => [...readFileSync(join(installed(), "dist", name), "utf8").matchAll(/\brequire\("([^"]+)"\)/g)].map((match) => match[1] ?? ""));
    const packages = new Set(required.filter((name) => !name.startsWith(".") && !isBuiltin(name) && !neverAsked.includes(name)));
    expect([...packages].sort()).toEqual(Object.keys(manifestOf(installed()).dependencies).sort());
    const ours = required.filter((name) => name.startsWith("./"));
    for (const name of ours) expect(bundles).toContain(name.slice(2));
  });

  it("is little: the two native bindings, the packages that load them, and one file for this platform", () => {
    expect(production.map(([at]) => at.replace("node_modules/", "")).filter((name) => !/^@napi-rs\/keyring-/.test(name))).toEqual([
      "@napi-rs/keyring",
      "bare-addon-resolve",
      "bare-buffer",
      "bare-module-resolve",
      "bare-path",
      "bare-semver",
      "bare-url",
      "fs-native-extensions",
      "require-addon",
      "which-runtime",
    ]);
  });

  it("runs no install script, and neither do we", () => {
    for (const [at, { hasInstallScript }] of production) expect(hasInstallScript, at).not.toBe(true);
    const { scripts } = manifestOf(installed());
    for (const name of ["preinstall", "install", "postinstall"]) expect(scripts).not.toHaveProperty(name);
  });

  it("is pinned to one version and content", () => {
    const { dependencies, devDependencies } = manifestOf(installed());
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    for (const [at, { integrity }] of production) expect(integrity, at).toMatch(/^sha512-/);
  });

  it("does not hide what the program is built on", () => {
    const { dependencies, devDependencies } = manifestOf(installed());
    for (const name of ["openid-client", "open", "commander", "env-paths", "yaml"]) expect(devDependencies).toHaveProperty(name);
    for (const name of ["@napi-rs/keyring", "fs-native-extensions"]) expect(dependencies).toHaveProperty(name);
  });
});
