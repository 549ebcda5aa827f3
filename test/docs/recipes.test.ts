import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noteSecret, secretsIn } from "../canaries.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { writeKubeconfig } from "../cluster/kubeconfig.ts";
import { credentialOf, execInfo, type Home, newHome, programPath } from "../e2e/program.ts";
import { accounts } from "../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { pipelineSecret } from "../issuer/provider-configuration.ts";
import { hasProgram } from "../programs.ts";
import { runWorkflow, type Script } from "./fake-runner.ts";
import { blockOf, blocksOf, execOf } from "./fenced-blocks.ts";

// The recipes of docs/how-to, as they stand there: only the example's issuer and API server are replaced by the test's.
const pages = ["scripts.md", "terraform.md", "github-actions.md", "hand-out-a-kubeconfig.md"] as const;
const missing = ["bash", "curl", "jq", "kubectl"].filter((name) => !hasProgram(name));
const isWhole = missing.length === 0;
const skipped = isWhole ? "" : ` (not on the PATH: ${missing.join(", ")})`;
const hasTerraform = hasProgram("terraform");
const browserProgram = resolve(import.meta.dirname, "../../dist-dev/browser-command.mjs");

let home: Home;
let certificates: Certificates;
let provider: RunningProvider;
let api: ApiServer;
let folder: string;

const ours = (text: string) => text.replaceAll("https://id.example.com", provider.issuer).replaceAll("https://k8s.example.com:6443", api.url);

beforeAll(async () => {
  home = newHome();
  certificates = await makeCertificates(home.folder);
  provider = await startProvider({ certificates, ttl: { idToken: 3_600 } });
  api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
  noteSecret("client secret", pipelineSecret);
  folder = join(home.folder, "work");
  for (const name of ["work", "bin", "tmp"]) mkdirSync(join(home.folder, name));
  copyFileSync(certificates.caFile, join(folder, "ca.crt"));
  symlinkSync(programPath, join(home.folder, "bin", "kubectl-oidc"));
  // What a person would have in their own file: no keychain, and a browser that a program plays.
  mkdirSync(home.config, { recursive: true, mode: 0o700 });
  const browser = `'${process.execPath}' '${browserProgram}'`;
  writeFileSync(
    join(home.config, "config.yaml"),
    `defaults:\n  token-cache-storage: disk\n  listen-address: ["127.0.0.1:0"]\n  browser-command: ${JSON.stringify(browser)}\n  authentication-timeout-sec: 20\n`,
    { mode: 0o600 },
  );
  writeKubeconfig(join(home.folder, "kubeconfig"), {
    server: api.url,
    caFile: certificates.caFile,
    command: "kubectl-oidc",
    args: ["get-token", `--oidc-issuer-url=${provider.issuer}`, "--oidc-client-id=kubernetes"],
  });
  const config = readFileSync(join(home.folder, "kubeconfig"), "utf8").replaceAll('"demo"', '"prod"');
  writeFileSync(join(home.folder, "kubeconfig"), config);
}, 60_000);
afterAll(async () => {
  await api.stop();
  await provider.stop();
  home.remove();
});

const environment = () => ({
  ...home.env,
  PATH: `${join(home.folder, "bin")}:${home.env["PATH"]}`,
  TMPDIR: join(home.folder, "tmp"),
  NODE_EXTRA_CA_CERTS: certificates.caFile,
  DEMO_CA_FILE: certificates.caFile,
  DEMO_ACCOUNT: "alice",
  DEMO_PASSWORD: accounts.alice.password,
});

/** Under `bash -euo pipefail`. No secret is ever in what it prints. */
async function bash(script: string, more: Readonly<Record<string, string>> = {}): Promise<Script> {
  const child = spawn("bash", ["-euo", "pipefail", "-c", ours(script)], { cwd: folder, env: { ...environment(), ...more }, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      said[name] += chunk;
    });
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const status = await new Promise<number | null>((done) => child.on("close", done));
  clearTimeout(timer);
  noteStored();
  return { status, ...said };
}

/** What lies in the store now is looked for from now on: this issuer, unlike those of other tests, notes nothing. */
function noteStored(): void {
  for (const [place, kind, member] of [
    ["credentials", "token", "token"],
    ["refresh", "refresh token", "refreshToken"],
  ] as const) {
    const at = join(home.data, place);
    for (const name of existsSync(at) ? readdirSync(at) : []) noteSecret(kind, new RegExp(`"${member}":"([^"]+)"`).exec(readFileSync(join(at, name), "utf8"))?.[1]);
  }
}

async function recipe(name: string): Promise<Script> {
  const ended = await bash(blockOf("scripts.md", name));
  expect(secretsIn(`${ended.stdout}${ended.stderr}`)).toEqual([]);
  return ended;
}

const logIn = async () => {
  const ended = await bash(blockOf("terraform.md", "terraform-login"));
  expect(ended.status, ended.stderr).toBe(0);
};

it("every block of these pages that can be run is marked, and every mark is unique", () => {
  for (const page of pages) {
    const names = blocksOf(page).map(({ name, text }) => name ?? text);
    expect(new Set(names).size, page).toBe(names.length);
    // One block only points at the kubeconfig: there is nothing in it to run.
    for (const { name, text } of blocksOf(page)) expect(name !== undefined || /^provider "kubernetes" \{\n {2}config_path/.test(text), text).toBe(true);
  }
});

describe.skipIf(!isWhole)(`docs/how-to/scripts.md${skipped}`, { timeout: 120_000 }, () => {
  beforeAll(logIn, 90_000);

  it("curl: the header goes by stdin, and the API server answers", async () => {
    expect(await recipe("curl")).toEqual({ status: 0, stdout: "web-5d8f\nworker-7c21\n", stderr: "" });
    expect(api.requests.at(-1)?.user).toBe("oidc:alice");
    // The look for secrets knows this token.
    expect(secretsIn((await bash("kubectl oidc token --context prod")).stdout)).toEqual(["token"]);
  });

  it("-o json says who, where and until when", async () => {
    const ended = await recipe("json");
    expect(ended.stdout).toMatch(new RegExp(`^alice at ${provider.issuer} until \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ\n$`));
  });

  it("-o env is a line for an environment", async () => {
    expect(await recipe("environment")).toEqual({ status: 0, stdout: "v1.34.0-demo\n", stderr: "" });
  });

  it("a long job gets a token with ten minutes left: one that has less is refreshed", async () => {
    const folder = join(home.data, "credentials");
    const [name = ""] = readdirSync(folder);
    const record = JSON.parse(readFileSync(join(folder, name), "utf8"));
    writeFileSync(join(folder, name), JSON.stringify({ ...record, receivedAt: Date.now() / 1000 - 3_060, expiresAt: Date.now() / 1000 + 540 }), { mode: 0o600 });
    const before = provider.count("token", "refresh_token");
    expect(await recipe("long-job")).toEqual({ status: 0, stdout: "version: answered\napi: answered\napi/v1/namespaces/default/pods: answered\n", stderr: "" });
    expect(provider.count("token", "refresh_token")).toBe(before + 1);
    expect(readdirSync(join(home.folder, "tmp"))).toEqual([]);
  });

  it("exit statuses: 0 goes on, 20 tells the person, 30 asks to try again; the error as JSON has code and cure", async () => {
    expect(await recipe("exit-status")).toMatchObject({ status: 0, stdout: "v1.34.0-demo\n" });
    expect((await recipe("error-as-json")).stdout).toMatch(/^\d{4}-.*Z\n$/);
    expect((await bash("kubectl oidc logout --context prod")).status).toBe(0);
    const out = await recipe("exit-status");
    expect([out.status, out.stdout], out.stderr).toEqual([20, ""]);
    expect(out.stderr).toMatch(/\[LOGIN_REQUIRED\][\s\S]*nobody is logged in; run: kubectl oidc login --context prod\n$/);
    expect((await recipe("error-as-json")).stdout).toMatch(/^LOGIN_REQUIRED \(exit 20\): run: kubectl oidc login --context=prod\n$/);
    // A recipe that pipes fails as a whole: curl is never taken for a success.
    expect((await recipe("curl")).status).not.toBe(0);
    const machine = "KUBECTL_OIDC_GRANT_TYPE=client-credentials KUBECTL_OIDC_ISSUER_URL=https://localhost:1 kubectl oidc token --oidc-client-id=pipeline";
    const block = blockOf("scripts.md", "exit-status").replace("kubectl oidc token --context prod", `env ${machine}`);
    const away = await bash(block);
    expect([away.status, away.stdout], away.stderr).toEqual([30, ""]);
    expect(away.stderr).toMatch(/the issuer cannot be reached; try again later\n$/);
  });
});

describe.skipIf(!isWhole)(`docs/how-to/hand-out-a-kubeconfig.md${skipped}`, { timeout: 120_000 }, () => {
  const page = "hand-out-a-kubeconfig.md";
  beforeAll(logIn, 90_000);

  it("plan: the administrator's files, before anything is changed", async () => {
    const before = readFileSync(join(home.folder, "kubeconfig"), "utf8");
    const ended = await bash(blockOf(page, "plan"));
    expect([ended.status, ended.stdout], ended.stderr).toEqual([0, ""]);
    expect(readFileSync(join(folder, "authentication-config.yaml"), "utf8")).toMatch(/^apiVersion: apiserver\.config\.k8s\.io\/v1\nkind: AuthenticationConfiguration\n/);
    expect(readFileSync(join(folder, "role-binding.yaml"), "utf8")).toContain("  name: oidc:developers\n");
    expect(readFileSync(join(home.folder, "kubeconfig"), "utf8")).toBe(before);
  });

  it("cut, use: who gets the file has one context, whose authority is in it, and works", async () => {
    const [plan = ""] = blockOf(page, "plan").split("\n");
    const setup = await bash(plan.replace("--dry-run -o json >plan.json", "--yes"));
    expect(setup.status, setup.stderr).toBe(0);
    expect(setup.stderr).toContain("kubectl-oidc: the API server sees oidc:alice, in oidc:admins, oidc:developers\n");
    expect((await bash(blockOf(page, "cut"))).status).toBe(0);
    const file = readFileSync(join(folder, "prod.yaml"), "utf8");
    expect([file.match(/^ {2}name: .*$/gm), file.includes("certificate-authority-data: "), file.includes(home.folder)]).toEqual([
      ["  name: prod", "  name: prod-oidc"],
      true,
      false,
    ]);
    const used = await bash(blockOf(page, "use"));
    expect([used.status, used.stderr], used.stderr).toEqual([0, ""]);
    expect(used.stdout).toContain("web-5d8f");
    expect((await bash("kubectl oidc setup --context prod-oidc --undo --yes")).status).toBe(0);
  });
});

describe.skipIf(!isWhole)(`docs/how-to/terraform.md${skipped}`, { timeout: 120_000 }, () => {
  const recipes = ["terraform-kubernetes", "terraform-helm"] as const;
  beforeAll(logIn, 90_000);

  it.each(recipes)("%s: its exec gives a client of the API server (client-go) what it needs", async (name) => {
    const { apiVersion, command, args } = execOf(ours(blockOf("terraform.md", name)));
    const kubeconfig = join(home.folder, "terraform.kubeconfig");
    writeKubeconfig(kubeconfig, {
      server: api.url,
      caFile: certificates.caFile,
      command,
      args,
      apiVersion: apiVersion as "client.authentication.k8s.io/v1",
      provideClusterInfo: false,
    });
    const ended = await bash("kubectl get pods", { KUBECONFIG: kubeconfig });
    expect([ended.status, ended.stderr], ended.stderr).toEqual([0, ""]);
    expect(ended.stdout).toContain("web-5d8f");
    expect(api.requests.at(-1)?.user).toBe("oidc:alice");
  });

  it.each(recipes)("%s: as a provider runs it, without a terminal, it never waits for a person", async (name) => {
    const { args } = execOf(ours(blockOf("terraform.md", name)));
    const trust = { NODE_EXTRA_CA_CERTS: certificates.caFile, KUBERNETES_EXEC_INFO: execInfo() };
    credentialOf(await home.run(args, trust));
    const stranger = await home.run([...args, "--account=nobody@example.com"], trust);
    expect([stranger.status, stranger.stdout]).toEqual([20, ""]);
  });

  it.skipIf(!hasTerraform).each(recipes)(`%s: Terraform's own parser and evaluator read it as we do${hasTerraform ? "" : " (terraform is not on the PATH)"}`, async (name) => {
    const block = blockOf("terraform.md", name);
    const place = join(home.folder, name);
    mkdirSync(place);
    writeFileSync(join(place, "main.tf"), block);
    const quiet = { CHECKPOINT_DISABLE: "1", TF_CLI_CONFIG_FILE: "/dev/null" };
    const checked = await bash(`terraform fmt -check -diff ${place}`, quiet);
    expect([checked.status, checked.stdout]).toEqual([0, ""]);
    const { body, apiVersion, command, args } = execOf(block);
    const empty = join(place, "empty");
    mkdirSync(empty);
    const object = `jsonencode({${body
      .split("\n")
      .map((line) => line.trim())
      .join(" ")
      .replace(/ (?=command|args)/g, ", ")}})`;
    writeFileSync(join(empty, "expression"), object);
    const read = await bash(`terraform -chdir=${empty} console <${empty}/expression`, quiet);
    expect(read.status, read.stderr).toBe(0);
    expect(JSON.parse(JSON.parse(read.stdout))).toEqual({ api_version: apiVersion, command, args });
  });
});

describe.skipIf(!isWhole)(`docs/how-to/github-actions.md${skipped}`, { timeout: 120_000 }, () => {
  it("its steps work in their order, no secret is in a log, and nothing is left behind", async () => {
    const place = join(home.folder, "runner");
    mkdirSync(place);
    home.holdsSecrets("runner");
    writeFileSync(join(home.folder, "bin", "npm"), '#!/bin/sh\necho "npm $*"\n', { mode: 0o755 });
    const ran = await runWorkflow(blockOf("github-actions.md", "github-actions"), { folder: place, secrets: { OIDC_CLIENT_SECRET: pipelineSecret }, run: bash });
    for (const { name, status, stdout, stderr } of ran) expect(status, `${name}\n${stdout}${stderr}`).toBe(0);
    const log = (name: string) => ran.find((step) => step.name === name)?.log ?? "";
    expect(ran.map(({ name }) => name)).toEqual([
      "Install kubectl-oidc",
      "Put the client's secret in a file that only this job reads",
      "Write the kubeconfig",
      "Use kubectl",
      "Get a token for other programs",
      "Use the token",
      "Leave nothing behind",
    ]);
    expect(log("Install kubectl-oidc")).toBe("npm ci --prefix kubectl-oidc\nnpm install --global ./kubectl-oidc\n");
    expect(log("Use kubectl")).toContain("web-5d8f");
    expect(log("Use the token")).toContain("v1.34.0-demo");
    expect(api.requests.at(-1)?.user).toBe("oidc:pipeline");
    // Not even without the masks: only the command that sets one names the token.
    for (const { unmasked, name } of ran) expect(secretsIn(unmasked), name).toEqual([]);
    expect(secretsIn(ran.find(({ stdout }) => stdout.startsWith("::add-mask::"))?.stdout ?? "")).toEqual(["token"]);
    expect(readdirSync(join(place, "temp"))).toEqual(["kubeconfig"]);
    for (const name of ["credentials", "sessions"]) expect(readdirSync(join(home.data, name)), name).toEqual([]);
  });
});
