import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ScriptedIssuer, startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { credentialOf, errorCode, execInfo, type Home, newHome, runWithBrowser } from "./program.ts";

let home: Home;
let issuer: ScriptedIssuer;
beforeAll(async () => {
  home = newHome();
  issuer = await startScriptedIssuer();
});
afterAll(async () => {
  home.remove();
  await issuer.stop();
});
const session = (...more: string[]) => [
  "get-token",
  `--oidc-issuer-url=${issuer.url}`,
  "--oidc-client-id=kubernetes",
  "--token-cache-storage=disk",
  "--listen-address=127.0.0.1:0",
  "--skip-open-browser",
  ...more,
];

/** A command line or environment, the code and the status that it must end with. */
const cases: readonly [string, readonly string[], Readonly<Record<string, string>>, string, number][] = [
  ["an unknown flag", ["--nonsense"], {}, "FLAG_INVALID", 2],
  ["a flag without its value", ["--account"], {}, "FLAG_INVALID", 2],
  ["PKCE switched off", ["--oidc-pkce-method=no"], {}, "FLAG_INVALID", 2],
  ["an issuer without TLS", ["--oidc-issuer-url=http://id.example.com"], {}, "FLAG_INVALID", 2],
  ["a listener for everybody", ["--listen-address=0.0.0.0:8000"], {}, "FLAG_INVALID", 2],
  ["half a certificate pair", ["--local-server-cert=/x"], {}, "FLAG_CONFLICT", 2],
  ["a bad variable", [], { KUBECTL_OIDC_MIN_VALIDITY: "soon" }, "SETTINGS_INVALID", 40],
  ["a variable file that is missing", [], { KUBECTL_OIDC_CONFIG: "/nowhere/config.yaml" }, "SETTINGS_INVALID", 40],
  ["a profile that nobody wrote", ["--profile=nowhere"], {}, "SETTINGS_INVALID", 40],
  ["a client secret that is not there", ["--oidc-client-secret-file=/nowhere"], {}, "SETTINGS_INVALID", 40],
  ["a client secret that is a device", ["--oidc-client-secret-file=/dev/zero"], {}, "SETTINGS_INVALID", 40],
  ["an authority that is not there", ["--certificate-authority=/nowhere/ca.pem"], {}, "SETTINGS_INVALID", 40],
  ["an authority's data that are none", ["--certificate-authority-data=AAAA"], {}, "FLAG_INVALID", 2],
  ["an authority's data that are none, in a variable", [], { KUBECTL_OIDC_CERTIFICATE_AUTHORITY_DATA: "AAAA" }, "SETTINGS_INVALID", 40],
  ["exec info that is no JSON", [], { KUBERNETES_EXEC_INFO: "{" }, "EXEC_INFO_INVALID", 40],
  ["an API version of the future", [], { KUBERNETES_EXEC_INFO: execInfo({ apiVersion: "client.authentication.k8s.io/v2" }) }, "API_VERSION_UNSUPPORTED", 40],
  ["a cluster that sets what it may not", [], { KUBERNETES_EXEC_INFO: execInfo({ server: "https://k8s", config: { "browser-command": "evil" } }) }, "SETTINGS_INVALID", 40],
  ["a cluster whose config is no object", [], { KUBERNETES_EXEC_INFO: execInfo({ server: "https://k8s", config: "x" }) }, "SETTINGS_INVALID", 40],
  ["certificate checks switched off", [], { NODE_TLS_REJECT_UNAUTHORIZED: "0" }, "ENVIRONMENT_UNSAFE", 50],
  ["a proxy that is none", ["--oidc-issuer-url=https://id.invalid"], { HTTPS_PROXY: "socks5://x" }, "SETTINGS_INVALID", 40],
  ["an issuer that is not there", ["--oidc-issuer-url=https://id.invalid"], {}, "ISSUER_UNREACHABLE", 30],
  ["a closed port", ["--oidc-issuer-url=http://127.0.0.1:1"], {}, "ISSUER_UNREACHABLE", 30],
  ["certificate files for HTTPS that are none", ["--local-server-cert=/nowhere", "--local-server-key=/nowhere"], {}, "SETTINGS_INVALID", 40],
];

describe("bad input has its own code, status and cure", () => {
  it.each(cases)("%s", async (_, args, env, code, status) => {
    const ended = await home.run(session(...args), env);
    expect(ended.stdout).toBe("");
    expect(errorCode(ended), ended.stderr).toBe(code);
    expect(ended.status).toBe(status);
    expect(ended.stderr).toMatch(/\nkubectl-oidc: hint: \S/);
    expect(
      ended.stderr
        .trim()
        .split("\n")
        .filter((line) => !line.includes("warning")).length,
    ).toBeLessThanOrEqual(3);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });

  it("an error stays three lines, whatever else is wrong: no keychain, no store", async () => {
    const args = session("--oidc-issuer-url=http://127.0.0.1:1", "--token-cache-storage=keyring", "--token-cache-dir=/proc/nowhere");
    const ended = await home.run(args);
    expect(errorCode(ended)).toBe("ISSUER_UNREACHABLE");
    expect(ended.stderr.trim().split("\n").length).toBe(3);
  });

  it("a missing issuer and an unknown command", async () => {
    expect(errorCode(await home.run(["get-token"]))).toBe("SETTINGS_INCOMPLETE");
    expect(await home.run(["nonsense"])).toMatchObject({ status: 2, stdout: "" });
  });

  it("two accounts in one session's place are named, not guessed", async () => {
    for (const account of ["ann@example.com", "bob@example.com"]) {
      issuer.play.claims = (proper) => ({ ...proper, sub: account, email: account });
      await runWithBrowser(home, session(`--account=${account}`));
    }
    delete issuer.play.claims;
    const ended = await home.run(session());
    expect(errorCode(ended)).toBe("SETTINGS_INCOMPLETE");
    expect(ended.stderr).toContain("ann@example.com, bob@example.com");
    expect((await home.run(session("--account=ann@example.com"))).status).toBe(0);
    await home.run(["logout", "--all"]);
  });

  it("a stored file that others can read, or that is damaged, is named or healed, and nothing else is lost", async () => {
    const first = credentialOf(await runWithBrowser(home, session()));
    const credentials = join(home.data, "credentials");
    const file = join(credentials, readdirSync(credentials)[0] ?? "");
    chmodSync(file, 0o644);
    const unsafe = await home.run(session("--non-interactive"));
    expect(unsafe).toMatchObject({ status: 50, stdout: "" });
    expect(errorCode(unsafe)).toBe("STORE_UNSAFE");
    chmodSync(file, 0o600);
    writeFileSync(file, "{", { mode: 0o600 });
    const healed = await home.run(session("--non-interactive"));
    expect(healed.status, healed.stderr).toBe(0);
    expect(credentialOf(healed).status.token).not.toBe(first.status.token);
    const record = join(home.data, "sessions", readdirSync(join(home.data, "sessions"))[0] ?? "");
    chmodSync(record, 0o666);
    // Another line of options, so that the judged answer of the cache does not stand in for the look at the record.
    const refused = await home.run(session("--non-interactive", "--min-validity=61s"));
    expect(refused).toMatchObject({ status: 50, stdout: "" });
    expect(errorCode(refused)).toBe("STORE_UNSAFE");
    chmodSync(record, 0o600);
    expect((await home.run(session("--non-interactive"))).status).toBe(0);
  });

  it("a home of somebody else's making, with links in it, is refused", async () => {
    const other = newHome();
    try {
      mkdirSync(other.data, { recursive: true });
      chmodSync(other.data, 0o777);
      const ended = await other.run(session("--non-interactive"));
      expect(ended.status).not.toBe(0);
      expect(ended.stdout).toBe("");
    } finally {
      other.remove();
    }
  });
});
