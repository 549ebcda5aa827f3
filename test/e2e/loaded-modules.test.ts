import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ScriptedIssuer, startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { credentialOf, type Ended, type Home, isStandalone, newHome, openUrl, preloaded, programPath, runWithBrowser } from "./program.ts";

let home: Home;
let issuer: ScriptedIssuer;
let session: readonly string[];
let probe: string;

beforeAll(async () => {
  home = newHome();
  issuer = await startScriptedIssuer({ life: 3_600 });
  session = [`--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=kubernetes", "--token-cache-storage=disk", "--listen-address=127.0.0.1:0", "--skip-open-browser"];
  probe = join(home.folder, "probe.cjs");
  // Every request of a module, and every module of Node's own that was made ready in the end.
  writeFileSync(
    probe,
    `const Module = require("node:module"); const requests = new Set(); const load = Module._load;
     Module._load = function (request, ...rest) { requests.add(request); return load.call(this, request, ...rest); };
     process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(join(home.folder, "seen.json"))}, JSON.stringify({ requests: [...requests], own: process.moduleLoadList })));`,
  );
  await runWithBrowser(home, ["get-token", ...session]);
});
afterAll(async () => {
  home.remove();
  await issuer.stop();
});

interface Loaded {
  readonly ended: Ended;
  /** Files of the package, without the entry, and what it loads before all others (compiled-code.test.ts). */
  readonly bundles: readonly string[];
  /** Packages and files of packages. */
  readonly packages: readonly string[];
  /** Node's own modules, internal ones included. */
  readonly own: readonly string[];
}

function loaded(ended: Ended): Loaded {
  const { requests, own } = JSON.parse(readFileSync(join(home.folder, "seen.json"), "utf8")) as { requests: readonly string[]; own: readonly string[] };
  return {
    ended,
    bundles: requests
      .filter((name) => /^\.\/[a-z]+\.cjs$/.test(name))
      .map((name) => basename(name, ".cjs"))
      .filter((name) => name !== "compiled"),
    packages: requests.filter((name) => !/^(node:|\.\/[a-z]+\.cjs$)/.test(name) && name !== programPath).map((name) => basename(name)),
    own: own.map((name) => name.replace(/^(NativeModule|Internal Binding) /, "")),
  };
}

const run = async (...args: readonly string[]) => loaded(await home.run(args, preloaded(probe)));

// Each of these once cost milliseconds of every refresh (docs/adr/0012-slow-paths.md). What adds to a list here adds to the time of that command.
describe.skipIf(isStandalone)("npm program: what a command loads", () => {
  it.each([
    [["version"], ["cli"]],
    [["version", "-o", "json"], ["cli"]],
    [["help"], ["cli", "help"]],
    [
      ["help", "environment"],
      ["cli", "help"],
    ],
    [
      ["help", "login"],
      ["cli", "help"],
    ],
  ])("%j: %j, and nothing of Node's streams, sockets and ciphers", async (args, bundles) => {
    const seen = await run(...args);
    expect(seen.bundles).toEqual(bundles);
    expect(seen.packages).toEqual([]);
    expect(seen.own.filter((name) => /^(stream|net|tty|http|tls|crypto|child_process|perf_hooks|readline|os)$|undici/.test(name))).toEqual([]);
  });

  it.each([
    [2, ["login", "--oidc-client-id"], ["cli"]],
    [2, ["status", "--nonsense"], ["cli", "commander"]],
    [0, ["login", "--help"], ["cli", "commander", "help"]],
  ])("exit %i, %j: commander for what is not plain, and no more but the stream of a stderr that is a pipe", async (status, args, bundles) => {
    const seen = await run(...args);
    expect(seen.ended.status).toBe(status);
    expect(seen.bundles).toEqual(bundles);
    expect(seen.own.filter((name) => /^(http|tls|crypto|perf_hooks|readline|os)$|undici/.test(name))).toEqual([]);
  });

  it("status without a kubeconfig: no YAML, and nothing that asks an issuer", async () => {
    const seen = await run("status");
    expect(seen.ended.stdout).toContain("active");
    expect(seen.bundles.toSorted()).toEqual(["cli", "kubeconfig", "status", "work"]);
    expect(seen.packages).toEqual([]);
    expect(seen.own.filter((name) => /^(tty|http|tls|crypto|child_process|perf_hooks|readline)$|undici/.test(name))).toEqual([]);
  });

  it("status with one: YAML", async () => {
    writeFileSync(join(home.folder, "kubeconfig"), "apiVersion: v1\n");
    try {
      expect((await run("status")).bundles).toContain("yaml");
    } finally {
      rmSync(join(home.folder, "kubeconfig"));
    }
  });

  it("a token from the cache: nothing that asks an issuer", async () => {
    const seen = await run("token", ...session);
    expect(seen.ended.status).toBe(0);
    expect(seen.bundles.toSorted()).toEqual(["cli", "work"]);
    expect(seen.own.filter((name) => /^(net|tty|http|tls|crypto|child_process|perf_hooks|readline)$|undici/.test(name))).toEqual([]);
  });

  it("a refresh: three bundles and the addon of the locks, without Node's fetch, YAML, and what logs in", async () => {
    const before = issuer.seen.length;
    const seen = await run("get-token", ...session, "--force-refresh");
    credentialOf(seen.ended);
    expect(issuer.seen.slice(before).map(({ path }) => path)).toEqual(["/token"]);
    expect(seen.bundles.toSorted()).toEqual(["cli", "oidc", "work"]);
    expect(seen.packages).toEqual(process.platform === "linux" ? ["fs-native-extensions.node"] : expect.anything());
    expect(seen.own.filter((name) => /^(tty|child_process|perf_hooks|readline|dns)$|undici/.test(name))).toEqual([]);
  });

  it("a refresh while the audit log is on: one bundle more, beside the one that reads the file which says so", async () => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.config, "config.yaml"), "audit: true\n");
    try {
      const seen = await run("get-token", ...session, "--force-refresh");
      credentialOf(seen.ended);
      expect(seen.bundles.toSorted()).toEqual(["audit", "cli", "oidc", "work", "yaml"]);
      expect(seen.own.filter((name) => /^(tty|child_process|perf_hooks|readline|dns)$|undici/.test(name))).toEqual([]);
    } finally {
      rmSync(home.config, { recursive: true });
    }
  });

  it("a login: no YAML without files, no proxy without one, no keychain for a session on the disk, and no fetch of Node's", async () => {
    const started = home.start(["login", ...session], preloaded(probe));
    const [, url = ""] = await started.sees(openUrl);
    await fetch((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "");
    const seen = loaded(await started.ended);
    expect(seen.ended.status, seen.ended.stderr).toBe(0);
    expect(seen.bundles.toSorted()).toEqual(["cli", "kubeconfig", "login", "oidc", "session", "work"]);
    expect(seen.own.filter((name) => /undici/.test(name))).toEqual([]);
  });
});

describe.skipIf(isStandalone)("npm program: an installation in which one file is missing", () => {
  const bundles = readdirSync(dirname(programPath))
    .filter((name) => /^[a-z]+\.cjs$/.test(name) && name !== "compiled.cjs")
    .map((name) => basename(name, ".cjs"));

  /** A copy of the program without this file. */
  function withoutBundle(name: string): { readonly command: readonly [string, ...string[]]; readonly folder: string; remove(): void } {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-damaged-"));
    mkdirSync(join(folder, "dist"));
    cpSync(dirname(programPath), join(folder, "dist"), { recursive: true });
    symlinkSync(resolve(import.meta.dirname, "../../node_modules"), join(folder, "node_modules"));
    rmSync(join(folder, "dist", `${name}.cjs`));
    return { command: [process.execPath, join(folder, "dist", basename(programPath))], folder, remove: () => rmSync(folder, { recursive: true }) };
  }

  const needs: Readonly<Record<string, readonly string[]>> = {
    cli: ["version"],
    commander: ["login", "--help"],
    work: ["status"],
    help: ["help"],
    status: ["status"],
    session: ["whoami", "--oidc-issuer-url=https://id.invalid", "--oidc-client-id=a"],
    audit: ["audit"],
    setup: ["setup", "--context=a"],
    migrate: ["migrate", "--dry-run"],
    doctor: ["doctor"],
    oidc: ["get-token", "--force-refresh"],
    machine: ["token", "--oidc-issuer-url=https://id.invalid", "--oidc-client-id=a", "--grant-type=client-credentials"],
    login: ["login", "--oidc-issuer-url=https://id.invalid", "--oidc-client-id=a", "--token-cache-storage=disk"],
    kubeconfig: ["status"],
    yaml: ["setup", "--context=a"],
    proxy: ["login", "--oidc-issuer-url=https://id.invalid", "--oidc-client-id=a", "--token-cache-storage=disk"],
    proof: ["login", "--oidc-issuer-url=https://id.invalid", "--oidc-client-id=a", "--token-cache-storage=disk", "--client-key-file=key.pem"],
    values: ["login", "--oidc-issuer-url=https://id.invalid", "--oidc-client-id=a", "--token-cache-storage=disk", "--oidc-client-secret-file=secret"],
    keychain: ["token", "--oidc-issuer-url=https://id.invalid", "--oidc-client-id=a"],
    start: ["token", "--oidc-issuer-url=https://id.invalid", "--oidc-client-id=a"],
    programs: ["doctor"],
  };

  it("every bundle is tried here", () => expect(Object.keys(needs).sort()).toEqual(bundles.toSorted()));

  it.each(Object.entries(needs))("%s: the fault is said in three lines at most, and stdout is empty", async (name, args) => {
    const { command, remove } = withoutBundle(name);
    writeFileSync(join(home.folder, "kubeconfig"), "apiVersion: v1\n");
    try {
      const whole = args[0] === "get-token" ? [...args, ...session] : args;
      const ended = await home.run(whole, name === "proxy" ? { HTTPS_PROXY: "http://127.0.0.1:1" } : {}, undefined, command);
      // A report goes on without a check that cannot be made.
      if (args[0] !== "doctor" || name === "doctor") expect(ended.status, ended.stderr).toBe(1);
      if (args[0] !== "doctor" || name === "doctor") expect(ended.stdout).toBe("");
      expect(ended.stderr).toMatch(/UNEXPECTED/);
      if (args[0] !== "doctor") expect(ended.stderr.split("\n").length).toBeLessThanOrEqual(4);
      expect(ended.stderr).toMatch(/install kubectl-oidc again/);
      expect(ended.stderr).not.toMatch(/require stack|\n {4}at /i);
    } finally {
      remove();
      rmSync(join(home.folder, "kubeconfig"));
    }
  });

  it.each([
    ["lies elsewhere in its package: the package finds it", `module.exports = require(${JSON.stringify(createRequire(import.meta.url).resolve("fs-native-extensions"))});`],
    ["cannot be had: the lease alone counts", `throw new Error("no build for this platform");`],
  ])("the addon of the locks %s", async (_, text) => {
    const { command, remove, folder } = withoutBundle("yaml");
    rmSync(join(folder, "node_modules"));
    mkdirSync(join(folder, "node_modules/fs-native-extensions"), { recursive: true });
    writeFileSync(join(folder, "node_modules/fs-native-extensions/package.json"), `{"name":"fs-native-extensions","main":"index.js"}`);
    writeFileSync(join(folder, "node_modules/fs-native-extensions/index.js"), text);
    try {
      const seen = loaded(await home.run(["get-token", ...session, "--force-refresh"], preloaded(probe), undefined, command));
      credentialOf(seen.ended);
      expect(seen.packages).toContain("fs-native-extensions");
      const leases = readdirSync(join(home.data, "locks")).filter((name) => name.endsWith(".lease"));
      expect(leases.length > 0).toBe(text.startsWith("throw"));
    } finally {
      remove();
    }
  });

  it("what a command does not need may be missing", async () => {
    const { command, remove } = withoutBundle("yaml");
    try {
      expect((await home.run(["status"], {}, undefined, command)).status).toBe(0);
      expect((await home.run(["get-token", ...session, "--force-refresh"], {}, undefined, command)).status).toBe(0);
    } finally {
      remove();
    }
  });
});
