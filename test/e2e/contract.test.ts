import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { commandTable } from "../../src/cli/command-table.ts";
import { errorCode, programPath } from "./program.ts";
import { home, issuer, options, session, useStage } from "./stage.ts";

// Sentences of cli.md that no other test holds, against the built program.
useStage();

const run = promisify(execFile);
const deviceLogin = () => ["login", ...options("--grant-type=device-code")];

/** A kubeconfig whose contexts `production` and `staging` run us, `admin` has a token, and `former` the auth-provider of old. */
function writeKubeconfig(more: { readonly args?: readonly string[]; readonly env?: readonly object[]; readonly config?: object } = {}): void {
  const exec = (client: string) => ({
    apiVersion: "client.authentication.k8s.io/v1",
    command: "kubectl-oidc",
    args: [...session(), `--oidc-client-id=${client}`, ...(more.args ?? [])],
    env: more.env ?? [],
  });
  const extensions = more.config === undefined ? [] : [{ name: "client.authentication.k8s.io/exec", extension: more.config }];
  const context = (name: string, user: string) => ({ name, context: { cluster: "c", user } });
  const config = {
    "current-context": "production",
    clusters: [{ name: "c", cluster: { server: "https://k8s.example.com:6443", extensions } }],
    contexts: [context("production", "one"), context("staging", "two"), context("admin", "three"), context("former", "four")],
    users: [
      { name: "one", user: { exec: exec("kubernetes") } },
      { name: "two", user: { exec: exec("other") } },
      { name: "three", user: { token: "break-glass" } },
      { name: "four", user: { "auth-provider": { name: "oidc", config: { "idp-issuer-url": issuer.url, "client-id": "former" } } } },
    ],
  };
  writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify(config));
}

/** A PATH on which kubectl finds us as its plugin. */
function pathWithPlugin(): string {
  const bin = join(home.folder, "bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(programPath, join(bin, "kubectl-oidc"));
  return `${bin}:${home.env["PATH"] ?? ""}`;
}

describe("stdout is data", () => {
  it("login, logout, trust add and trust remove print nothing there; what they say is on stderr", async () => {
    writeKubeconfig();
    const calls = [
      deviceLogin(),
      ["trust", "add", "--context=production"],
      ["trust", "remove", "https://k8s.example.com:6443"],
      ["logout"],
      ["logout", "-o", "json"],
      ["logout", "--all"],
    ];
    for (const args of calls) {
      const ended = await home.run(args);
      expect(ended, args.join(" ")).toMatchObject({ status: 0, stdout: "" });
      expect(ended.stderr, args.join(" ")).toMatch(/^kubectl-oidc: /);
    }
  });

  it("an error under -o json is the last line of stderr, one object with code, title, detail, hint and exit, whichever command it is", async () => {
    writeKubeconfig();
    const wrong = "--context=nowhere";
    const calls: readonly (readonly [readonly string[], string, number])[] = [
      [["login", wrong], "CONTEXT_NOT_FOUND", 40],
      [["token", wrong], "CONTEXT_NOT_FOUND", 40],
      [["whoami", wrong], "CONTEXT_NOT_FOUND", 40],
      [["logout", wrong], "CONTEXT_NOT_FOUND", 40],
      [["setup", "--yes", wrong], "SETTINGS_INCOMPLETE", 40],
      [["migrate", "--yes", wrong], "CONTEXT_NOT_FOUND", 40],
      [["trust", "list", wrong], "CONTEXT_NOT_FOUND", 40],
      [["doctor", "--nothing"], "FLAG_INVALID", 2],
      [["status", "--nothing"], "FLAG_INVALID", 2],
      [["version", "--nothing"], "FLAG_INVALID", 2],
      [["completion", "bash"], "FLAG_INVALID", 2],
      [["statsu"], "COMMAND_UNKNOWN", 2],
      [["token"], "LOGIN_REQUIRED", 20],
    ];
    for (const [args, code, exit] of calls) {
      const ended = await home.run([...args, "-o", "json"]);
      const error = JSON.parse(ended.stderr.trimEnd().split("\n").at(-1) ?? "") as object;
      expect(ended.status, args.join(" ")).toBe(exit);
      expect(error, args.join(" ")).toEqual({ code, title: expect.any(String), detail: expect.any(String), hint: expect.any(String), exit });
    }
  });
});

describe("the source of an option", () => {
  it("is, strongest first: a flag, the context's args, the environment, the stanza's env, cluster.config, the profile, the file", async () => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.config, "config.yaml"), "defaults: {account: file}\nprofiles: {work: {account: profile}, none: {}}\n", { mode: 0o600 });
    const stanza = { args: ["--account=args"], env: [{ name: "KUBECTL_OIDC_ACCOUNT", value: "stanza-env" }], config: { account: "cluster" } };
    const { args: _, ...withoutArgs } = stanza;
    const { env: __, ...withoutEnv } = withoutArgs;
    const variable = { KUBECTL_OIDC_ACCOUNT: "environment" };
    const rungs: readonly (readonly [string, typeof withoutEnv | typeof stanza | object, readonly string[], Readonly<Record<string, string>>])[] = [
      ["flag", stanza, ["--account=flag", "--profile=work"], variable],
      ["args", stanza, ["--profile=work"], variable],
      ["environment", withoutArgs, ["--profile=work"], variable],
      ["stanza-env", withoutArgs, ["--profile=work"], {}],
      ["cluster", withoutEnv, ["--profile=work"], {}],
      ["profile", {}, ["--profile=work"], {}],
      ["file", {}, ["--profile=none"], {}],
    ];
    for (const [winner, kubeconfig, flags, env] of rungs) {
      writeKubeconfig(kubeconfig);
      const ended = await home.run(["token", "--context=production", "-v1", ...flags], env);
      expect(/ account = (\S+) /.exec(ended.stderr)?.[1], ended.stderr).toBe(winner);
    }
  });
});

describe("a command line", () => {
  it("has its flags before or behind the command, and booleans of commands take =true|false", async () => {
    expect(JSON.parse((await home.run(["-o", "json", "status"])).stdout)).toEqual({ sessions: [] });
    expect(errorCode(await home.run(["-v1", "get-token", ...options("--non-interactive")]))).toBe("LOGIN_REQUIRED");
    // A plugin's stdout stays clean wherever its name stands.
    expect(await home.run(["-v1", "get-token", "--help"])).toMatchObject({ status: 0, stdout: "" });
    expect((await home.run(["logout", "--all=true"])).stderr).toBe("kubectl-oidc: not logged in; nothing to delete\n");
    expect(errorCode(await home.run(["logout", "--all=false"]))).toBe("SETTINGS_INCOMPLETE");
    expect((await home.run(["logout", "--all=perhaps"])).stderr).toContain("--all must be true or false [FLAG_INVALID]");
  });

  it.each([
    [["trust"], "trust needs one of list, add or remove", "run: kubectl oidc help trust"],
    [["trust", "lst"], "trust takes list, add or remove, not lst", "did you mean: kubectl oidc trust list?"],
    [["trust", "list", "https://k8s.example.com"], "trust list takes no server", "run: kubectl oidc help trust"],
    [["trust", "add", "http://k8s.example.com"], "the server must be an https URL without a user name", "as in: kubectl oidc trust add https://k8s.example.com:6443"],
    [["trust", "remove"], "trust remove needs the URL of a server", "run: kubectl oidc trust list"],
    [["completion", "bahs"], "completion takes bash, zsh, fish or powershell, not bahs", "did you mean: kubectl oidc completion bash?"],
    [["status", "-o", "jsno"], "-o must be json", "did you mean -o json?"],
    [["token", "-o", "yaml"], "-o must be one of json, header, env", "run: kubectl oidc help token"],
    [["setup", "--preset", "keyclaok"], "--preset must be one of keycloak, dex, google, okta, entra, auth0, cognito, gitlab, generic", "did you mean --preset=keycloak?"],
    [["login", "-v"], "-v needs a value", "run: kubectl oidc help login"],
    [["status", "extra"], "there is an argument too many; options start with --", "run: kubectl oidc help status"],
    [["get-token", "-o", "json"], "there is no flag -o here", "run: kubectl oidc help get-token"],
    [
      ["login", "--oidc-issuer-url=https://id.example.com", "--oidc-client-id=k", "--grant-type=devicecode"],
      "--grant-type must be one of auto, authcode, authcode-keyboard, device-code, client-credentials, token-exchange, jwt-bearer, subject-token, password",
      "did you mean --grant-type=device-code?",
    ],
    [
      ["whoami", "--oidc-issuer-url=https://id.example.com", "--oidc-client-id=k", "--min-validity=5"],
      "--min-validity must be a duration such as 90s or 1h30m",
      "run: kubectl oidc help whoami",
    ],
  ])("%j is refused in words of ours, with what was meant or the page of that command", async (args, message, hint) => {
    // Without any kubeconfig: what is wrong on the command line is said first.
    const ended = await home.run(args);
    expect(ended).toMatchObject({ status: 2, stdout: "", stderr: `kubectl-oidc: error: ${message} [FLAG_INVALID]\nkubectl-oidc: hint: ${hint}\n` });
  });

  it("of no command is the list of commands; each page of the help is no wider than a terminal", async () => {
    const list = await home.run([]);
    expect(list.stdout).toMatch(/^Usage: kubectl oidc COMMAND/);
    for (const same of [["help"], ["--help"], ["help", "help"], ["-v1"]]) expect((await home.run(same)).stdout, same.join(" ")).toBe(list.stdout);
    for (const page of [...Object.keys(commandTable), "environment", "exit-codes", "files", "config"]) {
      const { status, stdout } = await home.run(["help", page]);
      expect(status, page).toBe(0);
      expect(
        stdout.split("\n").filter((line) => line.length > 80),
        page,
      ).toEqual([]);
    }
  });
});

describe("a context", () => {
  it.each([["login"], ["token"], ["whoami"], ["logout"], ["trust", "list"], ["setup", "--dry-run"], ["migrate", "--dry-run"]])(
    "that is misspelt is offered by %s %s",
    async (...words) => {
      writeKubeconfig();
      const args = [...words.filter((word) => word !== undefined), "--context"];
      for (const [said, meant] of [
        ["stagign", "staging"],
        ["PRODUCTION", "production"],
        ["prod", "production"],
      ] as const)
        expect((await home.run([...args, said])).stderr).toBe(
          `kubectl-oidc: error: the kubeconfig has no context ${said} [CONTEXT_NOT_FOUND]\nkubectl-oidc: hint: did you mean --context ${meant}?\n`,
        );
    },
  );

  it("that does not run us comes with the command that changes that", async () => {
    writeKubeconfig();
    expect((await home.run(["login", "--context=admin"])).stderr).toContain("hint: to set it up, run: kubectl oidc setup --context=admin\n");
    expect((await home.run(["login", "--context=former"])).stderr).toContain("hint: to take it over, run: kubectl oidc migrate --context=former\n");
    expect((await home.run(["migrate", "--context=former", "--dry-run"])).status).toBe(0);
  });

  it("is missing in an empty kubeconfig, which is not written to", async () => {
    writeFileSync(join(home.folder, "kubeconfig"), "");
    expect((await home.run(["login"])).stderr).toContain("hint: it has no context at all; add --oidc-issuer-url and --oidc-client-id\n");
    expect((await home.run(["setup", "--dry-run"])).stderr).toContain("hint: add the cluster first: kubectl config set-cluster NAME ");
    expect(await home.run(["migrate", "--yes"])).toMatchObject({ status: 0, stderr: "kubectl-oidc: nothing is left to do\n" });
    expect(readFileSync(join(home.folder, "kubeconfig"), "utf8")).toBe("");
  });
});

it("status says that the kubeconfig cannot be read, and ends with 0", async () => {
  writeFileSync(join(home.folder, "kubeconfig"), "{contexts: [");
  const { status, stderr } = await home.run(["status"]);
  expect(status).toBe(0);
  expect(stderr).toMatch(
    /^kubectl-oidc: not logged in anywhere\nkubectl-oidc: the kubeconfig \S+ cannot be read: it is not valid YAML \(line \d\) \[KUBECONFIG_UNREADABLE\]; run: kubectl config view\n$/,
  );
});

it("a good login that cannot be stored is printed, and its one fault is said once", async () => {
  const started = home.start(session("--token-cache-storage=keyring", "--grant-type=device-code"));
  const { status, stdout, stderr } = await started.ended;
  expect(status).toBe(0);
  expect(stdout).toContain('"ExecCredential"');
  expect(stderr.match(/\[KEYCHAIN_UNAVAILABLE\]; .*--token-cache-storage=disk/g)).toHaveLength(1);
});

it("doctor asks kubectl for its version in a way that asks no server: some kubectl would, and log in by us", async () => {
  writeKubeconfig();
  const bin = join(home.folder, "bin");
  mkdirSync(bin);
  const asked = join(home.folder, "asked");
  // gcloud's kubectl asks the server of the kubeconfig which version fits.
  const kubectl = `#!/bin/sh\ncat "$KUBECONFIG" > '${asked}'\necho '{"clientVersion":{"gitVersion":"v1.36.2"}}'\n`;
  writeFileSync(join(bin, "kubectl"), kubectl, { mode: 0o755 });
  const { stdout } = await home.run(["doctor"], { PATH: `${bin}:${home.env["PATH"] ?? ""}` });
  expect(stdout).toMatch(/D-22 {2}kubectl: v1\.36\.2/);
  expect(readFileSync(asked, "utf8")).toBe("");
});

describe("by kubectl", () => {
  it("is `kubectl oidc`: its words and its exit status come through", async () => {
    writeKubeconfig();
    const env = { ...home.env, PATH: pathWithPlugin() };
    const kubectl = (...args: readonly string[]) =>
      run("kubectl", [...args], { env, cwd: home.folder }).then(
        ({ stdout }) => ({ code: 0, stdout, stderr: "" }),
        ({ code, stdout, stderr }: { readonly code: number; readonly stdout: string; readonly stderr: string }) => ({ code, stdout, stderr }),
      );
    expect(await kubectl("oidc")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: kubectl oidc COMMAND/) });
    expect(await kubectl("oidc", "token")).toMatchObject({ code: 20, stdout: "", stderr: expect.stringContaining("[LOGIN_REQUIRED]") });
    expect(await kubectl("oidc", "lgoin")).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean: kubectl oidc login?") });
  });

  it("the hint of a call that needs a login is a command that cures it when it is pasted", async () => {
    writeKubeconfig();
    const env = { ...home.env, PATH: pathWithPlugin() };
    const calls = [session("--non-interactive"), session("--non-interactive", "--account=ann@example.com"), ["token", "--context=staging"], ["whoami"]];
    for (const call of calls) {
      const before = await home.run(call);
      const hint = /hint: run: (kubectl oidc login.*)\n/.exec(before.stderr)?.[1] ?? "";
      expect(errorCode(before), call.join(" ")).toBe("LOGIN_REQUIRED");
      await run("sh", ["-c", `${hint} --grant-type=device-code`], { env, cwd: home.folder });
      expect(errorCode(await home.run(call)), call.join(" ")).not.toBe("LOGIN_REQUIRED");
      await home.run(["logout", "--all"]);
    }
  });

  it("the hint of a login that failed means that login, and not the current context's", async () => {
    const other = await home.run([...deviceLogin(), "--account=bob@example.com"]);
    const command = /hint: run: (kubectl oidc login .*)\n/.exec(other.stderr)?.[1] ?? "";
    expect(errorCode(other)).toBe("ACCOUNT_MISMATCH");
    expect(command).toMatch(/ --oidc-issuer-url=\S+ --oidc-client-id=kubernetes .*--account=bob@example\.com .*--prompt=select_account$/);
    const policy = await home.run([...deviceLogin(), "--acr-values=gold"]);
    expect(errorCode(policy)).toBe("POLICY_NOT_MET");
    expect(policy.stderr).toContain("hint: run the command again with --prompt=login, ");
  });
});
