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

  it.each(["browser-command", "token-cache-dir", "insecure-skip-tls-verify", "oidc-client-secret", "listen-address", "nonsense"])("may not set %s [MK-06]", async (name) => {
    const ended = await home.run(["get-token", ...options()], cluster({ [name]: "x" }));
    expect(ended).toMatchObject({ status: 40, stdout: "" });
    expect(errorCode(ended)).toBe("SETTINGS_INVALID");
    expect(issuer.seen).toEqual([]);
  });
});
