import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { catalogue } from "./catalogue.ts";
import { moduleFile } from "./go-program.ts";
import { makePart } from "./make-part.ts";
import { absence, findPart, type Part, partsFolder } from "./part.ts";
import { versions } from "./versions.ts";

let folder: string;
let env: { KUBECTL_OIDC_PARTS: string };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-parts-"));
  env = { KUBECTL_OIDC_PARTS: join(folder, "cache") };
  process.env["KUBECTL_OIDC_PARTS"] = env.KUBECTL_OIDC_PARTS;
});
afterEach(() => {
  delete process.env["KUBECTL_OIDC_PARTS"];
  rmSync(folder, { recursive: true });
});

const program = (path: string, version: string) => {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "thing ${version} (of today)"\n`, { mode: 0o755 });
};
const part: Part = { name: "thing", version: "v1.0.0", file: "thing", variables: ["THING", "THINGS"], onPath: [], versionArgs: ["--version"] };
const made: Part = {
  ...part,
  making: {
    needs: [],
    minutes: 1,
    into: async (place) => program(join(place, "thing"), "v1.0.0"),
  },
};

describe("a part", () => {
  it("is found by a variable that names it, or a folder that holds it, and says its own version", () => {
    program(join(folder, "assets/thing"), "v2.1.3");
    for (const value of [join(folder, "assets"), join(folder, "assets/thing")]) {
      expect(findPart(part, { ...env, THINGS: value })).toEqual({ name: "thing", path: join(folder, "assets/thing"), version: "v2.1.3" });
    }
    expect(findPart(part, { ...env, THINGS: join(folder, "nowhere") })).toBeUndefined();
  });

  it("is no folder, and no file that cannot be run", () => {
    mkdirSync(join(folder, "assets/thing"), { recursive: true });
    for (const value of ["assets", "assets/thing"]) expect(findPart(part, { ...env, THINGS: join(folder, value) }), value).toBeUndefined();
    writeFileSync(join(folder, "thing"), "no program", { mode: 0o644 });
    expect(findPart(part, { ...env, THING: join(folder, "thing") })).toBeUndefined();
    mkdirSync(join(env.KUBECTL_OIDC_PARTS, "thing/v1.0.0/thing"), { recursive: true });
    expect(findPart(part, env)).toBeUndefined();
  });

  it("that is a folder, or a file that is read, is taken as what it is, and as nothing else", () => {
    mkdirSync(join(folder, "packages"));
    writeFileSync(join(folder, "packages/__init__.py"), "");
    writeFileSync(join(folder, "package.json"), "{}");
    const found = (kind: NonNullable<Part["kind"]>, name: string) => findPart({ ...part, kind }, { ...env, THING: join(folder, name) })?.path;
    const withInit = { folderWith: "__init__.py" };
    expect(found(withInit, "packages")).toBe(join(folder, "packages"));
    for (const name of ["", "package.json"]) expect(found(withInit, name), name).toBeUndefined();
    expect(found("file", "package.json")).toBe(join(folder, "package.json"));
    expect(found("file", "packages")).toBeUndefined();
  });

  it("of assets that hold other programs only is not found: no kubectl in the folder of a test environment is no kubectl", () => {
    program(join(folder, "assets/etcd"), "v3.6.0");
    const assets = { ...env, KUBEBUILDER_ASSETS: join(folder, "assets"), KEYCLOAK_HOME: join(folder, "assets") };
    const namesFound = catalogue.filter(({ variables }) => variables.some((name) => name in assets)).filter((one) => findPart(one, assets) !== undefined);
    expect(namesFound.map(({ name }) => name)).toEqual(["etcd"]);
  });

  it("older than the tests need is passed over for one that is made, and else named, with its version", () => {
    program(join(folder, "thing"), "v1.9.9");
    const needy: Part = { ...made, version: "v1.10.2", atLeast: "v1.10.0" };
    const place = { ...env, THING: join(folder, "thing") };
    expect(findPart(needy, place)).toBeUndefined();
    expect(absence(needy, place)).toMatch(/^\S+\/thing is too old \(v1\.9\.9\), v1\.10\.0 or newer is needed; not in \$THING/);
    program(join(env.KUBECTL_OIDC_PARTS, "thing/v1.10.2/thing"), "v1.10.2");
    expect(findPart(needy, place)?.version).toBe("v1.10.2");
    program(join(folder, "thing"), "v1.10.0-rc.1");
    expect(findPart(needy, place)?.version).toBe("v1.10.0-rc.1");
    program(join(folder, "thing"), "of no number");
    expect(absence(needy, place)).toMatch(/thing is of unknown version, v1\.10\.0 or newer is needed/);
  });

  it("is made once, whole, and found from then on; two runs at once make it once", async () => {
    const said: string[] = [];
    await Promise.all([makePart(made, (line) => said.push(line)), makePart(made, (line) => said.push(line))]);
    expect(said).toHaveLength(1);
    expect(findPart(part)).toEqual({ name: "thing", path: join(env.KUBECTL_OIDC_PARTS, "thing/v1.0.0/thing"), version: "v1.0.0" });
    expect(readdirSync(join(env.KUBECTL_OIDC_PARTS, "thing"))).toEqual(["v1.0.0"]);
  });

  it("that could not be made leaves nothing behind, and the next try may make it", async () => {
    const fails: Part = { ...made, making: { ...made.making!, into: () => Promise.reject(new Error("no compiler")) } };
    await expect(makePart(fails, () => undefined)).rejects.toThrow("no compiler");
    expect(readdirSync(join(env.KUBECTL_OIDC_PARTS, "thing"))).toEqual([]);
    await makePart(made, () => undefined);
    expect(findPart(part)).toBeDefined();
  });

  it("whose maker died is made by the next run", async () => {
    mkdirSync(join(env.KUBECTL_OIDC_PARTS, "thing"), { recursive: true });
    // No process has this number.
    writeFileSync(join(env.KUBECTL_OIDC_PARTS, "thing/v1.0.0.lock"), "4194304");
    await makePart(made, () => undefined);
    expect(existsSync(join(env.KUBECTL_OIDC_PARTS, "thing/v1.0.0/thing"))).toBe(true);
  });

  it("that is missing says where it was looked for, and how to get it", () => {
    expect(absence(part)).toBe("not in $THING, $THINGS, the cache");
    expect(absence(made)).toContain("npm run test:cluster -- --build makes it (about 1 min)");
    expect(absence({ ...made, making: { ...made.making!, needs: ["no-such-compiler"] } })).toContain("no-such-compiler must be on the PATH");
  });

  it("is kept in the folder that is named, else in the user's cache", () => {
    expect(partsFolder({ KUBECTL_OIDC_PARTS: "/parts" })).toBe("/parts");
    expect(partsFolder({ XDG_CACHE_HOME: "/cache" })).toBe("/cache/kubectl-oidc-parts");
  });
});

describe("the catalogue", () => {
  it("makes no part that it would not take", () => {
    for (const { name, version, atLeast } of catalogue) if (atLeast !== undefined) expect(version.localeCompare(atLeast, "en", { numeric: true }), name).toBeGreaterThanOrEqual(0);
  });

  it("wants an API server with AuthenticationConfiguration v1, whoever brought it", () => {
    program(join(folder, "kube-apiserver"), "v1.33.4");
    const assets = { ...env, KUBEBUILDER_ASSETS: folder };
    const server = catalogue.find(({ name }) => name === "kube-apiserver")!;
    expect(findPart({ ...server, folders: [], onPath: [] }, assets)).toBeUndefined();
    expect(absence(server, assets)).toContain("too old (v1.33.4), v1.34.0 or newer is needed");
  });

  it("names each part once, and every version of the table is used", () => {
    const names = catalogue.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const [name, version] of Object.entries(versions)) expect(catalogue.find((one) => one.name === name)?.version, name).toBe(version);
  });
});

describe("the module that a Go program is built through", () => {
  const theirs = "module k8s.io/kubernetes\n\ngo 1.26.0\n\ngodebug default=go1.26\n\nrequire a v1\n\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n)\n";

  it("takes published modules in the place of folders, and language version and debug settings over", () => {
    expect(moduleFile("k8s.io/kubernetes@v1.37.2", theirs, "v0.37.2", [])).toBe(
      "module parts\ngo 1.26.0\ngodebug default=go1.26\nrequire k8s.io/kubernetes v1.37.2\nreplace k8s.io/api => k8s.io/api v0.37.2\n",
    );
  });

  it("takes over what the program has in other modules' places", () => {
    const hydra = "module h\n\ngo 1.22\n\nreplace github.com/h/client => ./internal/client\n\nreplace github.com/g/pop/v6 => github.com/o/pop/v6 v6.2.1\n";
    expect(moduleFile("h@v2.3.0", hydra, undefined, [])).toBe("module parts\ngo 1.22\nrequire h v2.3.0\nreplace github.com/g/pop/v6 => github.com/o/pop/v6 v6.2.1\n");
  });

  it("may ask for newer modules than the program does", () => {
    expect(moduleFile("k8s.io/kubectl@v0.23.3", "module k8s.io/kubectl\n\ngo 1.16\n", undefined, ["golang.org/x/sys v0.30.0"])).toContain("require golang.org/x/sys v0.30.0");
  });
});
