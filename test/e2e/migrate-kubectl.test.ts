import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { kubeloginNames } from "../../src/core/kubelogin-key.ts";
import { kubeloginTakesValue, stanzaWords } from "../../src/core/stanza-words.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { accounts } from "../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { findProgram, hasProgram } from "../programs.ts";
import { type Home, newHome, programPath } from "./program.ts";

const run = promisify(execFile);
const hasKubectl = hasProgram("kubectl");
/** int128/kubelogin under the name by which kubectl finds it. No part of the gate: its test runs where it is installed. */
const kubelogin = findProgram("kubectl-oidc_login");

let home: Home;
let certificates: Certificates;
let provider: RunningProvider;
let api: ApiServer;
let bin: string;

beforeAll(async () => {
  home = newHome();
  certificates = await makeCertificates(home.folder);
  provider = await startProvider({ certificates });
  api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
  bin = join(home.folder, "bin");
  mkdirSync(bin);
  symlinkSync(programPath, join(bin, "kubectl-oidc"));
  const browser = resolve(import.meta.dirname, "../../dist-dev/browser-command.mjs");
  // kubelogin starts one program, without arguments, and gives it an address of its own that leads to the issuer's.
  const start = `
const [url] = process.argv.slice(-1);
const { headers } = url.startsWith("http:") ? await fetch(url, { redirect: "manual" }) : { headers: new Headers() };
process.argv.splice(-1, 1, headers.get("location") ?? url);
await import(${JSON.stringify(browser)});
`;
  writeFileSync(join(bin, "browser.mjs"), start);
  writeFileSync(join(bin, "browser"), `#!/bin/sh\nexec '${process.execPath}' '${join(bin, "browser.mjs")}' "$@"\n`, { mode: 0o755 });
});
afterAll(async () => {
  await api.stop();
  await provider.stop();
  home.remove();
});

const kubeconfig = () => join(home.folder, "kubeconfig");
const cacheFolder = () => join(home.folder, "home", ".kube", "cache", "oidc-login");
const env = () => ({
  ...home.env,
  PATH: `${bin}:${home.env["PATH"]}`,
  DEMO_CA_FILE: certificates.caFile,
  DEMO_ACCOUNT: "alice",
  DEMO_PASSWORD: accounts.alice.password,
  KUBECTL_OIDC_TOKEN_CACHE_STORAGE: "disk",
});
const session = () => [
  `--oidc-issuer-url=${provider.issuer}`,
  "--oidc-client-id=kubernetes",
  "--oidc-extra-scope=groups",
  `--certificate-authority=${certificates.caFile}`,
  "--listen-address=127.0.0.1:0",
  `--browser-command=${join(bin, "browser")}`,
];

function use(user: object): void {
  const cluster = { server: api.url, "certificate-authority": certificates.caFile };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "demo",
    clusters: [{ name: "demo", cluster }],
    contexts: [{ name: "demo", context: { cluster: "demo", user: "demo" } }],
  };
  writeFileSync(kubeconfig(), stringify({ ...config, users: [{ name: "demo", user }] }), { mode: 0o600 });
}

const stanza = (...more: string[]) => ({
  exec: { apiVersion: "client.authentication.k8s.io/v1beta1", command: "kubectl", args: ["oidc-login", "get-token", ...session(), ...more], interactiveMode: "IfAvailable" },
});

async function kubectl(...args: string[]): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  try {
    const { stdout, stderr } = await run("kubectl", args, { env: env(), timeout: 40_000 });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { readonly code: number | null; readonly stdout: string; readonly stderr: string };
    return { status: code ?? -1, stdout, stderr };
  }
}

/** A session at the issuer that this program does not know: made by it in another home. */
async function loginElsewhere(): Promise<{ readonly idToken: string; readonly refreshToken: string }> {
  const folder = join(home.folder, "elsewhere");
  const login = await home.run(["login", ...session(), "--token-cache-storage=disk", `--token-cache-dir=${folder}`], env());
  expect(login.status, login.stderr).toBe(0);
  const read = (kind: string) =>
    JSON.parse(readFileSync(join(folder, kind, readdirSync(join(folder, kind)).find((name) => name.endsWith(".json")) ?? ""), "utf8")) as Record<string, string>;
  const item = JSON.parse(read("refresh")["value"] ?? "") as { readonly refreshToken: string };
  const tokens = { idToken: read("credentials")["token"] ?? "", refreshToken: item.refreshToken };
  rmSync(folder, { recursive: true });
  return tokens;
}

/** After it nobody is logged in any more. */
async function worksWithoutLogin(): Promise<void> {
  const logins = provider.count("token", "authorization_code");
  const refreshes = provider.count("token", "refresh_token");
  const migrated = await kubectl("oidc", "migrate", "--yes");
  expect(migrated.status, migrated.stderr).toBe(0);
  expect(migrated.stderr).toContain("and works");
  expect(provider.count("token", "refresh_token")).toBe(refreshes + 1);
  const pods = await kubectl("get", "pods");
  expect([pods.status, pods.stderr]).toEqual([0, ""]);
  expect(pods.stdout).toContain("web-5d8f");
  expect(api.requests.at(-1)?.user).toBe("oidc:alice");
  // The rotated one works in its turn.
  const args = (parse(readFileSync(kubeconfig(), "utf8")) as { readonly users: readonly { readonly user: { readonly exec: { readonly args: readonly string[] } } }[] }).users[0]
    ?.user.exec.args;
  const again = await home.run([...(args ?? []), "--force-refresh", "--non-interactive"], env());
  expect(again.status, again.stderr).toBe(0);
  expect(provider.count("token", "authorization_code")).toBe(logins);
  expect((await kubectl("oidc", "migrate")).stderr).toContain("nothing is left to do");
  const out = await kubectl("oidc", "logout", "--all");
  expect(out.status, out.stderr).toBe(0);
}

describe.skipIf(!hasKubectl)(`kubectl after migrate, without a login${hasKubectl ? "" : " (not on the PATH)"}`, () => {
  it("with the refresh token of kubelogin's cache, at an issuer that rotates", { timeout: 90_000 }, async () => {
    home.holdsSecrets("home/.kube/cache/oidc-login");
    const { idToken, refreshToken } = await loginElsewhere();
    mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
    // It has an authority of its own, so only the name under which kubelogin keeps such a session shows that it may be taken.
    const [name = ""] = kubeloginNames(stanzaWords(session(), kubeloginTakesValue), (path) => path);
    writeFileSync(join(cacheFolder(), name), JSON.stringify({ id_token: idToken, refresh_token: refreshToken }), { mode: 0o600 });
    use(stanza());
    await worksWithoutLogin();
    expect(readdirSync(cacheFolder())).toEqual([]);
  });

  it("with the refresh token of an auth-provider", { timeout: 90_000 }, async () => {
    const { idToken, refreshToken } = await loginElsewhere();
    const config = {
      "idp-issuer-url": provider.issuer,
      "client-id": "kubernetes",
      "id-token": idToken,
      "refresh-token": refreshToken,
      "extra-scopes": "groups",
      "idp-certificate-authority": certificates.caFile,
    };
    use({ "auth-provider": { name: "oidc", config } });
    await worksWithoutLogin();
    expect(readFileSync(kubeconfig(), "utf8")).not.toMatch(/auth-provider|refresh-token/);
  });

  // No part of the gate, so nothing that it could miss.
  if (kubelogin !== undefined)
    it("with the session that kubelogin itself made", { timeout: 120_000 }, async () => {
      home.holdsSecrets("home/.kube/cache/oidc-login");
      use(stanza("--oidc-extra-scope=offline_access", "--oidc-auth-request-extra-params=prompt=consent"));
      const first = await kubectl("get", "pods");
      expect(first.status, first.stderr).toBe(0);
      expect(existsSync(cacheFolder())).toBe(true);
      await worksWithoutLogin();
      expect(readdirSync(cacheFolder()).filter((name) => !name.endsWith(".lock"))).toEqual([]);
    });
});
