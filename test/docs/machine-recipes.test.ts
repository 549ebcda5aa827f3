import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { noteSecret, secretsIn } from "../canaries.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { type Home, newHome, programPath } from "../e2e/program.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { listenOnLocalhost, type LocalServer } from "../issuer/listen-on-localhost.ts";
import { type GithubStandIn, makePlatform, type Platform, startGithub } from "../issuer/platform-tokens.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { hasProgram } from "../programs.ts";
import { runGitlabJob, runWorkflow, type Script } from "./fake-runner.ts";
import { blockOf, blocksOf } from "./fenced-blocks.ts";

// The workflows and users of docs/how-to that need no secret, as they stand there: only hosts, files and commands of the examples are the test's.
const missing = ["bash", "curl", "kubectl"].filter((name) => !hasProgram(name));
const isWhole = missing.length === 0;
const skipped = isWhole ? "" : ` (not on the PATH: ${missing.join(", ")})`;

let home: Home;
let certificates: Certificates;
let provider: RunningProvider;
let platform: Platform;
let platformServer: LocalServer;
let github: GithubStandIn;
/** One that trusts the issuer, and one that trusts the platform itself. */
let api: ApiServer;
let direct: ApiServer;
let folder: string;
let trusted: ApiServer;

const ours = (text: string) =>
  text
    .replaceAll("https://id.example.com", provider.issuer)
    .replaceAll("https://token.actions.githubusercontent.com", platform.issuer)
    .replaceAll("https://k8s.example.com:6443", trusted.url);

beforeAll(async () => {
  home = newHome();
  certificates = await makeCertificates(home.folder);
  // A platform publishes its keys, for the cluster that trusts it.
  const published: { answer?: (path: string) => object } = {};
  platformServer = await listenOnLocalhost((request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(published.answer?.(request.url ?? "")));
  }, certificates);
  platform = await makePlatform(platformServer.origin);
  published.answer = (path) => (path === "/jwks" ? platform.keys.published() : { issuer: platform.issuer, jwks_uri: `${platform.issuer}/jwks` });
  github = await startGithub(platform);
  provider = await startProvider({ certificates, platforms: [platform] });
  const common = { certificates, issuerCa: certificates.caPem, clientId: "kubernetes" };
  api = await startApiServer({ ...common, issuer: provider.issuer });
  direct = await startApiServer({ ...common, issuer: platform.issuer, prefix: "github:" });
  trusted = api;
  for (const name of ["bin", "tmp", "identity"]) mkdirSync(join(home.folder, name));
  home.holdsSecrets("identity");
  symlinkSync(programPath, join(home.folder, "bin", "kubectl-oidc"));
  writeFileSync(join(home.folder, "bin", "npm"), '#!/bin/sh\necho "npm $*"\n', { mode: 0o755 });
}, 60_000);
afterAll(async () => {
  for (const server of [api, direct, provider, github, platformServer]) await server.stop();
  home.remove();
});
beforeEach((context) => {
  trusted = api;
  github.kind = "assertion";
  folder = join(home.folder, `work-${context.task.id}`);
  mkdirSync(folder);
  copyFileSync(certificates.caFile, join(folder, "ca.crt"));
});

async function bash(script: string, more: Readonly<Record<string, string>> = {}): Promise<Script> {
  const env = { ...home.env, PATH: `${join(home.folder, "bin")}:${home.env["PATH"]}`, TMPDIR: join(home.folder, "tmp"), NODE_EXTRA_CA_CERTS: certificates.caFile, ...more };
  const child = spawn("bash", ["-euo", "pipefail", "-c", ours(script)], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      said[name] += chunk;
    });
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const status = await new Promise<number | null>((done) => child.on("close", done));
  clearTimeout(timer);
  const at = join(home.data, "credentials");
  for (const name of existsSync(at) ? readdirSync(at) : []) noteSecret("token", JSON.parse(readFileSync(join(at, name), "utf8")).token);
  return { status, ...said };
}

const expectNothingLeft = () => {
  for (const name of ["credentials", "sessions", "refresh"]) expect(existsSync(join(home.data, name)) ? readdirSync(join(home.data, name)) : [], name).toEqual([]);
};

it.each(["github-actions.md", "gitlab.md", "workload-identity.md"])("%s: every AuthenticationConfiguration maps a name, and a rule says whose token counts", (page) => {
  const all = blocksOf(page).filter(({ name }) => name?.endsWith("-authentication"));
  expect(all.length).toBeGreaterThan(0);
  for (const { text } of all) {
    const { apiVersion, kind, jwt } = parse(text);
    expect([apiVersion, kind, jwt[0].issuer.url.startsWith("https://"), jwt[0].issuer.audiences.length]).toEqual([
      "apiserver.config.k8s.io/v1",
      "AuthenticationConfiguration",
      true,
      1,
    ]);
    expect(jwt[0].claimValidationRules.length).toBeGreaterThan(0);
    expect(jwt[0].claimMappings.username.prefix).toMatch(/:$/);
  }
});

describe.skipIf(!isWhole)(`docs/how-to/github-actions.md, without a secret${skipped}`, { timeout: 120_000 }, () => {
  it("the exchange: its steps work in their order, no secret is in a log, and nothing is left behind", async () => {
    const ran = await runWorkflow(blockOf("github-actions.md", "github-exchange"), { folder, secrets: {}, identity: github.env, run: bash });
    for (const { name, status, stdout, stderr } of ran) expect(status, `${name}\n${stdout}${stderr}`).toBe(0);
    expect(ran.find(({ name }) => name === "Use kubectl")?.log).toContain("web-5d8f");
    expect(ran.find(({ name }) => name === "Use the token")?.log).toContain("v1.34.0-demo");
    expect(api.requests.at(-1)?.user).toBe("oidc:repo:acme/web:ref:refs/heads/main");
    expect(github.asked.at(-1)?.query.get("audience")).toBe(provider.issuer);
    for (const { unmasked, name } of ran) expect(secretsIn(unmasked), name).toEqual([]);
    expectNothingLeft();
  });
  it("the cluster that trusts GitHub: the job's token is handed through", async () => {
    trusted = direct;
    github.kind = "token";
    const ran = await runWorkflow(blockOf("github-actions.md", "github-direct"), { folder, secrets: {}, identity: github.env, run: bash });
    for (const { name, status, stdout, stderr } of ran) expect(status, `${name}\n${stdout}${stderr}`).toBe(0);
    expect(ran.find(({ name }) => name === "Use kubectl")?.log).toContain("web-5d8f");
    expect([direct.requests.at(-1)?.user, github.asked.at(-1)?.query.get("audience")]).toEqual(["github:repo:acme/web:ref:refs/heads/main", "kubernetes"]);
    expectNothingLeft();
  });
  it("without id-token: write the job ends with the cure", async () => {
    const text = blockOf("github-actions.md", "github-exchange").replace("  id-token: write\n", "");
    const ran = await runWorkflow(text, { folder, secrets: {}, identity: github.env, run: bash });
    expect(ran.find(({ name }) => name === "Use kubectl")).toMatchObject({ status: 1, stderr: expect.stringContaining("id-token: write") });
  });
});

describe.skipIf(!isWhole)(`docs/how-to/gitlab.md, pipelines${skipped}`, { timeout: 120_000 }, () => {
  it("the exchange: its scripts work, and nothing is left behind", async () => {
    const { job, after } = await runGitlabJob(blockOf("gitlab.md", "gitlab-exchange"), {
      idToken: (aud) => platform.token({ aud: ours(aud), sub: "project_path:acme/web:ref_type:branch:ref:main" }),
      run: bash,
    });
    expect([job.status, after.status], `${job.stderr}${after.stderr}`).toEqual([0, 0]);
    expect(job.stdout).toMatch(/web-5d8f[\s\S]*v1\.34\.0-demo/);
    expect(api.requests.at(-1)?.user).toBe("oidc:project_path:acme/web:ref_type:branch:ref:main");
    expect(secretsIn(`${job.stdout}${job.stderr}`)).toEqual([]);
    expectNothingLeft();
  });
});

describe.skipIf(!isWhole)(`docs/how-to/workload-identity.md${skipped}`, { timeout: 120_000 }, () => {
  const subject = "system:serviceaccount:ci:deployer";
  const file = () => join(home.folder, "identity", "token");
  const writeToken = async () => writeFileSync(file(), await platform.token({ aud: provider.issuer, sub: subject }), { mode: 0o600 });
  /** kubectl with this page's user. */
  async function use(name: string, text = ours(blockOf("workload-identity.md", name))): Promise<Script> {
    const cluster = { name: "prod", cluster: { server: api.url, "certificate-authority": "ca.crt" } };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "prod",
      clusters: [cluster],
      contexts: [{ name: "prod", context: { cluster: "prod", user: "deployer" } }],
      users: [parse(text)],
    };
    writeFileSync(join(folder, "kubeconfig"), JSON.stringify(config), { mode: 0o600 });
    return bash("kubectl get pods", { KUBECONFIG: join(folder, "kubeconfig") });
  }
  const expectPods = ({ status, stdout, stderr }: Script) => {
    expect([status, stderr], stderr).toEqual([0, ""]);
    expect(stdout).toContain("web-5d8f");
    expect(api.requests.at(-1)?.user).toBe(`oidc:${subject}`);
  };

  it("the pod's projected token: its path is that of the mount, and its audience the issuer", async () => {
    const { spec } = parse(blockOf("workload-identity.md", "pod"));
    const [{ projected }] = spec.volumes;
    expect(projected.sources[0].serviceAccountToken.audience).toBe("https://id.example.com");
    const path = `${spec.containers[0].volumeMounts[0].mountPath}/${projected.sources[0].serviceAccountToken.path}`;
    await writeToken();
    const block = ours(blockOf("workload-identity.md", "user-file"));
    expect(block).toContain(path);
    expectPods(await use("user-file", block.replace(path, file())));
  });
  it("spire-agent, in the form that the page asks for", async () => {
    await writeToken();
    const agent = `#!/bin/sh\n[ "$*" = "api fetch jwt -audience ${provider.issuer} -output json" ] || exit 1\nprintf '[{"svids":[{"hint":"","spiffe_id":"spiffe://x","svid":"%s"}]},{"bundles":{}}]\\n' "$(cat '${file()}')"\n`;
    writeFileSync(join(home.folder, "bin", "spire-agent"), agent, { mode: 0o755 });
    expectPods(await use("user-command"));
  });
  it("a service account of another cluster, by kubectl create token", async () => {
    await writeToken();
    const real = (await bash("command -v kubectl")).stdout.trim();
    const script = `#!/bin/sh\n[ "$1 $2" = "create token" ] || exec '${real}' "$@"\n[ "$3 $4 $5 $6" = "deployer --namespace=ci --context=first --audience=${provider.issuer}" ] && exec cat '${file()}'\nexit 1\n`;
    writeFileSync(join(home.folder, "bin", "kubectl"), script, { mode: 0o755 });
    expectPods(await use("user-kubernetes"));
  });
});
