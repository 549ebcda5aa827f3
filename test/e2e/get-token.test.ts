import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { browse, credentialOf, errorCode, execInfo, openUrl, runWithBrowser } from "./program.ts";
import { home, issuer, session, useStage } from "./stage.ts";

useStage();

describe("get-token", () => {
  it("logs in by browser, then answers from the cache without any request, then refreshes with one request [RT-07]", async () => {
    const first = await runWithBrowser(home, session());
    expect(first.status, first.stderr).toBe(0);
    const credential = credentialOf(first);
    expect(credential).toMatchObject({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" });
    expect(Date.parse(credential.status.expirationTimestamp) - Date.now()).toBeGreaterThan(9_000);
    expect(first.page).toContain("ann@example.com");

    const before = issuer.seen.length;
    const second = await home.run(session());
    expect(second).toMatchObject({ status: 0, stderr: "" });
    expect(credentialOf(second).status.token).toBe(credential.status.token);
    expect(issuer.seen.length).toBe(before);

    const third = await home.run(session("--force-refresh"));
    expect(third).toMatchObject({ status: 0, stderr: "" });
    expect(issuer.seen.slice(before).map(({ path }) => path)).toEqual(["/token"]);
    expect(credentialOf(third).status.token).not.toBe(credential.status.token);
  });

  it("sends PKCE S256, state and nonce, and the redirect URI exactly as registered", async () => {
    const first = await runWithBrowser(home, session());
    const asked = new URL(first.url).searchParams;
    expect(asked.get("code_challenge_method")).toBe("S256");
    expect(asked.get("code_challenge")).toMatch(/^[\w-]{43}$/);
    expect(asked.get("state")).toMatch(/^[\w-]{43}$/);
    expect(asked.get("nonce")).toMatch(/^[\w-]{43}$/);
    expect(asked.get("redirect_uri")).toMatch(/^http:\/\/localhost:\d+$/);
    expect(asked.get("scope")).toBe("openid offline_access");
    const exchange = issuer.seen.find(({ path }) => path === "/token");
    expect(exchange?.form["redirect_uri"]).toBe(asked.get("redirect_uri"));
  });

  it("answers in the API version that is asked for, and refuses an unknown one before any login", async () => {
    const beta = await runWithBrowser(home, session(), { KUBERNETES_EXEC_INFO: execInfo({ apiVersion: "client.authentication.k8s.io/v1beta1" }) });
    expect(credentialOf(beta).apiVersion).toBe("client.authentication.k8s.io/v1beta1");
    const before = issuer.seen.length;
    const alpha = await home.run(session(), { KUBERNETES_EXEC_INFO: execInfo({ apiVersion: "client.authentication.k8s.io/v1alpha1" }) });
    expect(alpha).toMatchObject({ status: 40, stdout: "" });
    expect(errorCode(alpha)).toBe("API_VERSION_UNSUPPORTED");
    expect(issuer.seen.length).toBe(before);
  });

  it("keeps everything in 0600 files in 0700 folders", async () => {
    await runWithBrowser(home, session());
    const files = readdirSync(home.data, { recursive: true, withFileTypes: true });
    expect(files.length).toBeGreaterThan(4);
    for (const entry of files) expect(statSync(join(entry.parentPath, entry.name)).mode & 0o777, entry.name).toBe(entry.isDirectory() ? 0o700 : 0o600);
  });

  it("without a person says how to log in, in three lines at most, before any request", async () => {
    const refused = await home.run(session("--non-interactive"));
    expect(refused).toMatchObject({ status: 20, stdout: "" });
    expect(refused.stderr.trim().split("\n").length).toBeLessThanOrEqual(3);
    expect(refused.stderr).toContain(`[LOGIN_REQUIRED]\nkubectl-oidc: hint: run: kubectl oidc login --oidc-issuer-url=${issuer.url} --oidc-client-id=kubernetes`);
    expect(issuer.seen).toEqual([]);
    const inCi = await home.run(session(), { CI: "true" });
    expect(errorCode(inCi)).toBe("LOGIN_REQUIRED");
  });

  it("prints the credential although nothing can be stored", async () => {
    const started = await runWithBrowser(home, session("--token-cache-dir=/proc/nowhere"));
    expect(started.status, started.stderr).toBe(0);
    expect(credentialOf(started).status.token).toMatch(/^ey/);
    expect(started.stderr).toContain("STORE_UNWRITABLE");
  });

  it("stores nothing with storage none, and still hands the credential out", async () => {
    const args = session("--token-cache-storage=none");
    const first = await runWithBrowser(home, args);
    expect(credentialOf(first).status.token).toMatch(/^ey/);
    expect(new URL(first.url).searchParams.get("scope")).toBe("openid");
    const second = home.start(args);
    await second.sees(openUrl);
    second.child.kill("SIGINT");
    expect(await second.ended).toMatchObject({ status: 130, stdout: "" });
  });

  it("Ctrl-C while a person thinks ends at once with 130 and an empty stdout", async () => {
    const started = home.start(session());
    await started.sees(openUrl);
    started.child.kill("SIGINT");
    const ended = await started.ended;
    expect(ended).toMatchObject({ status: 130, stdout: "" });
    expect(errorCode(ended)).toBe("INTERRUPTED");
  });

  it("after a login that failed, no browser opens for a while; a typed login starts at once", async () => {
    issuer.play.authorize = (query) => new URLSearchParams({ error: "access_denied", error_description: "no\u001b[2J thanks", state: query.get("state") ?? "", iss: issuer.url });
    const denied = await runWithBrowser(home, session());
    expect(denied).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(denied)).toBe("LOGIN_DENIED");
    expect(denied.page).toContain("LOGIN_DENIED");
    expect(denied.stderr).not.toContain("\u001b");
    const paused = await home.run(session());
    expect(errorCode(paused)).toBe("LOGIN_PAUSED");
    delete issuer.play.authorize;
    const login = await runWithBrowser(home, ["login", ...session().slice(1)]);
    expect(login.status, login.stderr).toBe(0);
    expect((await home.run(session())).status).toBe(0);
  });

  it("a session that the issuer refuses means log in again; a fault of the issuer does not", async () => {
    issuer.play.life = 20;
    await runWithBrowser(home, session());
    issuer.play.token = () => ({ status: 503, body: "down" });
    const down = await home.run(session("--force-refresh", "--non-interactive"));
    expect(down.status, down.stderr).toBe(0);
    issuer.play.token = () => ({ status: 400, body: { error: "invalid_grant" } });
    const revoked = await home.run(session("--force-refresh", "--non-interactive"));
    expect(errorCode(revoked)).toBe("SESSION_REVOKED");
    expect(revoked.stdout).toBe("");
  });

  it("asked for help, prints nothing on stdout: kubectl would take it for a credential", async () => {
    expect(await home.run(["get-token", "--help"])).toMatchObject({ status: 0, stdout: "", stderr: expect.stringContaining("Usage:") });
    expect(await home.run(["help", "get-token"])).toMatchObject({ status: 0, stdout: expect.stringContaining("Usage:"), stderr: "" });
  });

  it("the tokens are stored when the browser gets its page [LB-16]", async () => {
    const started = home.start(session());
    const [, url = ""] = await started.sees(openUrl);
    const { page } = await browse(url);
    expect(page).toContain("Logged in");
    expect(readdirSync(join(home.data, "refresh")).length).toBe(1);
    // Beside it may lie the next state of the same file, before its rename.
    expect(readdirSync(join(home.data, "credentials")).filter((name) => name.endsWith(".json")).length).toBe(1);
    await started.ended;
  });

  it("a hundred kilobytes of token go through a pipe whole", async () => {
    issuer.play.claims = (proper) => ({ ...proper, groups: Array.from({ length: 6_000 }, (_, i) => `group-${i}`) });
    const first = await runWithBrowser(home, session());
    expect(credentialOf(first).status.token.length).toBeGreaterThan(90_000);
    expect(credentialOf(await home.run(session())).status.token).toBe(credentialOf(first).status.token);
  });
});
