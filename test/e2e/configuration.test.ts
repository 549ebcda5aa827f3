import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorCode, execInfo, runWithBrowser } from "./program.ts";
import { home, issuer, options, useStage } from "./stage.ts";

useStage();

describe("profiles and defaults", () => {
  it("come from the configuration file, weaker than flags and environment", async () => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(
      join(home.config, "config.yaml"),
      `defaults:\n  token-cache-storage: disk\n  skip-open-browser: true\n  listen-address: 127.0.0.1:0\nprofiles:\n  work:\n    oidc-issuer-url: ${issuer.url}\n    oidc-client-id: kubernetes\n    account: bob@example.com\n`,
    );
    const ended = await runWithBrowser(home, ["get-token", "--profile=work"], { KUBECTL_OIDC_ACCOUNT: "ann@example.com" });
    expect(ended.status, ended.stderr).toBe(0);
    expect(new URL(ended.url).searchParams.get("login_hint")).toBe("ann@example.com");
  });

  it.each([
    ["an unknown key", "colour: blue"],
    ["an unknown option", "defaults:\n  colour: blue"],
    ["a bad value", "defaults:\n  min-validity: soon"],
    ["no YAML", "a: ["],
    ["no map", "- a"],
  ])("%s is refused with 40", async (_, text) => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.config, "config.yaml"), text);
    const ended = await home.run(["get-token", ...options()]);
    expect(ended).toMatchObject({ status: 40, stdout: "" });
    expect(errorCode(ended)).toBe("SETTINGS_INVALID");
  });

  it.each([
    ["a key", "profile:\n  work: {}", "did you mean profiles?"],
    ["an option of defaults", "defaults:\n  issuer-url: https://id", "did you mean oidc-issuer-url?"],
    ["an option of a profile", "profiles:\n  work:\n    oidc_issuer_url: https://id", "did you mean oidc-issuer-url?"],
    ["an option below allow", "strict: true\nallow:\n  certificate-autority: [x]", "did you mean certificate-authority?"],
  ])("the name of %s that is nearest is said", async (_, text, near) => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.config, "config.yaml"), text);
    const ended = await home.run(["get-token", ...options()]);
    expect(ended).toMatchObject({ status: 40, stdout: "" });
    expect(ended.stderr).toContain(near);
    expect(ended.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(3);
  });

  it("a profile that no file has is refused with the nearest one", async () => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.config, "config.yaml"), "profiles:\n  production: {}\n  staging: {}\n");
    const ended = await home.run(["get-token", ...options(), "--profile=prodution"]);
    expect(ended).toMatchObject({ status: 40, stdout: "" });
    expect(ended.stderr).toContain("did you mean production?");
  });

  it("a file that others may write is refused", async () => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.config, "config.yaml"), "strict: false");
    chmodSync(join(home.config, "config.yaml"), 0o666);
    expect(errorCode(await home.run(["get-token", ...options()]))).toBe("STORE_UNSAFE");
  });

  it("strict demands cluster info and refuses what a kubeconfig could smuggle in", async () => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.config, "config.yaml"), "strict: true\nallow:\n  certificate-authority: [/etc/company.pem]\n");
    expect(errorCode(await home.run(["get-token", ...options()]))).toBe("SERVER_NOT_TRUSTED");
    const info = { KUBERNETES_EXEC_INFO: execInfo({ server: "https://k8s.example.com" }) };
    for (const arg of [
      "--browser-command=evil",
      "--token-cache-dir=/tmp/x",
      "--insecure-skip-tls-verify",
      "--certificate-authority=/tmp/ca.pem",
      "--allow-non-loopback",
      "--oidc-request-header=a=b",
      "--open-url-after-authentication=https://evil.example.com",
      "--token-cache-storage=helper:evil",
    ]) {
      const ended = await home.run(["get-token", ...options(), arg], info);
      expect(errorCode(ended), arg).toBe("SETTINGS_INVALID");
    }
    expect(errorCode(await home.run(["get-token", ...options()], { ...info, BROWSER: "evil" }))).toBe("SETTINGS_INVALID");
    expect((await runWithBrowser(home, ["get-token", ...options()], info)).status).toBe(0);
  });
});

describe("spec.cluster.config", () => {
  const local = ["--token-cache-storage=disk", "--listen-address=127.0.0.1:0", "--skip-open-browser"];
  const cluster = (config: object) => ({ KUBERNETES_EXEC_INFO: execInfo({ server: "https://k8s.example.com", config }) });

  it("says who and for what, weaker than flags and environment", async () => {
    const config = { "oidc-issuer-url": issuer.url, "oidc-client-id": "from-cluster", "oidc-extra-scope": ["email", "groups"], account: "bob@example.com" };
    const ended = await runWithBrowser(home, ["get-token", ...local, "--oidc-client-id=from-flag"], { ...cluster(config), KUBECTL_OIDC_ACCOUNT: "ann@example.com" });
    expect(ended.status, ended.stderr).toBe(0);
    expect(Object.fromEntries(new URL(ended.url).searchParams)).toMatchObject({
      client_id: "from-flag",
      login_hint: "ann@example.com",
      scope: "openid email groups offline_access",
    });
  });

  it("says which option it means with one that is none", async () => {
    const ended = await home.run(["get-token", ...options()], cluster({ oidcClientId: "x" }));
    expect(ended).toMatchObject({ status: 40, stdout: "" });
    expect(ended.stderr).toContain("did you mean oidc-client-id?");
  });

  it.each(["browser-command", "token-cache-dir", "insecure-skip-tls-verify", "oidc-client-secret", "listen-address", "nonsense"])("may not set %s [MK-06]", async (name) => {
    const ended = await home.run(["get-token", ...options()], cluster({ [name]: "x" }));
    expect(ended).toMatchObject({ status: 40, stdout: "" });
    expect(errorCode(ended)).toBe("SETTINGS_INVALID");
    expect(issuer.seen).toEqual([]);
  });
});

describe("with -v1", () => {
  const stanza = (args: readonly string[], env: object[] = []) =>
    writeFileSync(
      join(home.folder, "kubeconfig"),
      JSON.stringify({
        "current-context": "prod",
        clusters: [{ name: "prod", cluster: { server: "https://k8s.example.com" } }],
        contexts: [{ name: "prod", context: { cluster: "prod", user: "oidc" } }],
        users: [{ name: "oidc", user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "kubectl-oidc", args: ["get-token", ...args], env } } }],
      }),
    );
  const origins = (stderr: string) => stderr.split("\n").filter((line) => / = .*\(.*\)$/.test(line));

  it("every command says first, once, where each setting comes from, and no secret", async () => {
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.config, "config.yaml"), "defaults:\n  min-validity: 30s\nprofiles:\n  work:\n    max-age: 600\n");
    writeFileSync(join(home.folder, "secret"), "file-secret-value", { mode: 0o600 });
    stanza([...options(), "--profile=work", `--oidc-client-secret-file=${join(home.folder, "secret")}`], [{ name: "KUBECTL_OIDC_CREDENTIAL_TTL", value: "2m" }]);
    const env = { KUBECTL_OIDC_REQUEST_HEADER: "x-key=header-secret-value", KUBECTL_OIDC_ACCOUNTT: "ann" };
    const expected = [
      `kubectl-oidc: oidc-issuer-url = ${issuer.url} (context prod)`,
      "kubectl-oidc: oidc-client-id = kubernetes (context prod)",
      `kubectl-oidc: oidc-client-secret-file = ${join(home.folder, "secret")} (context prod)`,
      "kubectl-oidc: listen-address = 127.0.0.1:0 (context prod)",
      "kubectl-oidc: oidc-request-header = [redacted] (KUBECTL_OIDC_REQUEST_HEADER)",
      "kubectl-oidc: max-age = 600 (profile work)",
      "kubectl-oidc: skip-open-browser = true (context prod)",
      "kubectl-oidc: token-cache-storage = disk (context prod)",
      `kubectl-oidc: min-validity = 30s (${join(home.config, "config.yaml")})`,
      "kubectl-oidc: credential-ttl = 2m (KUBECTL_OIDC_CREDENTIAL_TTL in the env of context prod)",
      "kubectl-oidc: profile = work (context prod)",
    ];
    for (const command of [["token"], ["whoami"], ["trust", "list"], ["logout"]]) {
      const ended = await home.run([...command, "-v1"], env);
      expect(origins(ended.stderr), command[0]).toEqual(expected);
      expect(ended.stderr.split("\n")[0]).toMatch(/^kubectl-oidc: configuration file /);
      expect(ended.stderr).toContain("KUBECTL_OIDC_ACCOUNTT is no variable of this program; did you mean KUBECTL_OIDC_ACCOUNT?");
      expect(ended.stderr + ended.stdout).not.toMatch(/(file|header)-secret-value/);
      expect(origins((await home.run(command, env)).stderr)).toEqual([]);
    }
  });

  it("get-token says it on stderr at every call, a cached one too, and nothing without -v", async () => {
    const args = ["get-token", ...options("-v1")];
    const first = await runWithBrowser(home, args);
    const again = await home.run(args);
    for (const ended of [first, again]) {
      expect(ended.status, ended.stderr).toBe(0);
      expect(origins(ended.stderr)).toContain("kubectl-oidc: oidc-client-id = kubernetes (command line)");
      expect(JSON.parse(ended.stdout).kind).toBe("ExecCredential");
    }
    expect(await home.run(["get-token", ...options()])).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("a variable that nobody reads", () => {
  it("is said where a setting is missing, with the one that is meant; it breaks nothing else", async () => {
    const missing = await home.run(["token", "--oidc-client-id=kubernetes"], { KUBECTL_OIDC_ISSUERURL: issuer.url });
    expect(errorCode(missing)).toBe("SETTINGS_INCOMPLETE");
    expect(missing.stderr).toContain("did you mean KUBECTL_OIDC_ISSUER_URL?");
    const ended = await runWithBrowser(home, ["get-token", ...options()], { KUBECTL_OIDC_ISSUERURL: "x" });
    expect(ended.status, ended.stderr).toBe(0);
  });
});
