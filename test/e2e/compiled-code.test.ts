import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedIssuer, startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { browse, credentialOf, type Home, isStandalone, newHome, openUrl, programPath } from "./program.ts";

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8")) as { readonly version: string };
const otherVersion = version.replaceAll(/\d/g, "9");

let home: Home;
let issuer: ScriptedIssuer;
let session: readonly string[];
/** An installation of its own: `dist`, and what it keeps beside it. */
let installed: string;

beforeEach(async () => {
  home = newHome();
  issuer = await startScriptedIssuer({ life: 3_600 });
  session = [`--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=kubernetes", "--token-cache-storage=disk", "--listen-address=127.0.0.1:0", "--skip-open-browser"];
  installed = mkdtempSync(join(tmpdir(), "kubectl-oidc-installed-"));
  cpSync(dirname(programPath), join(installed, "dist"), { recursive: true });
  symlinkSync(resolve(import.meta.dirname, "../../node_modules"), join(installed, "node_modules"));
});
afterEach(async () => {
  rmSync(installed, { recursive: true });
  home.remove();
  await issuer.stop();
});

const command = (): readonly [string, ...string[]] => [process.execPath, join(installed, "dist", basename(programPath))];
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => home.run(args, env, undefined, command());
const refresh = async (env: Readonly<Record<string, string>> = {}) => credentialOf(await run(["get-token", ...session, "--force-refresh"], env));
async function logIn(): Promise<void> {
  const started = home.start(["get-token", ...session], {}, undefined, command());
  const [, url = ""] = await started.sees(openUrl);
  await browse(url);
  credentialOf(await started.ended);
}
const compiled = () => join(installed, "compiled");
/** Bundle → inode of what is kept of it. */
const kept = () => new Map(existsSync(compiled()) ? readdirSync(compiled()).map((name) => [name.replace(/^.*-/, ""), statSync(join(compiled(), name)).ino]) : []);
const keptOf = (bundle: string) => join(compiled(), `${process.version}-${process.arch}-${bundle}`);
const versionSaid = async () => /kubectl-oidc (\S+)/.exec((await run(["version"])).stdout)?.[1];

/** Another program in the place of this file, as long as it was. */
function exchange(bundle: string): void {
  const file = join(installed, "dist", `${bundle}.cjs`);
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(`"${version}"`, `"${otherVersion}"`));
}

describe.skipIf(isStandalone || process.platform === "win32")("npm program: what V8 made of it", () => {
  it("is kept by the first refresh, not by a login or anything else, and taken by those after it", async () => {
    await logIn();
    await run(["version"]);
    await run(["status"]);
    expect(kept().size).toBe(0);
    await refresh();
    const first = kept();
    expect([...first.keys()].sort()).toEqual(["cli", "oidc", "work"]);
    expect(statSync(keptOf("cli")).mode & 0o777).toBe(0o644);
    await refresh();
    expect(kept()).toEqual(first);
    expect(await versionSaid()).toBe(version);
  });

  it("finds the addon of the locks as a program that is compiled anew does, without its package's own search", async () => {
    const real = resolve(import.meta.dirname, "../../node_modules/fs-native-extensions");
    const ours = join(installed, "node_modules", "fs-native-extensions");
    rmSync(join(installed, "node_modules"));
    mkdirSync(ours, { recursive: true });
    symlinkSync(join(real, "prebuilds"), join(ours, "prebuilds"));
    writeFileSync(join(ours, "package.json"), `{"name":"fs-native-extensions","main":"index.js"}`);
    const searched = join(installed, "searched");
    writeFileSync(join(ours, "index.js"), `require("node:fs").writeFileSync(${JSON.stringify(searched)}, ""); module.exports = require(${JSON.stringify(real)});`);
    await logIn();
    await refresh();
    await refresh();
    expect(existsSync(searched)).toBe(false);
  });

  it("does not outlive the file that it was made of, though the new one is as long", async () => {
    await logIn();
    await refresh();
    const before = kept();
    exchange("cli");
    expect(await versionSaid()).toBe(otherVersion);
    await refresh();
    expect(kept().get("cli")).not.toBe(before.get("cli"));
    expect(kept().get("work")).toBe(before.get("work"));
  });

  it("counts only while it belongs to the program's owner, and nobody else can write it", async () => {
    await logIn();
    await refresh();
    // What V8 made of another program, under the stamp of this one.
    const [stamp] = readFileSync(keptOf("cli"), "latin1").split("\n", 1);
    const original = readFileSync(join(installed, "dist/cli.cjs"));
    exchange("cli");
    await refresh();
    const foreign = readFileSync(keptOf("cli"));
    writeFileSync(join(installed, "dist/cli.cjs"), original);
    await refresh();
    const [ours] = readFileSync(keptOf("cli"), "latin1").split("\n", 1);
    expect(ours).not.toBe(stamp);
    const plant = (mode: number) => {
      writeFileSync(keptOf("cli"), Buffer.concat([Buffer.from(`${ours}\n`), foreign.subarray(foreign.indexOf(10) + 1)]));
      chmodSync(keptOf("cli"), mode);
    };
    // The owner's own word is believed, as it would be in dist: otherwise the rest of this test would show nothing.
    plant(0o644);
    expect(await versionSaid()).toBe(otherVersion);
    for (const mode of [0o664, 0o646]) {
      plant(mode);
      expect(await versionSaid()).toBe(version);
    }
    if (process.geteuid?.() === 0) {
      plant(0o644);
      chownSync(keptOf("cli"), 12_345, 12_345);
      expect(await versionSaid()).toBe(version);
    }
  });

  it("may be cut short or be anything: the call does its work", async () => {
    await logIn();
    await refresh();
    const whole = readFileSync(keptOf("work"));
    for (const bytes of [Buffer.alloc(0), whole.subarray(0, 40), Buffer.from("no stamp"), Buffer.concat([whole.subarray(0, whole.indexOf(10) + 1), Buffer.alloc(300, 7)])]) {
      writeFileSync(keptOf("work"), bytes);
      await refresh();
      expect((await run(["status"])).status).toBe(0);
    }
  });

  it("is not kept under options of Node, nor where others could write; what no Node uses any more goes", async () => {
    await logIn();
    await refresh({ NODE_OPTIONS: "--stack-trace-limit=10" });
    expect(kept().size).toBe(0);
    chmodSync(installed, 0o777);
    await refresh();
    expect(kept().size).toBe(0);
    chmodSync(installed, 0o755);
    mkdirSync(compiled());
    const old = new Date(Date.now() - 40 * 86_400_000);
    for (const name of ["v1.2.3-x64-cli", "v1.2.3-x64-cli.77.tmp", "somebody-elses"]) {
      writeFileSync(join(compiled(), name), "");
      utimesSync(join(compiled(), name), old, old);
    }
    await refresh();
    expect(readdirSync(compiled()).filter((name) => !name.startsWith(process.version))).toEqual(["somebody-elses"]);
  });

  it("is nothing that a call needs: without the part that keeps it, all goes on", async () => {
    rmSync(join(installed, "dist/compiled.cjs"));
    await logIn();
    await refresh();
    expect(kept().size).toBe(0);
  });
});
