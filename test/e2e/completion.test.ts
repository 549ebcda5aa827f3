import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram } from "../programs.ts";
import { completionPath, errorCode, type Home, newHome, programPath } from "./program.ts";

let home: Home;
let env: Readonly<Record<string, string>>;
beforeAll(() => {
  home = newHome();
  const bin = join(home.folder, "bin");
  mkdirSync(bin);
  symlinkSync(programPath, join(bin, "kubectl-oidc"));
  symlinkSync(completionPath, join(bin, "kubectl_complete-oidc"));
  env = { ...home.env, PATH: `${bin}:${home.env["PATH"]}` };
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "kubectl-oidc",
    args: ["get-token", "--oidc-issuer-url=https://id.example.com", "--oidc-client-id=kubernetes"],
  };
  const names = ["prod", "$(touch pwned)", "two words"];
  writeFileSync(
    join(home.folder, "kubeconfig"),
    JSON.stringify({
      contexts: names.map((name) => ({ name, context: { cluster: "c", user: "u" } })),
      clusters: [{ name: "c", cluster: { server: "https://k8s" } }],
      users: [{ name: "u", user: { exec } }],
    }),
  );
});
afterAll(() => home.remove());

const run = (program: string, args: readonly string[]) => spawnSync(program, args, { env, cwd: home.folder, encoding: "utf8", timeout: 20_000 });

it("completion of no shell that we know is FLAG_INVALID", async () => {
  const ended = await home.run(["completion", "tcsh"]);
  expect(ended).toMatchObject({ status: 2, stdout: "" });
  expect(errorCode(ended)).toBe("FLAG_INVALID");
});

/** What bash would put in the place of the last word. */
const bash = (line: string) => {
  const script = `source <(kubectl-oidc completion bash); COMP_LINE=$1; COMP_POINT=\${#1}; _kubectl_oidc; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ended = run("bash", ["--norc", "-c", script, "bash", line]);
  expect(ended.stderr).toBe("");
  return ended.stdout.split("\n").filter(Boolean);
};

const bashPath = findProgram("bash");
describe.skipIf(bashPath === undefined)(`in bash${bashPath === undefined ? " (needs bash)" : ""}`, () => {
  it.each<[string, readonly string[]]>([
    ["kubectl-oidc lo", ["login", "logout"]],
    ["kubectl-oidc login --context ", ["prod"]],
    ["kubectl-oidc login --context=p", ["prod"]],
    ["kubectl-oidc login --oidc-issuer-url=https://", ["//id.example.com"]],
    ["kubectl-oidc login --oidc-issuer-url ", ["https://id.example.com"]],
    ["kubectl-oidc trust ", ["list", "add", "remove"]],
  ])("%s: %j", (line, expected) => expect(bash(line)).toEqual(expected));
});

const zshPath = findProgram("zsh");
describe.skipIf(zshPath === undefined)(`in zsh${zshPath === undefined ? " (needs zsh)" : ""}`, () => {
  it("the commands with what they do, and a context", () => {
    const ask = (words: string) => {
      const script = `_describe() { print -rl -- "\${(@P)2}"; }; _files() { print files; }; eval "$(kubectl-oidc completion zsh)"; words=(${words}); CURRENT=$#words; _kubectl_oidc`;
      return run("zsh", ["-f", "-c", script]).stdout.split("\n").filter(Boolean);
    };
    expect(ask("kubectl-oidc logi")).toEqual(["login:log in now and store the session"]);
    expect(ask("kubectl-oidc login --context ''")).toEqual(["prod"]);
    expect(ask("kubectl-oidc login --oidc-issuer-url ''")).toEqual(["https\\://id.example.com"]);
    expect(ask("kubectl-oidc login --kubeconfig ''")).toEqual(["files"]);
  });
});

const fishPath = findProgram("fish");
describe.skipIf(fishPath === undefined)(`in fish${fishPath === undefined ? " (needs fish)" : ""}`, () => {
  it("the commands with what they do, and a context", () => {
    const ask = (line: string) => run("fish", ["--no-config", "-c", "kubectl-oidc completion fish | source; complete -C $argv[1]", line]).stdout.split("\n").filter(Boolean);
    expect(ask("kubectl-oidc logi")).toEqual(["login\tlog in now and store the session"]);
    expect(ask("kubectl-oidc login --context ")).toEqual(["prod"]);
  });
});

const kubectlPath = findProgram("kubectl");
describe.skipIf(kubectlPath === undefined)(`through kubectl${kubectlPath === undefined ? " (needs kubectl)" : ""}`, () => {
  it("kubectl oidc is completed by kubectl_complete-oidc", () => {
    const ask = (...words: string[]) =>
      run("kubectl", ["__complete", "oidc", ...words])
        .stdout.split("\n")
        .filter(Boolean);
    expect(ask("log")).toEqual(["login\tlog in now and store the session", "logout\trevoke and delete the session", ":4"]);
    expect(ask("login", "--context", "")).toEqual(["prod", ":4"]);
  });
});
