import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentName, optionTable } from "../../src/core/flag-table.ts";
import { type Ended, errorCode, execInfo, runWithBrowser } from "../e2e/program.ts";
import { home, issuer, options, session, useStage } from "../e2e/stage.ts";
import { harmIn, hostileTexts, named } from "../fakes/hostile-texts.ts";
import { expectHarmless, withoutNul, worst } from "./untrusted-stage.ts";

useStage();

/** A kubeconfig that is hostile in every name and value that a person may come to see. */
function writeKubeconfig(
  contexts: readonly { readonly name: string; readonly args: readonly string[]; readonly cluster?: object; readonly env?: Readonly<Record<string, string>> }[],
): void {
  writeFileSync(
    join(home.folder, "kubeconfig"),
    JSON.stringify({
      "current-context": contexts[0]?.name,
      contexts: contexts.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
      clusters: contexts.map(({ name, cluster }) => ({ name, cluster: { server: "https://k8s.example.com", ...cluster } })),
      users: contexts.map(({ name, args, env }) => ({
        name,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1",
            command: "kubectl-oidc",
            args: ["get-token", ...args],
            env: Object.entries(env ?? {}).map(([variable, value]) => ({ name: variable, value })),
          },
        },
      })),
    }),
  );
}

/** As `expectHarmless`, for an error that is one JSON object. */
function expectHarmlessOrJson({ stdout, stderr }: Ended): void {
  const last = stderr.trimEnd().split("\n").at(-1) ?? "";
  const isJson = last.startsWith("{");
  if (isJson) expect(JSON.parse(last)).toMatchObject({ code: expect.any(String) });
  expect(harmIn(last)).toEqual([]);
  expectHarmless({ stdout, stderr: isJson ? stderr.slice(0, stderr.lastIndexOf(last)) : stderr });
}

describe("a kubeconfig with terminal escapes, invisible and reversed text in", () => {
  it.each(worst)("the names of its contexts: %s [TE-01]", async (_, text) => {
    writeKubeconfig([{ name: text, args: options() }]);
    const login = await runWithBrowser(home, ["login", "-v8"]);
    expect(login.status, login.stderr).toBe(0);
    const all = [login];
    for (const args of [
      ["status"],
      ["status", "-o", "json"],
      ["trust", "list"],
      ["trust", "list", "-o", "json"],
      ["trust", "add", "https://k8s.example.com"],
      ["token", "--non-interactive"],
    ])
      all.push({ ...(await home.run(args)), page: "", url: "" });
    writeKubeconfig([{ name: text, args: ["--oidc-issuer-url=\u001b[2J"] }]);
    for (const args of [["login"], ["logout"], ["login", `--context=${text}\u009b`], ["login", "--context=nowhere\u202e", "-o", "json"]])
      all.push({ ...(await home.run(args)), page: "", url: "" });
    for (const ended of all) expectHarmlessOrJson(ended);
    const [, , json] = all;
    expect(JSON.parse(json?.stdout ?? "").sessions[0].contexts).toEqual([text]);
  });

  it.each(worst)("the options of its stanza: %s [TE-01]", async (what, text) => {
    for (const { name } of optionTable.filter(({ kind }) => kind === "text" || what !== "10 KB")) {
      const args = [...options().filter((arg) => !arg.startsWith(`--${name}=`)), `--${name}=${text}`, "--non-interactive"];
      writeKubeconfig([{ name: "prod", args }]);
      expectHarmlessOrJson(await home.run(["login", "-o", "json"]));
    }
  });

  it("its issuer and client: shown in ASCII, on one line, cut [TE-01, TE-02]", async () => {
    const ended = await home.run(["get-token", "--oidc-issuer-url=https://аррӏе.com/x", `--oidc-client-id=${"k".repeat(500)}`, "--token-cache-storage=disk", "--non-interactive"]);
    expect(ended.stderr).toContain("not logged in to https://xn--80ak6aa92e.com/x [LOGIN_REQUIRED]");
    for (const issuerUrl of [
      "https://u:p@id.example.com",
      "https://id.example.com/\u009b2J",
      "https://id.example.com/\u202egpj",
      "javascript:alert(1)",
      "file:///etc/passwd",
      "-flag",
    ]) {
      const refused = await home.run(["get-token", `--oidc-issuer-url=${issuerUrl}`, "--oidc-client-id=k"]);
      expect([errorCode(refused), refused.status, refused.stdout], issuerUrl).toEqual(["FLAG_INVALID", 2, ""]);
      expectHarmless(refused);
    }
  });

  it("options that nobody can see, so that two clients look like one [TE-01]", async () => {
    for (const text of ["kuber\u200bnetes", "\u202ekubernetes", "kubernetes\u00a0", "kuber\nnetes", "kubernetes\u{e0041}"]) {
      const ended = await home.run(["get-token", `--oidc-issuer-url=${issuer.url}`, `--oidc-client-id=${text}`, "--non-interactive"]);
      expect([errorCode(ended), ended.status]).toEqual(["FLAG_INVALID", 2]);
    }
    expect(issuer.seen).toEqual([]);
  });

  it.each(worst)("the exec info: %s [TE-01]", async (_, text) => {
    const cluster = (more: object) =>
      JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", spec: { cluster: { server: "https://k8s", ...more } } });
    for (const info of [
      text,
      JSON.stringify({ kind: text }),
      JSON.stringify({ kind: { toString: 1 } }),
      JSON.stringify({ apiVersion: text }),
      cluster({ server: text }),
      cluster({ server: `https://x.example.com/${text}`, "tls-server-name": text, "proxy-url": `http://u:p@proxy.example.com/${text}` }),
      cluster({ "proxy-url": text }),
      cluster({ config: { [text]: text } }),
      cluster({ config: { "oidc-client-id": [{ toString: 1 }] } }),
      execInfo({ server: "https://аррӏе.com", config: null }),
    ]) {
      const ended = await home.run(session("--non-interactive", "-v8"), { KUBERNETES_EXEC_INFO: info });
      expect(ended.stdout).toBe("");
      expect([20, 40], `${ended.stderr}${info}`).toContain(ended.status);
      expectHarmless(ended);
    }
  });
});

describe("an environment with terminal escapes, invisible and reversed text in", () => {
  it.each(worst)("its variables: %s [TE-01]", async (what, text) => {
    const folders = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "KUBECACHEDIR", "TMPDIR"];
    const names = [
      ...optionTable.filter(() => what !== "10 KB").map(({ name }) => environmentName(name)),
      ...folders,
      "KUBECONFIG",
      "KUBECTL_OIDC_CONFIG",
      "HTTP_PROXY",
      "NO_PROXY",
      "BROWSER",
      "SSL_CERT_FILE",
      "CI",
      "PATH",
    ];
    for (const name of names) {
      const value = folders.includes(name) ? join(home.folder, text.replaceAll("/", "_")) : text;
      const ended = await home.run(name === "KUBECONFIG" ? ["login"] : session("--non-interactive", "-v8"), { [name]: value, ...(name === "HTTP_PROXY" ? { NO_PROXY: "x" } : {}) });
      // With a home of 10 KB Node loads no package that asks for it.
      expect(name === "HOME" ? [1, 20] : [20, 30, 40, 50], `${name}: ${ended.stderr}`).toContain(ended.status);
      expectHarmless(ended);
    }
  });

  it("the path of a configuration file that others may write, and what is in one [TE-01]", async () => {
    const folder = join(home.folder, "'; touch pwned; '");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `$(touch pwned)\u001b[2J.yaml`);
    writeFileSync(file, "strict: true\n");
    chmodSync(file, 0o666);
    const open = await home.run(session(), { KUBECTL_OIDC_CONFIG: file });
    expect(errorCode(open)).toBe("STORE_UNSAFE");
    expect(open.stderr).toContain("run: chmod go-w FILE\n");
    expectHarmless(open);
    chmodSync(file, 0o600);
    for (const content of [withoutNul, `"\u202e": 1`, `defaults: {"\u009b": 1}`, `profiles: {"\\u001b[2J": {"\\u200b": 1}}`, `allow: {"\\u0007": {}}`]) {
      writeFileSync(file, content);
      const ended = await home.run(session(), { KUBECTL_OIDC_CONFIG: file });
      expect([errorCode(ended), ended.stdout]).toEqual(["SETTINGS_INVALID", ""]);
      expectHarmless(ended);
    }
  });

  it("a command line: unknown commands and flags, words and outputs [TE-01]", async () => {
    for (const [, text] of worst)
      for (const args of [
        [text],
        [`--${text}`],
        ["login", `--${text}=x`],
        ["login", text],
        ["login", "-o", text],
        ["trust", text],
        ["trust", "add", text],
        ["trust", "remove", text],
        ["help", text],
        ["get-token", `-v${text}`],
      ])
        expectHarmless(await home.run(args));
  });
});

describe("a command that a hint shows for pasting", () => {
  /** Runs what stands after `run: ` in a shell, with a kubectl that notes what it is asked. */
  function paste({ stderr }: Ended): { readonly asked: readonly string[]; readonly pwned: boolean } {
    const command = /hint: .*?run: (.*)/.exec(stderr)?.[1] ?? "";
    const bin = join(home.folder, "bin");
    mkdirSync(bin, { recursive: true });
    for (const name of ["kubectl", "chmod"]) writeFileSync(join(bin, name), `#!/bin/sh\nfor a in "$@"; do printf '%s\\n' "$a"; done\n`, { mode: 0o755 });
    const out = execFileSync("sh", ["-c", command], { cwd: home.folder, encoding: "utf8", env: { PATH: `${bin}:/usr/bin:/bin` }, stdio: ["ignore", "pipe", "ignore"] });
    return { asked: out.trimEnd().split("\n"), pwned: existsSync(join(home.folder, "pwned")) };
  }

  it.each(named(hostileTexts.map((text) => Buffer.from(text.replaceAll("\u0000", "")).toString())))(
    "runs kubectl oidc and nothing else, whatever the context, the account or the browser is called: %s [TE-01]",
    async (_, text) => {
      const account = [...options(), "--non-interactive", `--account=x${text}`, `--browser-command=x${text}`];
      writeKubeconfig([{ name: `x${text}`, args: account }]);
      for (const args of [
        ["get-token", ...account],
        ["token", `--context=x${text}`],
        ["token", ...account],
      ]) {
        const ended = await home.run(args);
        if (ended.status !== 20) continue;
        const { asked, pwned } = paste(ended);
        expect(pwned).toBe(false);
        expect(asked.slice(0, 2)).toEqual(["oidc", "login"]);
        // A word is the text itself, or a place for it.
        for (const word of asked.slice(2)) expect([`--context=x${text}`, "--context", "NAME", ...account]).toContain(word);
      }
    },
  );

  it("names the issuer of a discovery document only when that is a URL and one word", async () => {
    for (const [named, hint] of [
      ["https://other.example.com", "use --oidc-issuer-url=https://other.example.com"],
      ["https://x$(touch pwned).example.com", "set --oidc-issuer-url to exactly what the issuer calls itself"],
      ["https://x'; touch pwned #", "set --oidc-issuer-url to exactly what the issuer calls itself"],
    ]) {
      issuer.play.discovery = (proper) => ({ ...proper, issuer: named });
      const ended = await home.run(session());
      expect(errorCode(ended)).toMatch(/ISSUER_MISMATCH|DISCOVERY_INVALID/);
      if (errorCode(ended) === "ISSUER_MISMATCH") expect(ended.stderr).toContain(hint);
    }
  });
});
