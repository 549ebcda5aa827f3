import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { pipelineSecret } from "../issuer/provider-configuration.ts";
import { hasProgram } from "../programs.ts";
import { errorCode } from "./program.ts";
import { handedOut, hasNamespaces, type SetupStage, setSetupStage } from "./setup-stage.ts";

const hasKubectl = hasProgram("kubectl");
const golden = (name: string) => resolve(import.meta.dirname, "../golden/setup", name);

let stage: SetupStage;
let before: string;
beforeEach(async () => {
  stage = await setSetupStage();
  before = handedOut(stage.api.url, stage.certificates.caFile);
  stage.write(before);
  stage.home.holdsSecrets("kubeconfig");
});
afterEach(() => stage.stop());

interface Config {
  readonly users: readonly { readonly name: string; readonly user: { readonly exec?: Readonly<Record<string, unknown>> & { readonly args: readonly string[] } } }[];
  readonly contexts: readonly { readonly name: string; readonly context: Readonly<Record<string, string>> }[];
}
const config = () => parse(stage.text()) as Config;
const execOf = (name: string) => config().users.find((user) => user.name === name)?.user.exec;
const backup = () => `${stage.kubeconfig}.before-kubectl-oidc`;

describe.skipIf(!hasKubectl)(`the story, with real kubectl${hasKubectl ? "" : " (which is not on the PATH)"}`, () => {
  it("setup → kubectl → doctor → whoami → logout: one login, and nothing to look up", async () => {
    expect((await stage.kubectl("get", "pods", "--request-timeout=5s")).status).not.toBe(0);
    const setup = await stage.setup([...stage.identity, "--yes"]);
    expect(setup, setup.stderr).toMatchObject({ status: 0, stdout: "" });
    const pods = await stage.kubectl("get", "pods");
    expect(pods, pods.stderr).toMatchObject({ status: 0, stderr: "" });
    expect(pods.stdout).toContain("web-5d8f");
    expect((await stage.kubectl("auth", "whoami")).stdout).toContain("oidc:alice");
    const doctor = await stage.kubectl("oidc", "doctor");
    expect(doctor.status, doctor.stdout).toBe(0);
    expect((await stage.kubectl("oidc", "whoami")).stdout).toContain("this very token");
    expect(stage.provider.count("token", "authorization_code")).toBe(1);
    const logout = await stage.kubectl("oidc", "logout");
    expect(logout.status, logout.stderr).toBe(0);
    expect(stage.provider.count("revocation")).toBe(1);
    expect((await stage.kubectl("oidc", "token")).status).not.toBe(0);
  });

  it("the plan's line of kubectl writes each argument as one, those with commas and quotes too", async () => {
    const command = `--subject-token-command="/opt/get token" -audience a,b`;
    const planned = await stage.setup([...stage.identity, "--grant-type=token-exchange", command, "--dry-run"]);
    expect(planned.status, planned.stderr).toBe(0);
    const [line = ""] = /^kubectl config set-credentials .*$/m.exec(planned.stdout) ?? [];
    const file = join(stage.home.folder, "by-line");
    execFileSync("bash", ["-c", line], { env: { ...stage.home.env, KUBECONFIG: file }, timeout: 20_000 });
    const written = (parse(readFileSync(file, "utf8")) as Config).users[0]?.user.exec?.args ?? [];
    expect(written).toContain(command);
    expect(written.filter((word) => !word.startsWith("--"))).toEqual(["get-token"]);
  });
});

describe("setup", () => {
  it("with --dry-run shows the plan on stdout, asks the issuer only what it is, and changes nothing", async () => {
    const ended = await stage.setup([...stage.identity, "--dry-run"]);
    expect(ended.status, ended.stderr).toBe(0);
    await expect(stage.neutral(ended.stdout)).toMatchFileSnapshot(golden("dry-run.txt"));
    await expect(stage.neutral(ended.stderr)).toMatchFileSnapshot(golden("dry-run-stderr.txt"));
    expect(stage.text()).toBe(before);
    expect(existsSync(backup())).toBe(false);
    expect(stage.provider.count("authorization") + stage.provider.count("token")).toBe(0);
  });

  it("logs in, tells whom the server will see, writes, and asks the server: each said on stderr", async () => {
    const ended = await stage.setup([...stage.identity, "--yes"]);
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: "" });
    await expect(stage.neutral(ended.stderr)).toMatchFileSnapshot(golden("written.txt"));
  });

  it("writes a stanza that is right by construction, and leaves the administrator's own user and every comment where they were", async () => {
    await stage.setup([...stage.identity, "--yes"]);
    expect(execOf("oidc-prod")).toMatchObject({
      apiVersion: "client.authentication.k8s.io/v1",
      command: "kubectl-oidc",
      interactiveMode: "IfAvailable",
      provideClusterInfo: true,
      installHint: expect.stringContaining("https://github.com/kubectl-oidc/kubectl-oidc"),
    });
    expect([...(execOf("oidc-prod")?.args ?? [])].sort()).toEqual(["get-token", "--oidc-extra-scope=email", "--oidc-extra-scope=groups", ...stage.identity].sort());
    const lines = stage.text().split("\n");
    for (const line of before.split("\n").filter((line) => line !== "    user: admin")) expect(lines).toContain(line);
    expect(config().contexts).toMatchObject([
      { name: "admin", context: { user: "admin" } },
      { name: "prod", context: { user: "oidc-prod", namespace: "default" } },
    ]);
    expect(statSync(stage.kubeconfig).mode & 0o777).toBe(0o640);
    expect(readFileSync(backup(), "utf8")).toBe(before);
    expect(statSync(backup()).mode & 0o777).toBe(0o640);
  });

  it("run again finds nothing to change: no login, no other text, no other backup", async () => {
    await stage.setup([...stage.identity, "--yes"]);
    const written = stage.text();
    const { mtimeMs } = statSync(stage.kubeconfig);
    const again = await stage.setup([...stage.identity, "--yes"]);
    expect(again.status).toBe(0);
    expect(again.stderr).toContain("the kubeconfig says all of this already");
    // The stanza says who and where; nobody types it twice.
    expect((await stage.setup(["--yes"])).status).toBe(0);
    expect(stage.text()).toBe(written);
    expect(statSync(stage.kubeconfig).mtimeMs).toBe(mtimeMs);
    expect(readFileSync(backup(), "utf8")).toBe(before);
    expect(stage.provider.count("token", "authorization_code")).toBe(1);
  });

  it("--undo gives the former text back to the byte, and takes the copy away; a second one finds nothing", async () => {
    await stage.setup([...stage.identity, "--yes"]);
    await stage.setup([...stage.identity, "--oidc-extra-scope=email", "--yes", "--non-interactive"]);
    const ended = await stage.setup(["--undo", "--yes"]);
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: "" });
    expect(stage.text()).toBe(before);
    expect(existsSync(backup())).toBe(false);
    expect(await stage.setup(["--undo", "--yes"])).toMatchObject({ status: 0, stderr: "kubectl-oidc: there is nothing to undo\n" });
  });

  it("--undo of a file that the list names twice, once through a link, puts it back once", async () => {
    const link = join(stage.home.folder, "link");
    symlinkSync(stage.kubeconfig, link);
    const both = { KUBECONFIG: `${stage.kubeconfig}:${link}` };
    expect((await stage.setup([...stage.identity, "--yes", "--non-interactive"], both)).status).toBe(0);
    const ended = await stage.setup(["--undo", "--yes"], both);
    expect(ended.status, ended.stderr).toBe(0);
    expect(stage.text()).toBe(before);
    expect(existsSync(backup())).toBe(false);
  });

  it("--undo of a context that had no user leaves none", async () => {
    const bare = before.slice(0, before.indexOf("users:")).replaceAll(/^ +user: admin\n/gm, "");
    stage.write(bare);
    expect((await stage.setup([...stage.identity, "--yes", "--non-interactive"])).status).toBe(0);
    expect(execOf("oidc-prod")).toBeDefined();
    expect((await stage.setup(["--undo", "--yes"])).status).toBe(0);
    expect(stage.text()).toBe(bare);
  });

  it("--undo keeps what somebody changed meanwhile, and undoes a context that was set up later", async () => {
    await stage.setup([...stage.identity, "--yes"]);
    stage.write(
      `${stage.text().replace("current-context: prod", "current-context: admin").replace("contexts:\n", "contexts:\n- name: stage\n  context: {cluster: prod, user: bob}\n")}# by hand\n`,
    );
    const later = await stage.setup([...stage.identity, "--context=stage", "--yes"]);
    expect(later.status, later.stderr).toBe(0);
    expect(config().contexts.map(({ context }) => context["user"])).toEqual(["bob", "admin", "oidc-prod"]);
    for (const name of ["prod", "stage"]) expect((await stage.setup([`--context=${name}`, "--undo", "--yes"])).status).toBe(0);
    expect(config().contexts.map(({ context }) => context["user"])).toEqual(["bob", "admin", "admin"]);
    expect(config().users.map(({ name }) => name)).toEqual(["admin"]);
    expect(stage.text()).toContain("# by hand");
  });

  it("--undo leaves what is not ours: a comment, a renewed credential, a namespace, and contexts that others made since", async () => {
    await stage.setup([...stage.identity, "--yes", "--non-interactive"]);
    const since = (text: string) =>
      text
        .replace("token: break-glass-token-of-the-administrator", "token: renewed-token-of-the-administrator")
        .replace("namespace: default", "namespace: dev # since")
        .replace("contexts:\n", "contexts:\n- name: kind\n  context: {cluster: kind, user: kind}\n")
        .replace("users:\n", "users:\n- name: kind\n  user:\n    token: token-of-kind\n");
    stage.write(since(stage.text()));
    const kind = await stage.setup(["--context=kind", "--undo", "--yes"]);
    expect(kind, kind.stderr).toMatchObject({ status: 0, stderr: "kubectl-oidc: there is nothing to undo\n" });
    const ended = await stage.setup(["--undo", "--yes"]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(stage.text()).toBe(since(before));
  });

  it("--undo keeps a comment that is all that was changed since", async () => {
    await stage.setup([...stage.identity, "--yes", "--non-interactive"]);
    stage.write(`${stage.text()}# by hand\n`);
    expect((await stage.setup(["--undo", "--yes"])).status).toBe(0);
    expect(stage.text()).toBe(`${before}# by hand\n`);
    expect(existsSync(backup())).toBe(false);
  });

  it("with -o json tells programs all of it, and nobody else anything secret", async () => {
    const ended = await stage.setup([...stage.identity, "--yes", "-o", "json", "--group=developers", "--cluster-role=edit", "--username-claim=email", "--username-prefix="]);
    expect(ended.status, ended.stderr).toBe(0);
    const told = JSON.parse(ended.stdout) as { readonly administrator: Readonly<Record<string, string>>; readonly changes: readonly { readonly diff: string }[] };
    expect(told).toMatchObject({
      context: "prod",
      user: "oidc-prod",
      cluster: "prod",
      server: stage.api.url,
      issuer: stage.provider.issuer,
      clientId: "kubernetes",
      preset: "generic",
      claims: { sub: "alice", email: "alice@example.com" },
      expected: { username: "alice@example.com", groups: ["oidc:admins", "oidc:developers"] },
      stanza: { command: "kubectl-oidc" },
      written: true,
      review: "seen",
    });
    expect(ended.stdout).not.toMatch(/ey[\w-]+\.[\w-]+\.|break-glass/);
    expect(told.changes[0]?.diff).toContain("+    user: oidc-prod");
    expect(parse(told.administrator["authenticationConfiguration"] ?? "")).toMatchObject({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "AuthenticationConfiguration",
      jwt: [
        {
          issuer: { url: stage.provider.issuer, audiences: ["kubernetes"], certificateAuthority: expect.stringContaining("BEGIN CERTIFICATE") },
          claimMappings: { username: { claim: "email", prefix: "" }, groups: { claim: "groups", prefix: "oidc:" } },
        },
      ],
    });
    expect(told.administrator["flags"]).toContain("--oidc-username-prefix=-");
    expect(parse(told.administrator["roleBinding"] ?? "")).toMatchObject({ roleRef: { name: "edit" }, subjects: [{ kind: "Group", name: "oidc:developers" }] });
    expect(parse(told.administrator["kuberc"] ?? "")).toMatchObject({
      credentialPluginPolicy: "Allowlist",
      credentialPluginAllowlist: [{ command: join(stage.home.folder, "bin/kubectl-oidc") }],
    });
  });

  it("prints YAML and flags that say exactly what was asked for, whatever characters it has", async () => {
    for (const odd of ["a: b # c", "'; curl x | sh", "x\ny", "0o17", "a\u202eb", "*"]) {
      const args = [...stage.identity, "--dry-run", `--group=${odd}`, "--groups-prefix=", `--cluster-role=${odd}`, "--username-prefix=-"];
      const ended = await stage.setup([...args, "-o", "json"]);
      expect(ended.status, ended.stderr).toBe(0);
      const { administrator } = JSON.parse(ended.stdout) as {
        readonly administrator: { readonly roleBinding: string; readonly authenticationConfiguration: string; readonly flags: readonly string[] };
      };
      expect(parse(administrator.roleBinding)).toMatchObject({ roleRef: { name: odd }, subjects: [{ kind: "Group", name: odd }] });
      expect(parse(administrator.authenticationConfiguration)).toMatchObject({ jwt: [{ claimMappings: { username: { prefix: "" } } }] });
      expect(administrator.flags).toContain("--oidc-username-prefix=-");
      const { stdout } = await stage.setup(args);
      const printed = stdout.slice(stdout.indexOf("# who may do what"), stdout.indexOf("# kubectl 1.35"));
      expect(parse(printed)).toMatchObject({ roleRef: { name: odd }, subjects: [{ kind: "Group", name: odd }] });
    }
  });

  it("of a KUBECONFIG list writes the one file that it must, and leaves the others to the byte", async () => {
    const other = join(stage.home.folder, "other");
    const text = `# mine\nusers:\n- name: oidc\n  user:\n    exec: # old\n      apiVersion: client.authentication.k8s.io/v1beta1\n      command: kubectl\n      args:\n      - oidc-login\n      - get-token\n      - --oidc-issuer-url=https://old.example.com # gone\n      - --oidc-client-id=kubernetes # stays\n`;
    writeFileSync(other, text, { mode: 0o600 });
    stage.write(before.replace("    user: admin\n    namespace", "    user: oidc\n    namespace"));
    const contexts = stage.text();
    const ended = await stage.setup([...stage.identity, "--yes"], { KUBECONFIG: `${stage.kubeconfig}:${other}` });
    expect(ended.status, ended.stderr).toBe(0);
    expect(stage.text()).toBe(contexts);
    const written = readFileSync(other, "utf8");
    for (const comment of ["# mine", "exec: # old", "--oidc-client-id=kubernetes # stays"]) expect(written).toContain(comment);
    expect(written).not.toContain("oidc-login");
    expect(parse(written)).toMatchObject({ users: [{ name: "oidc", user: { exec: { command: "kubectl-oidc", apiVersion: "client.authentication.k8s.io/v1" } } }] });
    expect(readFileSync(`${other}.before-kubectl-oidc`, "utf8")).toBe(text);
    expect(existsSync(backup())).toBe(false);
    const undo = await stage.setup(["--undo", "--yes"], { KUBECONFIG: `${stage.kubeconfig}:${other}` });
    expect(undo.status, undo.stderr).toBe(0);
    expect(readFileSync(other, "utf8")).toBe(text);
  });

  it("makes a context that is not there, when there is no doubt about its cluster", async () => {
    const ended = await stage.setup([...stage.identity, "--context=production", "--yes", "--non-interactive"]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(config().contexts.at(-1)).toEqual({ name: "production", context: { cluster: "prod", user: "oidc-production" } });
    const undo = await stage.setup(["--context=production", "--undo", "--yes"]);
    expect(undo.status, undo.stderr).toBe(0);
    expect(stage.text()).toBe(before);
    for (const [context, more, meant] of [
      ["prdo", [], "did you mean --context prod?"],
      ["other", ["--cluster=prodd"], "did you mean --cluster prod?"],
    ] as const) {
      const missing = await stage.setup([...stage.identity, `--context=${context}`, ...more, "--yes"]);
      expect(errorCode(missing)).toBe("CONTEXT_NOT_FOUND");
      expect(missing.stderr).toContain(meant);
    }
  });

  it("where nobody can be asked asks nobody: CONFIRMATION_REQUIRED, before any request", async () => {
    for (const more of [[], ["-o", "json"]]) {
      const ended = await stage.setup([...stage.identity, ...more]);
      expect(ended).toMatchObject({ status: 2, stdout: "" });
      expect(ended.stderr).toContain("CONFIRMATION_REQUIRED");
    }
    expect(stage.provider.requests).toEqual([]);
    expect(stage.text()).toBe(before);
  });

  it("does not overwrite somebody's own login", async () => {
    const ended = await stage.setup([...stage.identity, "--user=admin", "--yes"]);
    expect(ended.status).toBe(40);
    expect(ended.stderr).toContain("the kubeconfig user admin has another login, which setup does not overwrite");
    expect(stage.text()).toBe(before);
  });

  it("of an issuer that calls itself otherwise names that, and changes nothing", async () => {
    const ended = await stage.setup([`--oidc-issuer-url=${stage.provider.issuer}/`, ...stage.identity.slice(1), "--yes"]);
    expect(errorCode(ended)).toBe("ISSUER_MISMATCH");
    expect(ended.stderr).toContain(`--oidc-issuer-url=${stage.provider.issuer}\n`);
    expect(stage.text()).toBe(before);
  });

  it("of an issuer whose kind is known says at once what cannot be right, without a request", async () => {
    const ended = await stage.setup(["--oidc-issuer-url=https://example.auth0.com", "--oidc-client-id=kubernetes", "--yes"]);
    expect(errorCode(ended)).toBe("ISSUER_MISMATCH");
    expect(ended.stderr).toContain("use --oidc-issuer-url=https://example.auth0.com/");
  });

  it("that the person refuses at the issuer changes nothing", async () => {
    const ended = await stage.setup([...stage.identity, "--yes"], { DEMO_DENY: "1" });
    expect(ended.status).toBe(20);
    expect(errorCode(ended)).toBe("LOGIN_DENIED");
    expect(stage.text()).toBe(before);
    expect(existsSync(backup())).toBe(false);
  });

  it("without a person (--non-interactive) writes all the same, and says that no token was looked at", async () => {
    const ended = await stage.setup([...stage.identity, "--yes", "--non-interactive"]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("no token was looked at");
    expect(execOf("oidc-prod")?.args.join(" ")).not.toContain("non-interactive");
    expect(stage.provider.count("authorization")).toBe(0);
  });

  it("holds the session to the context's server from then on", async () => {
    await stage.setup([...stage.identity, "--yes"]);
    const listed = await stage.home.run(["trust", "list"]);
    expect(listed.stdout).toContain(stage.api.url);
  });

  it("whose server does not accept the token yet says what its administrator must do", async () => {
    stage.api.refuseNext();
    const ended = await stage.setup([...stage.identity, "--yes"]);
    expect(ended.status).toBe(0);
    expect(ended.stderr).toContain("the API server does not accept the token yet (401)");
    expect(ended.stderr).toContain("kind: AuthenticationConfiguration");
  });

  it("names the program by its absolute path when that is wished, links not followed", async () => {
    await stage.setup([...stage.identity, "--yes", "--non-interactive", "--absolute-path"]);
    expect(execOf("oidc-prod")?.["command"]).toBe(join(stage.home.folder, "bin/kubectl-oidc"));
  });

  it("says that kubectl will not find a program that is not on the PATH", async () => {
    const ended = await stage.setup([...stage.identity, "--yes", "--non-interactive"], { PATH: "/usr/bin:/bin" });
    expect(ended.stderr).toContain("kubectl-oidc is not on the PATH, so kubectl will not find it");
  });

  it("puts a client secret into a private file and not into the kubeconfig", async () => {
    stage.home.holdsSecrets("data/kubectl-oidc/client-secrets");
    const ended = await stage.setup([
      stage.identity[0]!,
      "--oidc-client-id=pipeline",
      `--oidc-client-secret=${pipelineSecret}`,
      ...stage.identity.slice(2),
      "--yes",
      "--non-interactive",
    ]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(stage.text()).not.toContain(pipelineSecret);
    const [, path = ""] = /--oidc-client-secret-file=(\S+)/.exec(stage.text()) ?? [];
    expect(readFileSync(path, "utf8")).toBe(pipelineSecret);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.skipIf(!hasNamespaces || !hasKubectl)("--harden lets no kubeconfig bring another issuer or client, and this one works under it", async () => {
    const kubectlOidc = join(stage.home.folder, "bin/kubectl-oidc");
    const ended = await stage.atHome(kubectlOidc, ["setup", ...stage.identity, `--browser-command=${stage.browser}`, "--yes", "--harden"]);
    expect(ended.status, ended.stderr).toBe(0);
    const file = join(stage.home.folder, "home/.config/kubectl-oidc/config.yaml");
    expect(parse(readFileSync(file, "utf8"))).toMatchObject({ strict: true, allow: { "oidc-issuer-url": [stage.provider.issuer], "oidc-client-id": ["kubernetes"] } });
    const pods = await stage.atHome("kubectl", ["get", "pods"]);
    expect(pods.status, pods.stderr).toBe(0);
    stage.write(stage.text().replaceAll("--oidc-client-id=kubernetes", "--oidc-client-id=somebody"));
    const other = await stage.atHome("kubectl", ["get", "pods"]);
    expect(other.stderr).toContain("strict does not allow --oidc-client-id");
  });

  it("writes a profile by its name, and nothing of what is in it", async () => {
    mkdirSync(stage.home.config, { recursive: true });
    writeFileSync(
      join(stage.home.config, "config.yaml"),
      `profiles:\n  work:\n    oidc-issuer-url: ${stage.provider.issuer}\n    oidc-client-id: kubernetes\n    certificate-authority: ${stage.certificates.caFile}\n`,
      { mode: 0o600 },
    );
    const ended = await stage.setup(["--profile=work", "--token-cache-storage=disk", "--yes", "--non-interactive"]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(execOf("oidc-prod")?.args).toEqual(["get-token", "--oidc-extra-scope=email", "--oidc-extra-scope=groups", "--token-cache-storage=disk", "--profile=work"]);
    expect((await stage.home.run(["get-token", ...(execOf("oidc-prod")?.args.slice(1) ?? [])])).stderr).not.toContain("SETTINGS_INCOMPLETE");
  });

  it("writes what the environment says into the stanza, so that kubectl needs none of it; and says which secret it leaves there", async () => {
    const ended = await stage.setup(["--yes", "--non-interactive"], {
      KUBECTL_OIDC_ISSUER_URL: stage.provider.issuer,
      KUBECTL_OIDC_CLIENT_ID: "pipeline",
      KUBECTL_OIDC_CLIENT_SECRET: pipelineSecret,
      KUBECTL_OIDC_EXTRA_SCOPE: "email,profile",
      KUBECTL_OIDC_TOKEN_CACHE_STORAGE: "disk",
      KUBECTL_OIDC_CERTIFICATE_AUTHORITY: "ca.pem",
    });
    expect(ended.status, ended.stderr).toBe(0);
    expect(execOf("oidc-prod")?.args).toEqual([
      "get-token",
      `--oidc-issuer-url=${stage.provider.issuer}`,
      "--oidc-client-id=pipeline",
      "--oidc-extra-scope=email,profile",
      `--certificate-authority=${stage.certificates.caFile}`,
      "--token-cache-storage=disk",
    ]);
    expect(ended.stderr).toContain("warning: KUBECTL_OIDC_CLIENT_SECRET is a secret and is not written into the kubeconfig: kubectl needs it in its environment too");
  });

  it("writes what the cluster's extension says when kubectl cannot tell it: the cluster's authority is too large", async () => {
    const extension = `    extensions:\n    - name: client.authentication.k8s.io/exec\n      extension:\n        oidc-issuer-url: ${stage.provider.issuer}\n        oidc-client-id: kubernetes\n`;
    stage.write(before.replace(`certificate-authority: ${stage.certificates.caFile}\n`, (line) => `${line}${extension}`));
    const machine = stage.identity.slice(2);
    const told = await stage.setup([...machine, "--yes", "--non-interactive"]);
    expect(told.status, told.stderr).toBe(0);
    expect(execOf("oidc-prod")?.args.join(" ")).not.toContain("issuer-url");
    expect((await stage.setup(["--undo", "--yes"])).status).toBe(0);
    writeFileSync(join(stage.home.folder, "many.pem"), stage.certificates.caPem.repeat(Math.ceil(80_000 / stage.certificates.caPem.length)));
    stage.write(stage.text().replace(stage.certificates.caFile, join(stage.home.folder, "many.pem")));
    const untold = await stage.setup([...machine, "--yes", "--non-interactive"]);
    expect(untold.status, untold.stderr).toBe(0);
    expect(execOf("oidc-prod")).toMatchObject({
      provideClusterInfo: false,
      args: expect.arrayContaining([`--oidc-issuer-url=${stage.provider.issuer}`, "--oidc-client-id=kubernetes"]),
    });
  });

  it("of a stanza with an env takes over what it says, and shows none of its secrets", async () => {
    stage.home.holdsSecrets("data/kubectl-oidc/client-secrets");
    stage.home.holdsSecrets("kubeconfig.before-kubectl-oidc");
    const variable = (name: string, value: string) => `      - name: ${name}\n        value: ${value}\n`;
    stage.write(
      `${before
        .replace("    user: admin\n    namespace", "    user: mine\n    namespace")
        .replace(
          "preferences: {}\n",
          "",
        )}- name: mine\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      command: kubectl-oidc\n      args: [get-token, "--oidc-issuer-url=${stage.provider.issuer}", --oidc-client-id=pipeline]\n      env:\n${variable("KUBECTL_OIDC_CLIENT_SECRET", pipelineSecret)}${variable("KUBECTL_OIDC_EXTRA_SCOPE", "email")}${variable("CORP_PASSWORD", "winter-is-here")}`,
    );
    const ended = await stage.setup([...stage.identity.slice(2), "--yes", "--non-interactive", "-o", "json"]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stdout).not.toContain(pipelineSecret);
    expect(ended.stdout).not.toContain("winter-is-here");
    expect(JSON.parse(ended.stdout)).toMatchObject({ user: "mine", command: null, stanza: { env: [{ name: "CORP_PASSWORD", value: "[hidden]" }] } });
    expect(execOf("mine")?.["env"]).toEqual([{ name: "CORP_PASSWORD", value: "winter-is-here" }]);
    expect(stage.text()).not.toContain(pipelineSecret);
    expect(execOf("mine")?.args).toContain("--oidc-extra-scope=email");
  });

  it("takes its own user up again after somebody gave the context back to another", async () => {
    await stage.setup([...stage.identity, "--yes", "--non-interactive"]);
    const written = stage.text();
    stage.write(written.replace("user: oidc-prod\n    namespace", "user: admin\n    namespace"));
    const again = await stage.setup(["--yes", "--non-interactive"]);
    expect(again.status, again.stderr).toBe(0);
    expect(stage.text()).toBe(written);
  });

  it("keeps what kubectl config changed while the person logged in; a change of the context itself ends it", async () => {
    // The browser's part: an edit of the kubeconfig, then the login.
    const script = join(stage.home.folder, "browser.sh");
    const during = async (edit: string) => {
      writeFileSync(script, `#!/bin/sh\nsed -i '${edit}' '${stage.kubeconfig}' && exec ${stage.browser} "$1"\n`, { mode: 0o700 });
      return stage.setup([...stage.identity, "--yes"], { BROWSER: script });
    };
    const kept = await during("s/^current-context: prod/current-context: admin/; s/namespace: default/namespace: dev/");
    expect(kept.status, kept.stderr).toBe(0);
    expect(stage.text()).toContain("current-context: admin");
    expect(config().contexts.at(-1)?.context).toEqual({ cluster: "prod", user: "oidc-prod", namespace: "dev" });

    await stage.home.run(["logout", "--context=prod"]);
    stage.write(before);
    rmSync(backup());
    const ended = await during("s/^    user: admin/    user: somebody/");
    expect(errorCode(ended)).toBe("KUBECONFIG_UNWRITABLE");
    expect(ended.stderr).toContain("somebody changed the context prod meanwhile; it stays as it is");
    expect(stage.text()).toBe(before.replace("    user: admin", "    user: somebody"));
    expect(existsSync(backup())).toBe(false);
  });

  it("takes a user that says nothing for its own, and asks for no scopes of a person when a program logs in", async () => {
    stage.home.holdsSecrets("secret");
    writeFileSync(join(stage.home.folder, "secret"), pipelineSecret, { mode: 0o600 });
    stage.write(before.replace("users:\n", "users:\n- name: oidc-prod\n  user: {}\n"));
    const ended = await stage.setup([
      stage.identity[0]!,
      "--oidc-client-id=pipeline",
      ...stage.identity.slice(2),
      "--grant-type=client-credentials",
      "--oidc-client-secret-file=secret",
      "--oidc-use-access-token",
      "--oidc-audience=https://k8s.example.com",
      "--yes",
    ]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain("offline_access");
    expect(execOf("oidc-prod")?.args.join(" ")).not.toContain("scope");
  });

  it("--undo of a copy that is no kubeconfig any more changes nothing", async () => {
    await stage.setup([...stage.identity, "--yes", "--non-interactive"]);
    const written = stage.text();
    for (const text of ["{", "- a", "users: 7", "contexts: prod"]) {
      writeFileSync(backup(), text);
      const ended = await stage.setup(["--undo", "--yes"]);
      expect(errorCode(ended)).toBe("KUBECONFIG_UNREADABLE");
    }
    rmSync(backup());
    execFileSync("mkfifo", [backup()]);
    expect(errorCode(await stage.setup(["--undo", "--yes"]))).toBe("KUBECONFIG_UNREADABLE");
    rmSync(backup());
    expect(stage.text()).toBe(written);
  });

  it("writes relative paths as absolute ones", async () => {
    writeFileSync(join(stage.home.folder, "company.pem"), stage.certificates.caPem);
    const ended = await stage.setup([stage.identity[0]!, stage.identity[1]!, "--certificate-authority=company.pem", "--token-cache-storage=disk", "--yes", "--non-interactive"]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(execOf("oidc-prod")?.args).toContain(`--certificate-authority=${join(stage.home.folder, "company.pem")}`);
  });
});
