import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { writeKubeconfig } from "../cluster/kubeconfig.ts";
import { accounts } from "../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { hasProgram } from "../programs.ts";
import { type Home, newHome, openUrl, programCommand } from "./program.ts";

const run = promisify(execFile);
const [program, ...programArgs] = programCommand;
const browserProgram = resolve(import.meta.dirname, "../../dist-dev/browser-command.mjs");
const hasKubectl = hasProgram("kubectl");

let home: Home;
let certificates: Certificates;
let provider: RunningProvider;
let api: ApiServer;

beforeAll(async () => {
  home = newHome();
  certificates = await makeCertificates(home.folder);
  provider = await startProvider({ certificates });
  api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
});
afterAll(async () => {
  await api.stop();
  await provider.stop();
  home.remove();
});

const stanza = (folder: string, ...more: string[]) => [
  ...programArgs,
  "get-token",
  `--oidc-issuer-url=${provider.issuer}`,
  "--oidc-client-id=kubernetes",
  "--oidc-extra-scope=groups",
  `--certificate-authority=${certificates.caFile}`,
  "--token-cache-storage=disk",
  `--token-cache-dir=${join(home.folder, folder)}`,
  "--listen-address=127.0.0.1:0",
  `--browser-command='${process.execPath}' '${browserProgram}'`,
  "--authentication-timeout-sec=20",
  ...more,
];

/** The person's variables: the program hands them to the browser. */
const person = () => ({ ...home.env, DEMO_CA_FILE: certificates.caFile, DEMO_ACCOUNT: "alice", DEMO_PASSWORD: accounts.alice.password });

async function kubectl(...words: (string | Readonly<Record<string, string>>)[]): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const args = words.filter((word) => typeof word === "string");
  const more = Object.assign({}, ...words.filter((word) => typeof word !== "string"));
  try {
    const { stdout, stderr } = await run("kubectl", args, { env: { ...person(), ...more, KUBECONFIG: join(home.folder, "kubeconfig") }, timeout: 25_000 });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: Number(code), stdout, stderr };
  }
}

describe.skipIf(!hasKubectl).each(["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] as const)(
  `kubectl${hasKubectl ? "" : " (not on the PATH)"} with %s`,
  (apiVersion) => {
    const folder = apiVersion.replaceAll(/\W/g, "-");
    const use = (...more: string[]) =>
      writeKubeconfig(join(home.folder, "kubeconfig"), { server: api.url, caFile: certificates.caFile, command: program, args: stanza(folder, ...more), apiVersion });

    it("get pods logs in once, then works from the cache", async () => {
      use();
      const logins = provider.count("token", "authorization_code");
      const first = await kubectl("get", "pods");
      expect(first.status, first.stderr).toBe(0);
      expect(first.stdout).toContain("web-5d8f");
      expect(provider.count("token", "authorization_code")).toBe(logins + 1);
      const requests = provider.requests.filter(({ route }) => route !== "jwks" && route !== "discovery").length;
      const second = await kubectl("get", "pods");
      expect(second.status, second.stderr).toBe(0);
      expect(second.stderr).toBe("");
      expect(provider.requests.filter(({ route }) => route !== "jwks" && route !== "discovery").length).toBe(requests);
      expect(api.requests.at(-1)?.user).toBe("oidc:alice");
      const who = await kubectl("auth", "whoami", "-o", "json");
      expect(who.status, who.stderr).toBe(0);
      expect(JSON.parse(who.stdout).status.userInfo).toMatchObject({ username: "oidc:alice", groups: expect.arrayContaining(["oidc:admins", "system:authenticated"]) });
    });

    it("a valid token that the server refuses is refreshed once, and the command after it works", async () => {
      use();
      const refreshes = provider.count("token", "refresh_token");
      api.refuseNext();
      // Client-go asks again after a 401, but does not repeat the request; kubectl repeats its discovery by itself.
      await kubectl("get", "--raw", "/api/v1/namespaces/default/pods");
      expect(provider.count("token", "refresh_token") - refreshes).toBe(1);
      const after = await kubectl("get", "pods");
      expect(after.status, after.stderr).toBe(0);
      expect(provider.count("token", "refresh_token") - refreshes).toBe(1);
    });

    it("a server that refuses every token makes no further refresh for a while, however often kubectl asks", async () => {
      use();
      const refreshes = provider.count("token", "refresh_token");
      const before = api.requests.length;
      api.refuseNext(1_000);
      // Without its cached discovery kubectl asks several times a command.
      for (const cache of ["one", "two"]) expect((await kubectl("get", "pods", `--cache-dir=${join(home.folder, folder, cache)}`)).status).not.toBe(0);
      api.refuseNext(0);
      expect(api.requests.length - before).toBeGreaterThanOrEqual(4);
      expect(provider.count("token", "refresh_token") - refreshes).toBe(0);
    });

    it("five tries of one command open one window when the person says no, and the next command names the cure", async () => {
      use("--account=carol");
      const log = join(home.folder, `browser-${folder}.log`);
      const windows = () => readFileSync(log, "utf8").trim().split("\n").length;
      const denied = await kubectl({ DEMO_DENY: "1", DEMO_BROWSER_LOG: log }, "get", "pods", `--cache-dir=${join(home.folder, folder, "denied")}`);
      expect(denied.status).not.toBe(0);
      expect(denied.stderr).toMatch(/\[LOGIN_DENIED\]/);
      expect(denied.stderr.match(/\[LOGIN_PAUSED\]/g)?.length).toBeGreaterThanOrEqual(2);
      expect(windows()).toBe(1);
      const next = await kubectl({ DEMO_BROWSER_LOG: log }, "get", "pods");
      expect(next.stderr).toMatch(/\[LOGIN_PAUSED\][\s\S]*hint: run: kubectl oidc login/);
      expect(windows()).toBe(1);
    });

    it("killed while a person thinks takes us along within a second, listener and lock included", async () => {
      use("--account=dave", "--browser-command=true", "--listen-address=127.0.0.1:0");
      const killed = spawn("kubectl", ["get", "pods"], { env: { ...person(), KUBECONFIG: join(home.folder, "kubeconfig") }, stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      killed.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
      });
      await expect.poll(() => openUrl.test(said), { timeout: 20_000 }).toBe(true);
      const redirect = new URL(new URL(openUrl.exec(said)?.[1] ?? "").searchParams.get("redirect_uri") ?? "");
      killed.kill("SIGTERM");
      const since = performance.now();
      // The plugin holds kubectl's stderr: it ends when the plugin does.
      await new Promise((done) => killed.stderr.once("close", done));
      expect(performance.now() - since).toBeLessThan(1_000);
      await expect(fetch(redirect)).rejects.toThrow();
    });

    it("without a person names the cure in three lines at most", async () => {
      use("--non-interactive", "--account=bob");
      const refused = await kubectl("get", "pods");
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain("[LOGIN_REQUIRED]");
      expect(refused.stderr).toContain("exit code 20");
      expect(refused.stderr).toContain("hint: run: kubectl oidc login --context=demo");
    });
  },
);

describe("the JavaScript client, which sends no exec info", () => {
  it("gets the pods with a token of ours", async () => {
    const file = join(home.folder, "kubeconfig-js");
    writeKubeconfig(file, { server: api.url, caFile: certificates.caFile, command: program, args: stanza("js") });
    const login = await home.run(["login", ...stanza("js").slice(programArgs.length + 1)], {
      DEMO_CA_FILE: certificates.caFile,
      DEMO_ACCOUNT: "alice",
      DEMO_PASSWORD: accounts.alice.password,
    });
    expect(login.status, login.stderr).toBe(0);
    const config = new KubeConfig();
    config.loadFromFile(file);
    const { items } = await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: "default" });
    expect(items.map((pod) => pod.metadata?.name)).toEqual(["web-5d8f", "worker-7c21"]);
  });
});
