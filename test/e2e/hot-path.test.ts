import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cachedToken, type HotCall } from "../../src/hot/cached-token.ts";
import { type ScriptedIssuer, startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { execInfo, type Home, newHome, isStandalone, programPath, runWithBrowser } from "./program.ts";

let home: Home;
let issuer: ScriptedIssuer;
let args: readonly string[];
const version = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8")).version as string;
const info = execInfo({ server: "https://k8s.example.com:6443" });

/** The environment of the call that was judged. */
const variables = () => ({ ...home.env, KUBERNETES_EXEC_INFO: info, KUBECTL_OIDC_MIN_VALIDITY: "45s" });

/** The judged call as the hot path of another client sees it. */
const call = (changes: Partial<HotCall> = {}): HotCall => ({
  argv: args,
  env: variables(),
  platform: process.platform,
  programVersion: version,
  ppid: 999_999,
  now: Date.now(),
  cwd: () => home.folder,
  ...changes,
});

/** The token that lies in the store now; these tests are one client, whose early returns cause a refresh (promise 8). */
function storedToken(): string {
  const folder = join(home.data, "credentials");
  const name = readdirSync(folder).find((file) => file.endsWith(".json")) ?? "";
  return JSON.parse(readFileSync(join(folder, name), "utf8")).token as string;
}

const configFile = () => join(home.config, "config.yaml");

beforeAll(async () => {
  home = newHome();
  issuer = await startScriptedIssuer({ life: 3_600 });
  mkdirSync(home.config, { recursive: true, mode: 0o700 });
  writeFileSync(configFile(), "defaults: {}\n");
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(configFile(), longAgo, longAgo);
  args = [
    "get-token",
    `--oidc-issuer-url=${issuer.url}`,
    "--oidc-client-id=kubernetes",
    "--token-cache-storage=disk",
    "--listen-address=127.0.0.1:0",
    "--skip-open-browser",
    "--oidc-request-header=x-gate=abc",
  ];
  await runWithBrowser(home, args, { KUBERNETES_EXEC_INFO: info, KUBECTL_OIDC_MIN_VALIDITY: "45s" });
  // ctime cannot be set back, so the file's own age decides whether the first call was remembered already.
  for (let tries = 0; cachedToken(call()) === undefined; tries++) {
    if (tries > 60) throw new Error("the call was never remembered");
    await new Promise((done) => setTimeout(done, 100));
    await home.run(args, { KUBERNETES_EXEC_INFO: info, KUBECTL_OIDC_MIN_VALIDITY: "45s" });
  }
});
afterAll(async () => {
  home.remove();
  await issuer.stop();
});

describe("the hot path", () => {
  it("gives the judged answer for exactly the judged inputs", () => {
    const text = cachedToken(call({ ppid: 900_001 })) ?? "";
    expect(JSON.parse(text).status.token).toBe(storedToken());
  });

  it("misses when any one byte of any argument changes", () => {
    fc.assert(
      fc.property(fc.nat(args.length - 1), fc.nat(), fc.integer({ min: 33, max: 126 }), (which, at, byte) => {
        const arg = args[which] ?? "";
        const changed = `${arg.slice(0, at % arg.length)}${String.fromCharCode(byte)}${arg.slice((at % arg.length) + 1)}`;
        fc.pre(changed !== arg);
        expect(cachedToken(call({ argv: args.with(which, changed), ppid: 900_002 }))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it("misses when an argument is added, removed or moved", () => {
    expect(cachedToken(call({ argv: [...args, "--force-refresh"] }))).toBeUndefined();
    expect(cachedToken(call({ argv: [...args, ""] }))).toBeUndefined();
    for (let i = 1; i < args.length; i++) expect(cachedToken(call({ argv: args.toSpliced(i, 1) }))).toBeUndefined();
    expect(cachedToken(call({ argv: ["get-token", ...args.slice(1).toReversed()] }))).toBeUndefined();
  });

  it("misses when any byte of the exec info changes", () => {
    fc.assert(
      fc.property(fc.nat(info.length - 1), fc.integer({ min: 32, max: 126 }), (at, byte) => {
        const changed = `${info.slice(0, at)}${String.fromCharCode(byte)}${info.slice(at + 1)}`;
        fc.pre(changed !== info);
        expect(cachedToken(call({ env: { ...variables(), KUBERNETES_EXEC_INFO: changed } }))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it("misses when a variable that can change the answer appears, changes or goes", () => {
    const names = ["KUBECTL_OIDC_ACCOUNT", "KUBECTL_OIDC_ANYTHING_NEW", "KUBECACHEDIR", "NODE_TLS_REJECT_UNAUTHORIZED", "KUBECTL_OIDC_CONFIG", "BROWSER"];
    for (const name of names) expect(cachedToken(call({ env: { ...variables(), [name]: "1" } })), name).toBeUndefined();
    for (const name of ["KUBECTL_OIDC_MIN_VALIDITY", "KUBERNETES_EXEC_INFO", "XDG_CONFIG_HOME", "HOME"]) {
      const { [name]: _, ...rest } = variables() as Record<string, string>;
      expect(cachedToken(call({ env: rest })), name).toBeUndefined();
      expect(cachedToken(call({ env: { ...variables(), [name]: `${(variables() as Record<string, string>)[name]}x` } })), name).toBeUndefined();
    }
  });

  it("does not care for variables that cannot change the answer", () => {
    expect(cachedToken(call({ env: { ...variables(), LANG: "de_DE", EDITOR: "vi" }, ppid: 900_003 }))).toBeDefined();
  });

  it("misses for another version of the program", () => expect(cachedToken(call({ programVersion: `${version}.1` }))).toBeUndefined());

  it("misses when the configuration file changes, and when one appears", async () => {
    const before = readFileSync(configFile(), "utf8");
    writeFileSync(configFile(), `${before}# one byte more\n`);
    expect(cachedToken(call())).toBeUndefined();
    writeFileSync(configFile(), before);
    expect(cachedToken(call()), "the same text with another stamp is judged afresh").toBeUndefined();
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(configFile(), longAgo, longAgo);
    // No entry is written while the file is younger than two seconds.
    await home.run(args, { KUBERNETES_EXEC_INFO: info, KUBECTL_OIDC_MIN_VALIDITY: "45s" });
    expect(cachedToken(call())).toBeUndefined();
    for (let tries = 0; tries < 60 && cachedToken(call({ ppid: 900_004 })) === undefined; tries++) {
      await new Promise((done) => setTimeout(done, 100));
      await home.run(args, { KUBERNETES_EXEC_INFO: info, KUBECTL_OIDC_MIN_VALIDITY: "45s" });
    }
    expect(cachedToken(call({ ppid: 900_005 }))).toBeDefined();
  });

  it("steps aside when the token is near its end, and when the clock was set back", () => {
    expect(cachedToken(call({ now: Date.now() + 3_600_000 - 40_000 }))).toBeUndefined();
    expect(cachedToken(call({ now: Date.now() - 86_400_000 }))).toBeUndefined();
  });

  it("steps aside for the client that was handed this token and is back too early, and for no other", () => {
    expect(cachedToken(call({ ppid: 900_010 }))).toBeDefined();
    expect(cachedToken(call({ ppid: 900_010 }))).toBeUndefined();
    expect(cachedToken(call({ ppid: 900_011 }))).toBeDefined();
  });

  it("holds no secret-bearing value in clear", () => {
    const memos = readdirSync(join(home.data, "memo")).map((name) => readFileSync(join(home.data, "memo", name), "utf8"));
    expect(memos.length).toBeGreaterThan(0);
    for (const text of memos) expect(text).not.toContain("x-gate=abc");
  });

  it("a planted memo releases nothing: its id is not in the credential", () => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-planted-"));
    try {
      const planted = join(folder, "data", "kubectl-oidc");
      mkdirSync(join(planted, "memo"), { recursive: true, mode: 0o700 });
      for (const name of readdirSync(join(home.data, "memo"))) {
        const memo = JSON.parse(readFileSync(join(home.data, "memo", name), "utf8"));
        writeFileSync(
          join(planted, "memo", name),
          JSON.stringify({ ...memo, id: "0".repeat(32), inputs: memo.inputs.map((text: string) => text.replace(/^XDG_DATA_HOME=.*/, `XDG_DATA_HOME=${join(folder, "data")}`)) }),
          { mode: 0o600 },
        );
      }
      expect(cachedToken(call({ env: { ...variables(), XDG_DATA_HOME: join(folder, "data") } }))).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("steps aside for files that others can read, links, and damaged ones", () => {
    const folder = join(home.data, "credentials");
    const file = join(folder, readdirSync(folder).find((name) => name.endsWith(".json")) ?? "");
    const text = readFileSync(file, "utf8");
    chmodSync(file, 0o644);
    expect(cachedToken(call({ ppid: 900_020 }))).toBeUndefined();
    chmodSync(file, 0o600);
    writeFileSync(file, text.slice(0, -5));
    expect(cachedToken(call({ ppid: 900_020 }))).toBeUndefined();
    writeFileSync(`${file}.real`, text, { mode: 0o600 });
    rmSync(file);
    symlinkSync(`${file}.real`, file);
    expect(cachedToken(call({ ppid: 900_020 }))).toBeUndefined();
    rmSync(file);
    writeFileSync(file, text, { mode: 0o600 });
    rmSync(`${file}.real`);
    expect(cachedToken(call({ ppid: 900_021 }))).toBeDefined();
  });

  it.skipIf(isStandalone)("loads node:fs and nothing else (npm program)", async () => {
    // Without exec info there is no client to be recognised, so the second call is a hit.
    await home.run(args);
    const probe = join(home.folder, "closure.cjs");
    // Every module that is loaded while the built program runs, asked of Node itself at its exit.
    writeFileSync(
      probe,
      `const Module = require("node:module"); const seen = []; const load = Module._load;
       Module._load = function (request, ...rest) { seen.push(request); return load.call(this, request, ...rest); };
       const exit = process.exit; process.exit = (code) => { require("node:fs").writeFileSync(${JSON.stringify(join(home.folder, "seen.json"))}, JSON.stringify(seen)); exit(code); };
       process.argv.splice(1, 1); require(process.argv[1]);`,
    );
    const out = execFileSync(process.execPath, [probe, programPath, ...args], { env: { ...home.env }, encoding: "utf8", cwd: home.folder });
    expect(JSON.parse(out).status.token).toBe(storedToken());
    const seen = JSON.parse(readFileSync(join(home.folder, "seen.json"), "utf8")) as string[];
    expect([...new Set(seen.filter((name) => name !== programPath))]).toEqual(["node:fs"]);
  });

  it("a logout is seen at once", async () => {
    expect(cachedToken(call({ ppid: 900_030 }))).toBeDefined();
    await home.run(["logout", ...args.slice(1)]);
    expect(cachedToken(call({ ppid: 900_031 }))).toBeUndefined();
    expect(existsSync(join(home.data, "memo"))).toBe(true);
  });
});
