import { execFileSync, spawn, spawnSync } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { accessOf, listContexts, loadContext } from "../../src/adapters/kubeconfig.ts";
import { readKuberc } from "../../src/adapters/kuberc-file.ts";
import { readExecInfo } from "../../src/core/exec-info.ts";
import { codeOf } from "../fakes/codes.ts";
import { hasProgram } from "../programs.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";

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

const hasKubectl = (process.env["PATH"] ?? "").split(delimiter).some((place) => {
  try {
    accessSync(join(place, "kubectl"), constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/** Runs kubectl with a plugin that writes down what it is told and logs nobody in. */
function execInfoOf(kubeconfig: string): ReturnType<typeof readExecInfo> {
  const told = join(folder, "told");
  const ran = spawnSync("kubectl", ["get", "--raw", "/"], {
    env: { PATH: process.env["PATH"], HOME: folder, KUBECONFIG: kubeconfig, TOLD: told },
    encoding: "utf8",
    timeout: 20_000,
  });
  try {
    return readExecInfo(readFileSync(told, "utf8"));
  } catch {
    throw new Error(`kubectl started no plugin: ${ran.stderr}`);
  } finally {
    rmSync(told, { force: true });
  }
}

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

let selfSigned: Certificates;
beforeAll(async () => {
  const place = mkdtempSync(join(tmpdir(), "kubectl-oidc-kubeconfig-ca-"));
  selfSigned = await makeCertificates(place);
  rmSync(place, { recursive: true });
});

describe("a context of the kubeconfig", () => {
  it.each([
    ["kubectl-oidc", "[get-token, --oidc-client-id=k]"],
    ["/opt/bin/kubectl-oidc", "[get-token, --oidc-client-id=k]"],
    ["kubectl", "[oidc, get-token, --oidc-client-id=k]"],
    ["kubectl", "[oidc-login, get-token, --oidc-client-id=k]"],
    ["kubectl-oidc", "[--oidc-client-id=k, get-token]"],
    ["kubelogin", "[get-token, --oidc-client-id=k]"],
    ["kubectl-oidc_login", "[get-token, --oidc-client-id=k]"],
    ["kubectl-oidc", "[oidc-login, get-token, --oidc-client-id=k]"],
    ["/usr/bin/node", "[/opt/kubectl-oidc.cjs, get-token, --oidc-client-id=k]"],
    ["'C:\\Program Files\\kubectl-oidc.exe'", "[get-token, --oidc-client-id=k]"],
    ["kubectl.EXE", "[oidc, get-token, --oidc-client-id=k]"],
  ])("%s %s is one of ours", (command, args) => {
    expect(at(write("config", config(command, args)))).toMatchObject({ contextName: "prod", args: ["--oidc-client-id=k"], env: { KUBECTL_OIDC_ACCOUNT: "ann" } });
  });

  it.each([
    ["aws", "[eks, get-token]"],
    ["oidc", "[get-token]"],
    ["kubectl-oidc", "[oidc, get-token]"],
    ["kubectl", "[kubectl-oidc, get-token]"],
    ["node", "[/opt/other.cjs, get-token]"],
    // Azure's kubelogin, which is another program.
    ["kubelogin", "[get-token, --login, devicecode, --server-id, 6dae42f8-4368-4678-94ff-3960e28e3630]"],
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

  it.runIf(hasKubectl)(`names its server as the real kubectl does${hasKubectl ? "" : " (not on the PATH)"}`, () => {
    const { certPem } = selfSigned;
    write("ca.pem", certPem);
    const plugin = write("kubectl-oidc", '#!/bin/sh\nprintf %s "$KUBERNETES_EXEC_INFO" > "$TOLD"\nexit 1\n');
    spawnSync("chmod", ["755", plugin]);
    const data = Buffer.from(certPem).toString("base64");
    const clusters: readonly string[] = [
      "server: https://127.0.0.1:1",
      `server: "https://127.0.0.1:1/k8s/clusters/c-1?a=b"`,
      "server: HTTPS://LOCALHOST:1/",
      "server: https://localhost:443",
      `server: "https://127.0.0.1:1", certificate-authority: ca.pem`,
      `server: "https://127.0.0.1:1", certificate-authority-data: ${data}`,
      `server: "https://127.0.0.1:1", tls-server-name: api.example.com`,
      `server: "https://127.0.0.1:1", insecure-skip-tls-verify: true`,
      `server: "https://127.0.0.1:1", insecure-skip-tls-verify: yes`,
      `server: "https://127.0.0.1:1", proxy-url: "http://user:pass@127.0.0.1:1/path"`,
      `server: "https://127.0.0.1:1", proxy-url: "socks5://127.0.0.1:1"`,
    ];
    for (const cluster of clusters) {
      const file = write(
        "config",
        `{ apiVersion: v1, kind: Config, current-context: c, contexts: [{ name: c, context: { cluster: c, user: u } }], clusters: [{ name: c, cluster: { ${cluster}, extensions: [{ name: client.authentication.k8s.io/exec, extension: { oidc-audience: prod } }] } }],
          users: [{ name: u, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ./kubectl-oidc, args: [get-token], interactiveMode: Never, provideClusterInfo: true } } }] }`,
      );
      const told = execInfoOf(file);
      expect(at(file).server, cluster).toEqual(told.server);
      expect(at(file).clusterConfig).toEqual(told.config);
    }
  });

  it("whose arguments are no texts is read all the same: an object with a toString of its own once ended the program", () => {
    const file = write("config", config("kubectl-oidc", "[get-token, 7, {toString: 9}, null]"));
    expect(at(file).args).toEqual(["7", "", ""]);
  });

  it("hands over the cluster's extension", () => {
    const file = write("config", config("kubectl-oidc", "[get-token]", "extensions: [{ name: client.authentication.k8s.io/exec, extension: { oidc-audience: prod } }]"));
    expect(at(file).clusterConfig).toEqual({ "oidc-audience": "prod" });
  });

  it("has no server when it cannot be named, and no extension when there is none", () => {
    for (const more of ["certificate-authority: absent.pem", 'proxy-url: "::"'])
      expect(at(write("config", config("kubectl-oidc", "[get-token]", more))).server, more).toBeUndefined();
    const plain = at(write("config", config("kubectl-oidc", "[get-token]", "extensions: [{ name: other, extension: { a: b } }]")));
    expect(plain.clusterConfig).toBeUndefined();
    expect(plain.server).toEqual({ origin: "https://k8s.example.com:6443", authority: "system" });
    const homeless = at(
      write("config", "contexts: [{ name: a, context: { cluster: gone, user: ann } }]\nusers: [{ name: ann, user: { exec: { command: kubectl-oidc, args: [get-token] } } }]"),
      "a",
    );
    expect(homeless).toMatchObject({
      contextName: "a",
      command: "kubectl-oidc",
      args: [],
      env: {},
      apiVersion: "",
      server: undefined,
      cluster: undefined,
      clusterConfig: undefined,
    });
  });

  it("named by nothing is the current one, as kubectl means it", () => expect(at(write("config", config("kubectl-oidc", "[get-token]")), "").contextName).toBe("prod"));

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
    const env = { KUBECONFIG: [first, join(folder, "absent"), "", second, first].join(delimiter) };
    expect(loadContext({ env, home: folder }).args).toEqual(["--account=first"]);
    expect(listContexts({ env, home: folder }).map(({ contextName }) => contextName)).toEqual(["prod"]);
  });

  it.runIf(hasKubectl)(`are merged to what the real kubectl makes of them${hasKubectl ? "" : " (not on the PATH)"}`, () => {
    const user = (name: string, account: string) =>
      `{ name: ${name}, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: kubectl-oidc, args: [get-token, --account=${account}], interactiveMode: Never } } }`;
    const context = (name: string, cluster: string, of: string) => `{ name: ${name}, context: { cluster: ${cluster}, user: ${of} } }`;
    const cluster = (name: string, host: string, more = "") => `{ name: ${name}, cluster: { server: "https://${host}" ${more} } }`;
    write("ca.pem", selfSigned.certPem);
    mkdirSync(join(folder, "other"));
    write("other/ca.pem", `${selfSigned.certPem}\n`);
    const file = (name: string, current: string, contexts: string, clusters: string, users: string) =>
      write(name, `apiVersion: v1\nkind: Config\ncurrent-context: '${current}'\ncontexts: [${contexts}]\nclusters: [${clusters}]\nusers: [${users}]\n`);
    const files = [
      file("one", "", context("b", "b", "ann"), cluster("a", "one.example.com", ", certificate-authority: ca.pem"), user("ann", "one")),
      file(
        "other/two",
        "b",
        `${context("a", "a", "ann")}, ${context("b", "a", "bob")}`,
        `${cluster("a", "two.example.com")}, ${cluster("b", "b.example.com", ", certificate-authority: ca.pem")}`,
        `${user("ann", "two")}, ${user("bob", "two")}`,
      ),
      file("three", "a", context("c", "b", "bob"), cluster("b", "three.example.com"), user("bob", "three")),
      write(
        "four",
        "common: &common { apiVersion: client.authentication.k8s.io/v1, command: kubectl-oidc, interactiveMode: Never }\ncontexts: [{ name: d, context: { cluster: a, user: eve, user: dan } }]\nusers: [{ name: dan, user: { exec: { <<: *common, args: [get-token, --account=four] } } }]\n",
      ),
    ];
    const env = { KUBECONFIG: files.join(delimiter) };
    const ran = spawnSync("kubectl", ["config", "view", "--flatten", "--raw", "-o", "json"], {
      env: { PATH: process.env["PATH"], HOME: folder, ...env },
      encoding: "utf8",
      timeout: 20_000,
    });
    expect(ran).toMatchObject({ status: 0 });
    const flat = write("flat", ran.stdout);
    const ours = listContexts({ env, home: folder });
    expect(ours.map(({ contextName }) => contextName).sort()).toEqual(["a", "b", "c", "d"]);
    const byName = (one: { readonly contextName: string }, two: { readonly contextName: string }) => one.contextName.localeCompare(two.contextName);
    const anywhere = ({ folder: _, ...context }: (typeof ours)[number]) => context;
    expect([...ours].sort(byName).map(anywhere)).toEqual([...listContexts({ kubeconfig: flat, env: {}, home: folder })].sort(byName).map(anywhere));
    expect(anywhere(loadContext({ env, home: folder }))).toEqual(anywhere(at(flat)));
  });

  it("default to ~/.kube/config; none at all says so with ENOENT", () => {
    expect(() => loadContext({ env: {}, home: folder })).toThrow(expect.objectContaining({ code: "KUBECONFIG_UNREADABLE", reason: "ENOENT" }));
    expect(() => at(join(folder, "absent"))).toThrow(expect.objectContaining({ code: "KUBECONFIG_UNREADABLE", reason: "ENOENT", message: expect.stringContaining("absent") }));
    mkdirSync(join(folder, ".kube"));
    write(".kube/config", config("kubectl-oidc", "[get-token]"));
    for (const KUBECONFIG of [undefined, "", delimiter]) expect(loadContext({ env: { KUBECONFIG }, home: folder }).contextName).toBe("prod");
    expect(at("~/.kube/config").contextName).toBe("prod");
  });

  it("that hold themselves by an alias are unreadable", () => {
    expect(codeOf(() => at(write("config", "a: &a [*a]\n")))).toBe("KUBECONFIG_UNREADABLE");
    expect(codeOf(() => at(write("config", "a: &a\nb: &b [a]\nc: &c [b, *c]\n")))).toBe("KUBECONFIG_UNREADABLE");
  });

  it("that are folders, or too large, are unreadable", () => {
    expect(() => at(folder)).toThrow(expect.objectContaining({ code: "KUBECONFIG_UNREADABLE", reason: "it is not a file" }));
    expect(() => at(write("large", "#".repeat(8_388_609)))).toThrow(expect.objectContaining({ code: "KUBECONFIG_UNREADABLE", reason: "it is too large" }));
  });

  it.skipIf(process.platform === "win32")(`that are pipes nobody writes to do not hold us up${process.platform === "win32" ? " (no named pipes)" : ""}`, () => {
    spawnSync("mkfifo", [join(folder, "pipe")]);
    expect(() => at(join(folder, "pipe"))).toThrow(expect.objectContaining({ code: "KUBECONFIG_UNREADABLE", reason: "it is not a file" }));
  });

  it.each([
    ["bad YAML", "a: [\nsecret-in-file: x: y"],
    ["no map", "- a"],
    ["a text", "secret-in-file"],
    ["what names itself", "a: &a [*a]\n<<: *nobody"],
    ["an alias bomb", `a: &a [${"x,".repeat(20)}]\nb: &b [${"*a,".repeat(20)}]\nc: &c [${"*b,".repeat(20)}]\nd: [${"*c,".repeat(20)}]`],
  ])("%s is unreadable, and nothing of it is quoted", (_, text) => {
    const file = write("config", text);
    expect(codeOf(() => at(file))).toBe("KUBECONFIG_UNREADABLE");
    expect(() => at(file)).toThrow(/^(?!.*secret-in-file)/);
  });

  it.each([
    ["brackets without end", "[".repeat(200_000)],
    ["brackets that end", `a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["maps in maps", `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`],
    ["lists in lists", "- ".repeat(20_000)],
    ["keys of keys", "? ".repeat(20_000)],
    ["steps of an endless stair", Array.from({ length: 2_000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
  ])("%s are too deep for a parser that recurses", (_, text) => {
    expect(() => at(write("config", text))).toThrow(expect.objectContaining({ code: "KUBECONFIG_UNREADABLE", reason: "it is nested too deeply" }));
  });

  it("entries of the wrong kind are passed over", () => {
    const file = write("config", `${config("kubectl-oidc", "[get-token]")}\nextensions: 7\n`);
    expect(listContexts({ kubeconfig: file, env: {}, home: folder }).length).toBe(1);
    const odd = write("odd", "contexts: [7, { name: 3 }, { name: a }]\nusers: x\nclusters: null");
    expect(listContexts({ kubeconfig: odd, env: {}, home: folder })).toEqual([]);
  });
});

/** A pipe that somebody would write, as soon as it were opened and waited for. */
function offeredPipe(name: string): string {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  spawn("sh", ["-c", 'echo "apiVersion: v1" > "$0"', path], { stdio: "ignore" }).unref();
  return path;
}

describe.skipIf(!hasProgram("mkfifo"))(`a pipe, which may never say anything, is not waited for${hasProgram("mkfifo") ? "" : " (needs mkfifo)"}`, () => {
  it("as kubectl's preferences: unreadable", () => {
    const path = offeredPipe("kuberc");
    expect(readKuberc({ KUBERC: path }, folder)).toEqual({ kind: "unreadable", path, isNamed: true });
    expect(readKuberc({}, folder)).toEqual({ kind: "absent" });
  });
  it("as a cluster's authority: the server cannot be named", () => {
    const cluster = { server: "https://10.0.0.1:6443", "certificate-authority": offeredPipe("ca.pem") };
    expect(accessOf({ value: cluster, file: join(folder, "config") })).toBeUndefined();
    expect(accessOf({ value: { server: cluster.server }, file: join(folder, "config") })).toMatchObject({ server: cluster.server, certificateAuthorityData: undefined });
  });
});
