import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { browse, credentialOf, errorCode, execInfo, openUrl, runWithBrowser } from "./program.ts";
import { home, issuer, options, useStage } from "./stage.ts";

function writeKubeconfig(args: readonly string[], more: { readonly command?: string; readonly server?: string; readonly env?: object[] } = {}): void {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: more.command ?? "kubectl-oidc",
    args: ["get-token", ...args],
    env: more.env ?? null,
    interactiveMode: "IfAvailable",
    provideClusterInfo: true,
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "prod",
    contexts: [
      { name: "prod", context: { cluster: "prod", user: "oidc" } },
      { name: "static", context: { cluster: "prod", user: "static" } },
    ],
    clusters: [{ name: "prod", cluster: { server: more.server ?? "https://k8s.example.com:6443" } }],
    users: [
      { name: "oidc", user: { exec } },
      { name: "static", user: { token: "not-a-secret" } },
    ],
  };
  writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify(config));
}

useStage();

describe("login", () => {
  it("says who, until when and where; stdout stays empty [LB-03]", async () => {
    const ended = await runWithBrowser(home, ["login", ...options()]);
    expect(ended).toMatchObject({ status: 0, stdout: "" });
    expect(ended.stderr).toContain(`logged in to ${issuer.url} as ann@example.com`);
    expect(ended.stderr).toMatch(/good until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/);
    expect(ended.stderr).toContain(join(home.data, "refresh"));
  });

  it("with -o json tells events, one a line", async () => {
    const started = home.start(["login", ...options(), "-o", "json"]);
    const [, url = ""] = await started.sees(openUrl);
    await browse(url);
    const { stdout, status } = await started.ended;
    expect(status).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { event: "url", url },
      { event: "done", issuer: issuer.url, subject: "user-1", account: "ann@example.com", expiresAt: expect.stringMatching(/Z$/), storage: "disk" },
    ]);
  });

  it("with -o json tells the device code as an event", async () => {
    const { stdout, status } = await home.run(["login", ...options("--grant-type=device-code"), "-o", "json"]);
    expect(status).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        event: "code",
        userCode: "WDJB-MJHT",
        verificationUri: `${issuer.url}/activate`,
        verificationUriComplete: `${issuer.url}/activate?user_code=WDJB-MJHT`,
        expiresAt: expect.stringMatching(/Z$/),
      },
      expect.objectContaining({ event: "done" }),
    ]);
  });

  it("with -o json an error is the last line of stderr and an event", async () => {
    issuer.play.discovery = () => ({ status: 404, body: "gone" });
    const ended = await home.run(["login", ...options(), "-o=json"]);
    expect(JSON.parse(ended.stderr.trim().split("\n").at(-1) ?? "")).toEqual({
      code: "DISCOVERY_INVALID",
      title: expect.any(String),
      detail: expect.any(String),
      hint: expect.any(String),
      exit: 30,
    });
    expect(JSON.parse(ended.stdout)).toEqual({ event: "error", code: "DISCOVERY_INVALID", exit: 30 });
    expect(ended.status).toBe(30);
  });

  it("logs in again although a token is cached", async () => {
    await runWithBrowser(home, ["login", ...options()]);
    const again = await runWithBrowser(home, ["login", ...options()]);
    expect(again.status).toBe(0);
  });

  it("reads the options from the context's exec stanza, a kubelogin one included, and needs none for the current context", async () => {
    writeKubeconfig(options("--v=1"), { command: "kubectl", env: [{ name: "KUBECTL_OIDC_ACCOUNT", value: "ann@example.com" }] });
    const config = JSON.parse(readFileSync(join(home.folder, "kubeconfig"), "utf8"));
    config.users[0].user.exec.args.unshift("oidc-login");
    writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify(config));
    for (const how of [["--context", "prod"], []]) {
      const ended = await runWithBrowser(home, ["login", ...how]);
      expect(ended.status, ended.stderr).toBe(0);
      expect(new URL(ended.url).searchParams.get("login_hint")).toBe("ann@example.com");
    }
  });

  it("binds the session to the context's API server: another one is refused, the same is served", async () => {
    writeKubeconfig(options());
    await runWithBrowser(home, ["login", "--context=prod"]);
    const same = await home.run(["get-token", ...options()], { KUBERNETES_EXEC_INFO: execInfo({ server: "https://k8s.example.com:6443" }) });
    expect(same.status, same.stderr).toBe(0);
    const other = await home.run(["get-token", ...options()], { KUBERNETES_EXEC_INFO: execInfo({ server: "https://evil.example.com" }) });
    expect(other).toMatchObject({ status: 40, stdout: "" });
    expect(errorCode(other)).toBe("SERVER_NOT_TRUSTED");
    expect((await home.run(["get-token", ...options()])).status).toBe(0);
  });

  it("names a context that is missing or has no OIDC user", async () => {
    writeKubeconfig(options());
    for (const context of ["nowhere", "static"]) {
      const ended = await home.run(["login", "--context", context]);
      expect(ended).toMatchObject({ status: 40, stdout: "" });
      expect(errorCode(ended)).toBe("CONTEXT_NOT_FOUND");
    }
    writeFileSync(join(home.folder, "kubeconfig"), "a: [");
    expect(errorCode(await home.run(["login", "--context", "prod"]))).toBe("KUBECONFIG_UNREADABLE");
  });

  it("is not affected by CI", async () => {
    const ended = await runWithBrowser(home, ["login", ...options()], { CI: "true" });
    expect(ended.status).toBe(0);
  });
});

describe("the hint of a call that needs a login", () => {
  it("names the context when exactly one has these arguments, else the options; never a secret", async () => {
    const args = options("--oidc-client-secret=s3cret", "--oidc-extra-scope=my groups");
    const alone = await home.run(["get-token", ...args, "--non-interactive"]);
    expect(alone.stderr).toMatch(/hint: run: kubectl oidc login --oidc-issuer-url=\S+ --oidc-client-id=kubernetes --oidc-extra-scope='my groups'/);
    expect(alone.stderr).not.toContain("s3cret");
    writeKubeconfig([...args, "--non-interactive"]);
    const named = await home.run(["get-token", ...args, "--non-interactive"]);
    expect(named.stderr).toContain("hint: run: kubectl oidc login --context=prod\n");
  });
});

describe("token", () => {
  it("prints the current token in every form, and never asks a person", async () => {
    const none = await home.run(["token", ...options()]);
    expect(none).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(none)).toBe("LOGIN_REQUIRED");
    expect(issuer.seen).toEqual([]);
    const { status } = credentialOf(await runWithBrowser(home, ["get-token", ...options()]));
    expect((await home.run(["token", ...options()])).stdout).toBe(`${status.token}\n`);
    expect((await home.run(["token", ...options(), "-o", "header"])).stdout).toBe(`Authorization: Bearer ${status.token}\n`);
    expect((await home.run(["token", ...options(), "-o", "env"])).stdout).toBe(`OIDC_TOKEN=${status.token}\n`);
    expect(JSON.parse((await home.run(["token", ...options(), "-o", "json"])).stdout)).toEqual({
      token: status.token,
      expiresAt: expect.stringMatching(/Z$/),
      issuer: issuer.url,
      subject: "user-1",
    });
  });

  it("is refreshed when needed", async () => {
    const first = credentialOf(await runWithBrowser(home, ["get-token", ...options()]));
    const later = await home.run(["token", ...options(), "--min-validity=10m", "--force-refresh"]);
    expect(later.status, later.stderr).toBe(0);
    expect(later.stdout.trim()).not.toBe(first.status.token);
  });
});

describe("logout", () => {
  it("revokes, then deletes everything of the session; the next call asks again [V-01, V-06, L-04, B-12]", async () => {
    await runWithBrowser(home, ["get-token", ...options()]);
    expect(issuer.live.size).toBe(1);
    const ended = await home.run(["logout", ...options()]);
    expect(ended).toMatchObject({ status: 0, stdout: "" });
    expect(issuer.live.size).toBe(0);
    for (const folder of ["sessions", "credentials", "refresh", "pauses"])
      expect(existsSync(join(home.data, folder)) ? readdirSync(join(home.data, folder)) : [], folder).toEqual([]);
    const next = await home.run(["get-token", ...options(), "--non-interactive"]);
    expect(errorCode(next)).toBe("LOGIN_REQUIRED");
  });

  it("deletes all the same when the issuer cannot revoke, and says so [V-03]", async () => {
    await runWithBrowser(home, ["get-token", ...options()]);
    issuer.play.revoke = { status: 500, body: "" };
    const ended = await home.run(["logout", ...options()]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("warning: the session could not be revoked");
    expect(readdirSync(join(home.data, "refresh"))).toEqual([]);
  });

  it("with nothing stored is no error", async () => {
    expect((await home.run(["logout", ...options()])).status).toBe(0);
    expect((await home.run(["logout", "--all"])).status).toBe(0);
  });

  it("keeps the list of trusted servers, and --all forgets it", async () => {
    writeKubeconfig(options());
    await runWithBrowser(home, ["login", "--context=prod"]);
    await home.run(["logout", "--context=prod"]);
    const evil = await home.run(["get-token", ...options()], { KUBERNETES_EXEC_INFO: execInfo({ server: "https://evil.example.com" }) });
    expect(errorCode(evil)).toBe("SERVER_NOT_TRUSTED");
    await runWithBrowser(home, ["login", "--context=prod"]);
    await home.run(["logout", "--all"]);
    expect(readdirSync(join(home.data, "refresh"))).toEqual([]);
    expect(issuer.live.size).toBe(0);
  });

  it("--sso sends client_id and logout_hint, never a token [L-01, L-02, L-04, RP-70]", async () => {
    await runWithBrowser(home, ["get-token", ...options()]);
    const ended = await home.run(["logout", "--sso", ...options()]);
    const [, url = ""] = /session here: (\S+)/.exec(ended.stderr) ?? [];
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({ client_id: "kubernetes", logout_hint: "ann@example.com" });
  });
});

describe("status", () => {
  it("shows every session with the contexts that use it, without a request", async () => {
    writeKubeconfig(options());
    await runWithBrowser(home, ["get-token", ...options()]);
    const before = issuer.seen.length;
    const json = await home.run(["status", "-o", "json"]);
    expect(JSON.parse(json.stdout)).toEqual({
      sessions: [
        {
          issuer: issuer.url,
          clientId: "kubernetes",
          account: "ann@example.com",
          subject: "user-1",
          scopes: [],
          storage: "disk",
          tokenExpiresAt: expect.stringMatching(/Z$/),
          hasRefreshToken: true,
          state: "active",
          contexts: ["prod"],
        },
      ],
    });
    const table = await home.run(["status"]);
    expect(table.stdout).toMatch(/^ISSUER\s+ACCOUNT\s+STATE/);
    expect(table.stdout).toContain("prod");
    expect(issuer.seen.length).toBe(before);
  });

  it("with nothing stored is no error", async () => {
    expect(await home.run(["status"])).toMatchObject({ status: 0, stdout: "" });
    expect(JSON.parse((await home.run(["status", "-o=json"])).stdout)).toEqual({ sessions: [] });
  });
});
