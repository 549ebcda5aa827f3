import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LocalServer, listenOnLocalhost } from "../issuer/listen-on-localhost.ts";
import { errorCode, type Home, isStandalone, newHome } from "./program.ts";

let home: Home;
let registry: LocalServer;
const asked: string[] = [];
const answer = { status: 200, body: "" };
let env: Readonly<Record<string, string>>;

beforeEach(async () => {
  home = newHome();
  asked.length = 0;
  registry = await listenOnLocalhost((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers["user-agent"]}`);
    response.writeHead(answer.status, { "content-type": "application/json", location: "/elsewhere" }).end(answer.body);
  });
  env = { npm_config_registry: `${registry.origin}/npm/` };
});
afterEach(async () => {
  home.remove();
  await registry.stop();
});

const newest = (version: unknown) => Object.assign(answer, { status: 200, body: JSON.stringify({ name: "kubectl-oidc", version }) });
const { version: own } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8")) as { readonly version: string };
const next = own.replace(/\d+$/, (patch) => String(Number(patch) + 1));

describe("version", () => {
  it("tells version, commit, form, runtime, platform and keychain, and asks nobody", async () => {
    newest(next);
    const ended = await home.run(["version", "-o", "json"], env);
    expect(JSON.parse(ended.stdout)).toEqual({
      version: own,
      commit: expect.stringMatching(/^[0-9a-f]{12}(-dirty)?$|^unknown$/),
      form: isStandalone ? "standalone" : "npm",
      runtime: isStandalone ? expect.stringMatching(/^Bun \d+\.\d+\.\d+$/) : `Node ${process.versions.node}`,
      platform: expect.stringMatching(new RegExp(`^${process.platform}/`)),
      keychain: process.platform === "linux" ? "Secret Service" : expect.any(String),
    });
    expect((await home.run(["--version"], env)).stdout).toMatch(isStandalone ? /^kubectl-oidc \S+ \(standalone, Bun / : /^kubectl-oidc \S+ \(Node /);
    expect(asked).toEqual([]);
  });

  it("--check tells of a newer one and how to get it, with one request that says nothing of this computer", async () => {
    newest(next);
    const ended = await home.run(["version", "--check"], env);
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expect(ended.stdout.split("\n")[1]).toBe(
      isStandalone ? `${next} is there: https://github.com/kubectl-oidc/kubectl-oidc/releases/tag/v${next}` : `${next} is there: npm install --global kubectl-oidc@${next}`,
    );
    expect(asked).toEqual([`GET /npm/kubectl-oidc/latest kubectl-oidc/${own}`]);
  });

  it("--check tells when there is none, and when this one is not released yet", async () => {
    newest(own);
    expect((await home.run(["version", "--check"], env)).stdout.split("\n")[1]).toBe("it is the newest");
    newest("0.0.1");
    expect((await home.run(["version", "--check"], env)).stdout.split("\n")[1]).toBe("it is newer than 0.0.1, the newest release");
  });

  it("--check -o json adds newest and isNewest", async () => {
    newest(next);
    expect(JSON.parse((await home.run(["version", "--check", "-o", "json"], env)).stdout)).toMatchObject({ version: own, newest: next, isNewest: false });
    newest(own);
    expect(JSON.parse((await home.run(["version", "--check", "-o", "json"], env)).stdout)).toMatchObject({ newest: own, isNewest: true });
  });

  it.each<[string, number, string]>([
    ["a page of a portal", 200, "<html>"],
    ["an answer without a version", 200, "{}"],
    ["a version that would paint the terminal", 200, JSON.stringify({ version: "9.9.9\u001b[31m" })],
    ["a registry that does not know it", 404, JSON.stringify({ error: "not found" })],
    ["a redirect", 302, ""],
    ["a megabyte too much", 200, JSON.stringify({ version: next, readme: "x".repeat(2_000_000) })],
  ])("--check with %s is RELEASES_UNREACHABLE, exit 30", async (_, status, body) => {
    Object.assign(answer, { status, body });
    const ended = await home.run(["version", "--check"], env);
    expect([ended.status, errorCode(ended), ended.stdout]).toEqual([30, "RELEASES_UNREACHABLE", ""]);
    expect(ended.stderr).not.toContain("\u001b");
  });

  it("--check with a registry that nobody serves is RELEASES_UNREACHABLE, one by plain http SETTINGS_INVALID", async () => {
    expect(errorCode(await home.run(["version", "--check"], { npm_config_registry: "https://127.0.0.1:9" }))).toBe("RELEASES_UNREACHABLE");
    const plain = await home.run(["version", "--check"], { npm_config_registry: "http://registry.example" });
    expect([plain.status, errorCode(plain)]).toEqual([40, "SETTINGS_INVALID"]);
    expect(asked).toEqual([]);
  });
});
