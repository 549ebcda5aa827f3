import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialOf, errorCode, programCommand, runWithBrowser } from "../e2e/program.ts";
import { ageToken, home, issuer, options, session, useStage } from "../e2e/stage.ts";
import { canMountHere } from "../programs.ts";
import { asUserAt, gaveNothing, logInAs, movedHome, real, toServer, writeConfig, writeKubeconfig } from "./poisoned-stage.ts";

useStage();

const evil = { server: "https://evil.example.com" };
/** The person has logged in for the company's server, and says strict. */
async function strictAfterLogin(more = ""): Promise<void> {
  writeKubeconfig(options(), { prod: real });
  await logInAs("prod");
  writeConfig(`strict: true\n${more}`);
  credentialOf(await home.run(session(), toServer(real)));
}

describe("strict", () => {
  it("gives nothing to a stanza without cluster info, nor to a program that sends no exec info [MK-02]", async () => {
    await strictAfterLogin();
    const before = issuer.count("/token");
    for (const env of [toServer(undefined), {}, { KUBERNETES_EXEC_INFO: "" }]) {
      const ended = await home.run(session(), env);
      expect([ended.status, errorCode(ended), gaveNothing(ended, before)]).toEqual([40, "SERVER_NOT_TRUSTED", true]);
    }
  });

  it("answers from no memo that was made before it was switched on", async () => {
    writeKubeconfig(options(), { prod: real });
    await logInAs("prod");
    for (const _ of [1, 2]) credentialOf(await home.run(session(), toServer(undefined)));
    writeConfig("strict: true\n");
    expect(errorCode(await home.run(session(), toServer(undefined)))).toBe("SERVER_NOT_TRUSTED");
  });

  it("refuses what a stanza could smuggle in, from its arguments and its env alike, and starts none of it [MK-04, TE-05]", async () => {
    await strictAfterLogin();
    const proof = join(home.folder, "ran");
    const before = issuer.count("/token");
    const cases: readonly (readonly [string, string])[] = [
      ["browser-command", `/bin/touch ${proof}`],
      ["token-cache-dir", join(home.folder, "elsewhere")],
      ["insecure-skip-tls-verify", "true"],
      ["certificate-authority", "/tmp/ca.pem"],
      ["certificate-authority-data", "AAAA"],
      ["allow-non-loopback", "true"],
      ["oidc-request-header", "a=b"],
      ["open-url-after-authentication", "https://evil.example.com"],
      ["token-cache-storage", "helper:evil"],
    ];
    for (const [name, value] of cases) {
      const variable = `KUBECTL_OIDC_${name
        .replace(/^oidc-/, "")
        .replaceAll("-", "_")
        .toUpperCase()}`;
      for (const [args, env] of [
        [[`--${name}=${value}`], {}],
        [[], { [variable]: value }],
      ] as const) {
        const base = name === "token-cache-storage" ? session().filter((arg) => !arg.startsWith("--token-cache-storage")) : session();
        const ended = await home.run([...base, ...args, "--force-refresh"], { ...toServer(real), ...env });
        expect([ended.status, errorCode(ended), gaveNothing(ended, before)], `${name} ${JSON.stringify(env)}`).toEqual([40, "SETTINGS_INVALID", true]);
      }
    }
    for (const env of [{ BROWSER: `/bin/touch ${proof}` }, { KUBECACHEDIR: join(home.folder, "elsewhere") }])
      expect(errorCode(await home.run(session(), { ...toServer(real), ...env }))).toBe("SETTINGS_INVALID");
    expect([existsSync(proof), existsSync(join(home.folder, "elsewhere"))]).toEqual([false, false]);
  });

  it("lets through what the file lists, value for value", async () => {
    await strictAfterLogin("allow:\n  oidc-request-header: [x-team=blue]\n");
    expect((await home.run(session("--oidc-request-header=x-team=blue"), toServer(real))).status).toBe(0);
    expect(errorCode(await home.run(session("--oidc-request-header=x-team=red"), toServer(real)))).toBe("SETTINGS_INVALID");
  });

  it("with issuers or clients in the list, takes no other from a kubeconfig [MK-01]", async () => {
    await strictAfterLogin(`allow:\n  oidc-issuer-url: ["${issuer.url}"]\n  oidc-client-id: [kubernetes]\n`);
    const before = issuer.seen.length;
    const client = session().map((arg) => arg.replace("=kubernetes", "=another"));
    for (const [args, env] of [
      [client, {}],
      [session().map((arg) => arg.replace(issuer.url, "https://phishing.example.com")), {}],
      [session().filter((arg) => !arg.startsWith("--oidc-client-id")), { KUBECTL_OIDC_CLIENT_ID: "another" }],
    ] as const) {
      const ended = await home.run(args, { ...toServer(real), ...env });
      expect([errorCode(ended), ended.stdout, issuer.seen.length], args.join(" ")).toEqual(["SETTINGS_INVALID", "", before]);
    }
    const fromCluster = await home.run(
      session().filter((arg) => !arg.startsWith("--oidc-client-id")),
      toServer({ ...real, config: { "oidc-client-id": "another" } }),
    );
    expect(errorCode(fromCluster)).toBe("SETTINGS_INVALID");
  });

  it("starts no login for a server that the other sessions of the client do not know: one scope more is another session [MK-01]", async () => {
    await strictAfterLogin();
    const before = issuer.count("/authorize");
    for (const more of ["--oidc-extra-scope=email", "--account=ann@example.com", "--acr-values=x", "--oidc-auth-request-extra-params=a=b"]) {
      const ended = await home.run(session(more), toServer(evil));
      expect([errorCode(ended), ended.stdout, issuer.count("/authorize")], more).toEqual(["SERVER_NOT_TRUSTED", "", before]);
    }
    // The same for a server that they know is a login like any other.
    expect((await runWithBrowser(home, session("--oidc-extra-scope=email"), toServer(real))).status).toBe(0);
  });

  it("without it, such a login is started, and says for whom: what holds only when hardened is said in SECURITY.md", async () => {
    writeKubeconfig(options(), { prod: real });
    await logInAs("prod");
    const ended = await runWithBrowser(home, session("--oidc-extra-scope=email"), toServer(evil));
    expect([ended.status, ended.stderr.split("\n")[0]]).toEqual([0, `kubectl-oidc: logging in to ${issuer.url} as client kubernetes for https://evil.example.com`]);
  });

  it("takes no account of roots that the environment adds, and says so at -v1 [MK-04]", async () => {
    await strictAfterLogin();
    ageToken();
    const env = { ...toServer(real), NODE_EXTRA_CA_CERTS: "/nonexistent.pem", SSL_CERT_FILE: "/nonexistent.pem" };
    const ended = await home.run(session("-v1"), env);
    expect(ended.status, ended.stderr).toBe(0);
    for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) expect(ended.stderr).toContain(`strict: ${name} does not count`);
  });

  it("KUBECTL_OIDC_CONFIG names no other file then", async () => {
    await strictAfterLogin();
    writeFileSync(join(home.folder, "other.yaml"), "strict: false\n");
    expect(errorCode(await home.run(session(), { ...toServer(undefined), KUBECTL_OIDC_CONFIG: join(home.folder, "other.yaml") }))).toBe("SERVER_NOT_TRUSTED");
  });
});

const mounts = canMountHere();
describe.skipIf(!mounts)(`strict in the person's real home${mounts ? "" : " (skipped: the user database can be replaced by root only)"}`, () => {
  it("holds when a stanza's env moves HOME and XDG_CONFIG_HOME past it, and what lies there does not speak for the person [ST-11, MK-04]", async () => {
    const folder = join(home.folder, "real-home");
    mkdirSync(join(folder, ".config", "kubectl-oidc"), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, ".config", "kubectl-oidc", "config.yaml"), "strict: true\n");
    const env = { ...movedHome(), CI: "true" };
    const args = [...programCommand, ...session()];
    expect(asUserAt(folder, args, { ...env, ...toServer(undefined) }).stderr).toContain("SERVER_NOT_TRUSTED");
    // Ours by owner and mode, and out of somebody's archive.
    const planted = join(env.XDG_CONFIG_HOME, "kubectl-oidc");
    mkdirSync(planted, { mode: 0o700 });
    writeFileSync(join(planted, "config.yaml"), "strict: false\nallow:\n  browser-command: [evil]\ndefaults:\n  browser-command: evil\n");
    expect(asUserAt(folder, args, { ...env, ...toServer(real) }).stderr).toContain("--browser-command");
    // Elsewhere it is the person's own file.
    expect(asUserAt(env.HOME, args, { ...env, ...toServer(real) }).stderr).toContain("LOGIN_REQUIRED");
  });
});
