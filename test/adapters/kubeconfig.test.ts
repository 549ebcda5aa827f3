import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listContexts, loadContext } from "../../src/adapters/kubeconfig.ts";
import { readExecInfo } from "../../src/core/exec-info.ts";
import { codeOf } from "../fakes/codes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-kubeconfig-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const at = (kubeconfig: string, context?: string) => loadContext({ kubeconfig, env: {}, home: folder, ...(context === undefined ? {} : { context }) });

const config = (command: string, args: string, more = "") => `
apiVersion: v1
kind: Config
current-context: prod
contexts:
- name: prod
  context: { cluster: prod, user: ann }
clusters:
- name: prod
  cluster: { server: "https://k8s.example.com:6443/x", ${more} }
users:
- name: ann
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ${command}
      args: ${args}
      env: [{ name: KUBECTL_OIDC_ACCOUNT, value: ann }]
`;

describe("a context of the kubeconfig", () => {
  it.each([
    ["kubectl-oidc", "[get-token, --oidc-client-id=k]"],
    ["/opt/bin/kubectl-oidc", "[get-token, --oidc-client-id=k]"],
    ["kubectl", "[oidc, get-token, --oidc-client-id=k]"],
    ["kubectl", "[oidc-login, get-token, --oidc-client-id=k]"],
    ["kubelogin", "[get-token, --oidc-client-id=k]"],
    ["kubectl-oidc_login", "[get-token, --oidc-client-id=k]"],
    ["kubectl-oidc", "[oidc-login, get-token, --oidc-client-id=k]"],
    ["/usr/bin/node", "[/opt/kubectl-oidc.cjs, get-token, --oidc-client-id=k]"],
    ["'C:\\Program Files\\kubectl-oidc.exe'", "[get-token, --oidc-client-id=k]"],
  ])("%s %s is one of ours", (command, args) => {
    expect(at(write("config", config(command, args)))).toMatchObject({ contextName: "prod", args: ["--oidc-client-id=k"], env: { KUBECTL_OIDC_ACCOUNT: "ann" } });
  });

  it.each([
    ["aws", "[eks, get-token]"],
    ["kubectl-oidc", "[login]"],
    ["kubectl", "[other, get-token]"],
    ["sh", "[kubectl-oidc, get-token]"],
  ])("%s %s is not", (command, args) => {
    expect(codeOf(() => at(write("config", config(command, args))))).toBe("CONTEXT_NOT_FOUND");
  });

  it("names its server exactly as kubectl does with provideClusterInfo", () => {
    const ca = Buffer.from("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    write("ca.pem", ca.toString());
    const cluster = { server: "https://k8s.example.com:6443/x", "tls-server-name": "api", "certificate-authority-data": ca.toString("base64"), "proxy-url": "http://proxy:3128" };
    const fromKubectl = readExecInfo(JSON.stringify({ kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v1", spec: { cluster, interactive: false } })).server;
    for (const authority of [`certificate-authority-data: ${ca.toString("base64")}`, "certificate-authority: ca.pem"]) {
      const file = write("config", config("kubectl-oidc", "[get-token]", `tls-server-name: api, proxy-url: "http://proxy:3128", ${authority}`));
      expect(at(file).server).toEqual(fromKubectl);
    }
  });

  it("hands over the cluster's extension", () => {
    const file = write("config", config("kubectl-oidc", "[get-token]", "extensions: [{ name: client.authentication.k8s.io/exec, extension: { oidc-audience: prod } }]"));
    expect(at(file).clusterConfig).toEqual({ "oidc-audience": "prod" });
  });

  it("missing, without a user, or named by nobody is CONTEXT_NOT_FOUND", () => {
    const file = write("config", config("kubectl-oidc", "[get-token]"));
    expect(codeOf(() => at(file, "nowhere"))).toBe("CONTEXT_NOT_FOUND");
    expect(codeOf(() => at(write("b", "contexts: [{ name: a, context: { user: gone } }]"), "a"))).toBe("CONTEXT_NOT_FOUND");
    expect(codeOf(() => at(write("c", "{}")))).toBe("CONTEXT_NOT_FOUND");
  });
});

describe("files", () => {
  it("are merged as kubectl does: the first of a name wins, absent ones are passed over", () => {
    const first = write("first", "current-context: ''\nusers: [{ name: ann, user: { exec: { command: kubectl-oidc, args: [get-token, --account=first] } } }]");
    const second = write("second", config("kubectl-oidc", "[get-token, --account=second]"));
    const env = { KUBECONFIG: `${first}:${join(folder, "absent")}:${second}` };
    expect(loadContext({ env, home: folder }).args).toEqual(["--account=first"]);
    expect(listContexts({ env, home: folder }).map(({ contextName }) => contextName)).toEqual(["prod"]);
  });

  it("default to ~/.kube/config; none at all says so with ENOENT", () => {
    expect(() => loadContext({ env: {}, home: folder })).toThrow(expect.objectContaining({ code: "KUBECONFIG_UNREADABLE", reason: "ENOENT" }));
  });

  it.each([
    ["bad YAML", "a: [\nsecret-in-file: x: y"],
    ["no map", "- a"],
    ["an alias bomb", `a: &a [${"x,".repeat(20)}]\nb: &b [${"*a,".repeat(20)}]\nc: &c [${"*b,".repeat(20)}]\nd: [${"*c,".repeat(20)}]`],
  ])("%s is unreadable, and nothing of it is quoted", (_, text) => {
    const file = write("config", text);
    expect(codeOf(() => at(file))).toBe("KUBECONFIG_UNREADABLE");
    expect(() => at(file)).toThrow(/^(?!.*secret-in-file)/);
  });

  it("entries of the wrong kind are passed over", () => {
    const file = write("config", `${config("kubectl-oidc", "[get-token]")}\nextensions: 7\n`);
    expect(listContexts({ kubeconfig: file, env: {}, home: folder }).length).toBe(1);
    const odd = write("odd", "contexts: [7, { name: 3 }, { name: a }]\nusers: x\nclusters: null");
    expect(listContexts({ kubeconfig: odd, env: {}, home: folder })).toEqual([]);
  });
});
