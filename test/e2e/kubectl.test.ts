import { execFile } from "node:child_process";
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
import { type Home, newHome, programPath } from "./program.ts";

const run = promisify(execFile);
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
  programPath,
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

async function kubectl(...args: string[]): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  try {
    const { stdout, stderr } = await run("kubectl", args, { env: { ...person(), KUBECONFIG: join(home.folder, "kubeconfig") }, timeout: 25_000 });
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
      writeKubeconfig(join(home.folder, "kubeconfig"), { server: api.url, caFile: certificates.caFile, command: process.execPath, args: stanza(folder, ...more), apiVersion });

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

    it("a token that the server refuses is refreshed once, and the command after it works", async () => {
      use();
      const refreshes = provider.count("token", "refresh_token");
      api.refuseNext();
      // Client-go asks again after a 401, but does not repeat the request; kubectl repeats its discovery by itself.
      await kubectl("get", "--raw", "/api/v1/namespaces/default/pods");
      const after = await kubectl("get", "pods");
      expect(after.status, after.stderr).toBe(0);
      expect(provider.count("token", "refresh_token") - refreshes).toBeLessThanOrEqual(1);
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
    writeKubeconfig(file, { server: api.url, caFile: certificates.caFile, command: process.execPath, args: stanza("js") });
    const login = await home.run(["login", ...stanza("js").slice(2)], { DEMO_CA_FILE: certificates.caFile, DEMO_ACCOUNT: "alice", DEMO_PASSWORD: accounts.alice.password });
    expect(login.status, login.stderr).toBe(0);
    const config = new KubeConfig();
    config.loadFromFile(file);
    const { items } = await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: "default" });
    expect(items.map((pod) => pod.metadata?.name)).toEqual(["web-5d8f", "worker-7c21"]);
  });
});
