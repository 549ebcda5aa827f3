import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { browse, credentialOf, errorCode, openUrl, runWithBrowser } from "./program.ts";
import { home, issuer, session, useStage } from "./stage.ts";

const tokenRequests = () => issuer.seen.filter(({ path }) => path === "/token");

useStage();

describe("the browser flow", () => {
  it("keeps the path of the redirect URL, and sends exactly it", async () => {
    const ended = await runWithBrowser(home, session("--oidc-redirect-url=http://localhost:0/callback"));
    expect(ended.status, ended.stderr).toBe(0);
    expect(tokenRequests()[0]?.form["redirect_uri"]).toMatch(/^http:\/\/localhost:\d+\/callback$/);
  });

  it("shows the chosen page at the end", async () => {
    const started = home.start(session("--open-url-after-authentication=https://example.com/done"));
    const [, url = ""] = await started.sees(openUrl);
    const redirect = await fetch((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "", { redirect: "manual" });
    expect(redirect.status).toBe(302);
    expect(redirect.headers.get("location")).toBe("https://example.com/done");
    expect((await started.ended).status).toBe(0);
  });

  it("answers a foreign request without ending the wait [LB-02]", async () => {
    const started = home.start(session());
    const [, url = ""] = await started.sees(openUrl);
    const redirectUri = new URL(url).searchParams.get("redirect_uri") ?? "";
    expect((await fetch(`${redirectUri}/?code=stolen&state=guess`)).status).toBe(400);
    expect((await fetch(`${redirectUri}/favicon.ico`)).status).toBe(404);
    expect((await fetch(redirectUri, { method: "POST" })).status).toBe(405);
    await browse(url);
    expect((await started.ended).status).toBe(0);
  });

  it("tries the second address when the first is taken, on either family [LB-04, LB-05]", async () => {
    const taken = createServer();
    // On ::1 only, where this machine has it: nothing on 127.0.0.1 says that the port is taken.
    await new Promise<void>((resolve) => {
      taken.once("error", () => taken.listen(0, "127.0.0.1", resolve));
      taken.listen(0, "::1", resolve);
    });
    const { port } = taken.address() as { port: number };
    try {
      const ended = await runWithBrowser(
        home,
        session().map((arg) => (arg.startsWith("--listen-address") ? `--listen-address=127.0.0.1:${port},127.0.0.1:0` : arg)),
      );
      expect(ended.status, ended.stderr).toBe(0);
      expect(new URL(ended.url).searchParams.get("redirect_uri")).not.toContain(String(port));
      const refused = await home.run(
        session("--force-refresh", `--token-cache-dir=${home.folder}/other`).map((arg) => (arg.startsWith("--listen-address") ? `--listen-address=127.0.0.1:${port}` : arg)),
      );
      expect(refused).toMatchObject({ status: 50, stdout: "" });
      expect(errorCode(refused)).toBe("PORTS_IN_USE");
      // A fault before the browser opened starts no pause (M5).
      const again = await home.run(
        session("--force-refresh", `--token-cache-dir=${home.folder}/other`).map((arg) => (arg.startsWith("--listen-address") ? `--listen-address=127.0.0.1:${port}` : arg)),
      );
      expect(errorCode(again)).toBe("PORTS_IN_USE");
    } finally {
      taken.close();
    }
  });

  it("starts the browser command without a shell, with the URL as one argument and none of our pipes", async () => {
    const log = join(home.folder, "browser.log");
    const script = join(home.folder, "my browser.mjs");
    writeFileSync(
      script,
      `import { appendFileSync, fstatSync } from "node:fs";
       const pipes = [0, 1, 2].map((fd) => { try { return fstatSync(fd).isFIFO() || fstatSync(fd).isSocket(); } catch { return false; } });
       appendFileSync(${JSON.stringify(log)}, JSON.stringify({ args: process.argv.length, pipes, secret: Object.keys(process.env).filter((name) => name.startsWith("KUBECTL_OIDC_")) }) + "\\n");
       const redirect = await fetch(process.argv[2], { redirect: "manual" });
       await fetch(redirect.headers.get("location"));
       setTimeout(() => {}, 60_000);`,
    );
    const args = session(`--browser-command='${process.execPath}' '${script}'`).filter((arg) => arg !== "--skip-open-browser");
    const ended = await home.run(args, { KUBECTL_OIDC_PASSWORD: "never-for-children" });
    expect(ended.status, ended.stderr).toBe(0);
    expect(JSON.parse(readFileSync(log, "utf8"))).toEqual({ args: 3, pipes: [false, false, false], secret: [] });
  });

  it("without a browser and without device support says BROWSER_UNAVAILABLE", async () => {
    issuer.play.discovery = ({ device_authorization_endpoint: _, ...rest }) => rest;
    const ended = await home.run(session().filter((arg) => arg !== "--skip-open-browser"));
    expect(ended).toMatchObject({ status: 50, stdout: "" });
    expect(errorCode(ended)).toBe("BROWSER_UNAVAILABLE");
  });

  it("asks once more without offline_access when the issuer refuses it, and remembers that", async () => {
    issuer.play.authorize = (query, proper) =>
      query.get("scope")?.includes("offline_access") ? new URLSearchParams({ error: "invalid_scope", state: query.get("state") ?? "", iss: issuer.url }) : proper;
    issuer.play.refreshTokens = false;
    const started = home.start(session());
    const [, first = ""] = await started.sees(openUrl);
    await browse(first);
    const [, second = ""] = await started.sees(/without it[\s\S]*open this URL in your browser: (\S+)/);
    await browse(second);
    const ended = await started.ended;
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("no refresh token");
    const later = await runWithBrowser(home, session("--force-refresh"));
    expect(new URL(later.url).searchParams.get("scope")).toBe("openid");
  });

  it("counts a login that was tried twice, with and without offline_access, as one failure", async () => {
    issuer.play.authorize = (query) =>
      new URLSearchParams({ error: query.get("scope")?.includes("offline_access") ? "invalid_scope" : "access_denied", state: query.get("state") ?? "", iss: issuer.url });
    const started = home.start(session());
    const [, first = ""] = await started.sees(openUrl);
    await browse(first);
    const [, second = ""] = await started.sees(/without it[\s\S]*open this URL in your browser: (\S+)/);
    await browse(second);
    expect(errorCode(await started.ended)).toBe("LOGIN_DENIED");
    const pauses = join(home.data, "pauses");
    expect(JSON.parse(readFileSync(join(pauses, readdirSync(pauses)[0] ?? ""), "utf8"))).toMatchObject({ failures: 1, code: "LOGIN_DENIED" });
  });

  it("asks for extra scopes, sends extra parameters and the account, and headers to the issuer", async () => {
    const ended = await runWithBrowser(
      home,
      session(
        "--oidc-extra-scope=email,groups",
        "--oidc-auth-request-extra-params=tenant=t1,hd=example.com",
        "--account=ann@example.com",
        "--oidc-request-header=x-gate=open",
        "--max-age=3600",
      ),
    );
    const asked = new URL(ended.url).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      scope: "openid email groups offline_access",
      tenant: "t1",
      hd: "example.com",
      login_hint: "ann@example.com",
      max_age: "3600",
    });
    expect(issuer.seen.filter(({ path }) => path === "/token" || path.startsWith("/.well-known")).every(({ headers }) => headers["x-gate"] === "open")).toBe(true);
    // The issuer sent no auth_time: --max-age is verified, not only asked for.
    expect(ended).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(ended)).toBe("POLICY_NOT_MET");
  });

  it.each(["auto", "device-code"])("verifies --max-age and --acr-values at login (%s)", async (grant) => {
    const log = (...more: string[]) => (grant === "auto" ? runWithBrowser(home, session(...more)) : home.run(session("--grant-type=device-code", ...more)));
    const now = Math.floor(Date.now() / 1000);
    issuer.play.claims = (proper) => ({ ...proper, auth_time: now - 600, acr: "pwd" });
    expect(errorCode(await log("--max-age=60", "--authentication-timeout-sec=10"))).toBe("POLICY_NOT_MET");
    expect(errorCode(await log("--acr-values=mfa", "--authentication-timeout-sec=10"))).toBe("POLICY_NOT_MET");
    issuer.play.claims = (proper) => ({ ...proper, auth_time: Math.floor(Date.now() / 1000), acr: "mfa" });
    // A typed login is not held by the pause that the refusals began.
    const login = ["login", ...session("--max-age=60", "--acr-values=mfa", `--grant-type=${grant}`).slice(1)];
    const good = await (grant === "auto" ? runWithBrowser(home, login) : home.run(login));
    expect(good.status, good.stderr).toBe(0);
  });

  it("refuses another account than the one asked for [LB-03]", async () => {
    const ended = await runWithBrowser(home, session("--account=bob@example.com"));
    expect(ended).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(ended)).toBe("ACCOUNT_MISMATCH");
    expect(ended.page).toContain("ACCOUNT_MISMATCH");
  });

  it("hands out the access token when asked to", async () => {
    issuer.play.claims = (proper) => ({ ...proper, nonce: proper["nonce"] });
    const ended = await runWithBrowser(home, session("--oidc-use-access-token"));
    expect(credentialOf(ended).status.token).toMatch(/^ey/);
  });

  it("reads a client secret from a file and never shows it", async () => {
    const file = join(home.folder, "secret");
    writeFileSync(file, "s3cret-of-client\n", { mode: 0o600 });
    const ended = await runWithBrowser(home, session(`--oidc-client-secret-file=${file}`, "-v8"));
    expect(ended.status, ended.stderr).toBe(0);
    const credentials = Buffer.from((tokenRequests()[0]?.headers.authorization ?? "").replace("Basic ", ""), "base64").toString();
    // RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
    expect(credentials.split(":").map(decodeURIComponent)).toEqual(["kubernetes", "s3cret-of-client"]);
    expect(ended.stderr).not.toMatch(/s3cret|Basic /);
  });
});

describe("the device flow", () => {
  const device = (...more: string[]) => session("--grant-type=device-code", ...more);

  it("shows code and URL, sends PKCE along, and waits while it is pending", async () => {
    issuer.play.polls = [{ status: 400, body: { error: "authorization_pending" } }];
    const ended = await home.run(device());
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("WDJB-MJHT");
    expect(ended.stderr).toContain(`${issuer.url}/activate`);
    const asked = issuer.seen.find(({ path }) => path === "/device");
    expect(asked?.form["code_challenge_method"]).toBe("S256");
    expect(tokenRequests().at(-1)?.form["code_verifier"]).toMatch(/^[\w-]{43}$/);
  });

  it("survives a network fault between polls", async () => {
    issuer.play.polls = ["reset"];
    const ended = await home.run(device());
    expect(ended.status, ended.stderr).toBe(0);
  });

  it.each([
    ["expired_token", "DEVICE_CODE_EXPIRED"],
    ["access_denied", "LOGIN_DENIED"],
  ])("%s ends it with %s", async (error, code) => {
    issuer.play.polls = [{ status: 400, body: { error } }];
    const ended = await home.run(device());
    expect(ended).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(ended)).toBe(code);
  });

  it("refuses a verification URL that is no web address", async () => {
    issuer.play.device = (proper) => ({ ...proper, verification_uri: "javascript:alert(1)" });
    const ended = await home.run(device());
    expect(errorCode(ended)).toBe("DISCOVERY_INVALID");
    expect(ended.stderr).not.toContain("javascript:");
  });

  it("shows a QR code on request", async () => {
    const ended = await home.run(device("--qr"));
    expect(ended.stderr).toMatch(/[█▀▄]{5}/);
  });

  it("is chosen when no browser can be reached [LB-18]", async () => {
    const ended = await home.run(session().filter((arg) => arg !== "--skip-open-browser"));
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("WDJB-MJHT");
  });

  it("an issuer without it is GRANT_UNSUPPORTED", async () => {
    issuer.play.discovery = ({ device_authorization_endpoint: _, ...rest }) => rest;
    expect(errorCode(await home.run(device()))).toBe("GRANT_UNSUPPORTED");
  });
});

describe("grants without a person", () => {
  it("client-credentials works without a terminal and in CI, again and again from the cache", async () => {
    const file = join(home.folder, "secret");
    writeFileSync(file, "s3cret", { mode: 0o600 });
    issuer.play.refreshTokens = false;
    const args = session("--grant-type=client-credentials", `--oidc-client-secret-file=${file}`);
    const first = await home.run(args, { CI: "true" });
    expect(first.status, first.stderr).toBe(0);
    const requests = issuer.seen.length;
    expect(credentialOf(await home.run(args, { CI: "true" })).status.token).toBe(credentialOf(first).status.token);
    expect(issuer.seen.length).toBe(requests);
  });

  it("password reads its file, warns that the grant must go, and shows nothing of it", async () => {
    const file = join(home.folder, "password");
    home.holdsSecrets("password");
    writeFileSync(file, "pa55-of-ann\n", { mode: 0o600 });
    const ended = await home.run(session("--username=ann", `--password-file=${file}`, "-v8"));
    expect(ended.status, ended.stderr).toBe(0);
    expect(tokenRequests()[0]?.form).toMatchObject({ grant_type: "password", username: "ann", password: "pa55-of-ann" });
    expect(ended.stderr).toContain("RFC 9700");
    expect(ended.stderr).not.toContain("pa55");
  });

  it("password keeps the refresh token that comes, and uses it instead of the password, as kubelogin does", async () => {
    const file = join(home.folder, "password");
    home.holdsSecrets("password");
    writeFileSync(file, "pa55-of-ann\n", { mode: 0o600 });
    const args = session("--username=ann", `--password-file=${file}`);
    expect((await home.run(args, { CI: "true" })).status).toBe(0);
    expect((await home.run([...args, "--force-refresh"], { CI: "true" })).status).toBe(0);
    expect(tokenRequests().map(({ form }) => form["grant_type"])).toEqual(["password", "refresh_token"]);
    // Another user name is another session.
    expect((await home.run([...args.filter((arg) => arg !== "--username=ann"), "--username=bob"], { CI: "true" })).status).toBe(0);
    expect(tokenRequests().at(-1)?.form).toMatchObject({ grant_type: "password", username: "bob" });
    // A session that was revoked is made anew, since nobody is needed for it; one that cannot be asked about is not.
    issuer.live.clear();
    expect((await home.run([...args, "--force-refresh"], { CI: "true" })).status).toBe(0);
    expect(
      tokenRequests()
        .map(({ form }) => form["grant_type"])
        .slice(-2),
    ).toEqual(["refresh_token", "password"]);
    issuer.play.token = () => ({ status: 503, body: "" });
    await home.run([...args, "--force-refresh"], { CI: "true" });
    expect(tokenRequests().at(-1)?.form["grant_type"]).toBe("refresh_token");
  });

  it("authcode-keyboard without a terminal cannot ask", async () => {
    const ended = await home.run(session("--grant-type=authcode-keyboard"));
    expect(ended).toMatchObject({ status: 20, stdout: "" });
  });
});
