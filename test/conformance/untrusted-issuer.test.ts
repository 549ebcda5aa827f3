import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { browse, type Ended, errorCode, openUrl, runWithBrowser } from "../e2e/program.ts";
import { home, issuer, options, session, useStage } from "../e2e/stage.ts";
import { harmIn, hostileTexts, named } from "../fakes/hostile-texts.ts";
import { makeCertificates } from "../issuer/certificates.ts";
import { allTricks, expectHarmless, launchers, worst } from "./untrusted-stage.ts";

useStage();

/** Logs in by browser; also when the issuer refuses. */
async function logIn(...more: string[]): Promise<Ended & { readonly page: string }> {
  const started = home.start(session("-v8", ...more));
  const [, url = ""] = await started.sees(openUrl);
  const { page } = await browse(url);
  return { ...(await started.ended), page };
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Without lone surrogates, which UTF-8 cannot carry. */
const wellFormed = (text: string) => Buffer.from(text).toString();

describe("an issuer with terminal escapes, invisible and reversed text in", () => {
  it.each(worst)("its error at the token endpoint: %s [TE-01]", async (_, text) => {
    issuer.play.token = () => ({ status: 400, body: { error: text, error_description: text, error_uri: text }, headers: { server: "\u009b31m\u0085x" } });
    const ended = await logIn();
    expect(errorCode(ended)).toBe("CLIENT_REJECTED");
    expectHarmless(ended);
    expect(harmIn(ended.page)).toEqual([]);
    expect(ended.page).not.toContain("<script>");
  });

  it.each(worst)("the redirect's error: %s [TE-01]", async (_, text) => {
    issuer.play.authorize = (query) =>
      new URLSearchParams({ error: "access_denied", error_description: text.slice(0, 4_000), error_uri: text.slice(0, 100), state: query.get("state") ?? "", iss: issuer.url });
    const ended = await logIn();
    expect(errorCode(ended)).toBe("LOGIN_DENIED");
    expectHarmless(ended);
    expect(harmIn(ended.page)).toEqual([]);
    expect(ended.page).not.toContain("<script>");
  });

  it.each(worst)("the account's name and subject, wherever they are shown: %s [TE-01]", async (_, text) => {
    const subject = wellFormed(text.slice(0, 250));
    issuer.play.claims = (proper) => ({ ...proper, sub: subject, email: text, preferred_username: text, name: text });
    const ended = await logIn();
    expect(ended.status, ended.stderr).toBe(0);
    expectHarmless(ended);
    expect(harmIn(ended.page)).toEqual([]);
    const table = await home.run(["status"]);
    expectHarmless(table);
    expect(table.stdout.trimEnd().split("\n").length).toBe(2);
    const json = await home.run(["status", "-o", "json"]);
    expectHarmless(json);
    expect(JSON.parse(json.stdout).sessions[0].subject).toBe(subject);
    const login = await runWithBrowser(home, ["login", ...options()]);
    expectHarmless(login);
    expectHarmless(await home.run(["logout", ...options("-v8")]));
  });

  it.each([
    ["its own name", (proper: object, text: unknown) => ({ ...proper, issuer: text }), "ISSUER_MISMATCH|DISCOVERY_INVALID"],
    ["an endpoint", (proper: object, text: unknown) => ({ ...proper, token_endpoint: text }), "DISCOVERY_INVALID"],
    ["the logout page", (proper: object, text: unknown) => ({ ...proper, end_session_endpoint: text }), "DISCOVERY_INVALID"],
  ] as const)("its discovery document, as %s [TE-01]", async (_, change, code) => {
    for (const text of [...worst.map(([, one]) => one), "javascript:alert(1)", "file:///etc/passwd", "-flag", { toString: 1 }, [[[]]], 7]) {
      issuer.play.discovery = (proper) => change(proper, text) as Record<string, unknown>;
      const ended = await home.run(session("-v8"));
      expect([code.split("|").includes(errorCode(ended)), ended.status], ended.stderr).toEqual([true, 30]);
      expectHarmless(ended);
    }
  });

  it.each<[string, () => void]>([
    [
      "the header of its ID token",
      () => {
        issuer.play.idToken = (claims) => `${part({ alg: allTricks, kid: allTricks, typ: allTricks })}.${part(claims)}.c2ln`;
      },
    ],
    [
      "a page in the place of an answer",
      () => {
        issuer.play.token = () => ({ status: 200, body: `<html>${allTricks}` });
      },
    ],
    [
      "a challenge",
      () => {
        issuer.play.token = () => ({ status: 401, body: { error: "invalid_client" }, headers: { "www-authenticate": 'Bearer realm="\u009b2J", error="\u0085x"' } });
      },
    ],
  ])("%s [TE-01]", async (_, misbehave) => {
    misbehave();
    const ended = await logIn();
    expect([ended.status, ended.stdout]).toEqual([30, ""]);
    expectHarmless(ended);
  });

  it("an access token that is to be handed out: a line break in it is no line of a script's environment", async () => {
    const evil = (claims: object) => `${part({ alg: "ES256" })}.${part(claims)}.sig\nLD_PRELOAD=/tmp/evil\u001b[2J`;
    issuer.play.token = async (_form, proper) => {
      const reply = (await proper()) as { readonly status: number; readonly body: { readonly access_token: string } };
      return { ...reply, body: { ...reply.body, access_token: evil({ exp: Math.floor(Date.now() / 1000) + 300 }) } };
    };
    const ended = await logIn("--oidc-use-access-token");
    expect([errorCode(ended), ended.stdout], ended.stderr).toEqual(["ID_TOKEN_INVALID", ""]);
    for (const form of [[], ["-o", "env"], ["-o", "header"], ["-o", "json"]]) {
      const token = await home.run(["token", ...options("--oidc-use-access-token"), ...form]);
      expect([errorCode({ ...token, stderr: token.stderr.startsWith("{") ? "" : token.stderr }), token.stdout]).toEqual([form.includes("json") ? "none" : "ID_TOKEN_INVALID", ""]);
      expect(token.status).toBe(30);
    }
  });
});

describe("the device flow against a hostile issuer", () => {
  const deviceSession = (command: string, ...more: string[]) =>
    session(`--browser-command=${command}`, "--grant-type=device-code", "--qr", ...more).filter((arg) => arg !== "--skip-open-browser");

  it.each([...worst.map(([, text]) => text), "javascript:alert(1)", "-flag"])(
    "shows a code that does nothing to the terminal, and opens a page of the issuer only: %j [DV-01, DV-15, TE-01]",
    async (text) => {
      const launcher = launchers();
      issuer.play.device = (proper) => ({ ...proper, user_code: text, verification_uri_complete: text });
      const ended = await home.run(deviceSession(launcher.command), launcher.env);
      expect(ended.status, ended.stderr).toBe(0);
      // The QR code's lines are blocks.
      expectHarmless({
        ...ended,
        stderr: ended.stderr
          .split("\n")
          .filter((line) => !/^[ ▀▄█]+$/.test(line))
          .join("\n"),
      });
      expect(harmIn(ended.stderr)).toEqual([]);
      expect(ended.stderr).toContain(`open ${issuer.url}/activate and enter the code `);
      expect(launcher.opened()).toEqual([`${issuer.url}/activate`]);
    },
  );

  it.each(named<unknown>([...hostileTexts, "http://id.example.com/", "https://u:p@id.example.com/", "//id.example.com", "http://192.0.2.1/", 7, null, { toString: 1 }]))(
    "opens and shows no address that is not https: %s [DV-14, TE-03]",
    async (_, text) => {
      const launcher = launchers();
      issuer.play.device = (proper) => ({ ...proper, verification_uri: text, verification_uri_complete: text });
      const ended = await home.run(deviceSession(launcher.command, "-v8"), launcher.env);
      expect([ended.status, ended.stdout, launcher.opened()], ended.stderr).toEqual([30, "", []]);
      expectHarmless(ended);
    },
  );

  it("says the code beside an address that holds it, so that the person compares, and host names in ASCII [DV-01, DV-02, TE-02]", async () => {
    const launcher = launchers();
    issuer.play.device = (proper) => ({ ...proper, verification_uri: "https://аррӏе.com/device", verification_uri_complete: "https://аррӏе.com/device?code=WDJB-MJHT" });
    const ended = await home.run(deviceSession(launcher.command), launcher.env);
    expect(ended.stderr).toContain("open https://xn--80ak6aa92e.com/device and enter the code WDJB-MJHT\n");
    expect(ended.stderr).toContain("or open https://xn--80ak6aa92e.com/device?code=WDJB-MJHT and check that it shows the code WDJB-MJHT\n");
    expect(launcher.opened()).toEqual(["https://xn--80ak6aa92e.com/device?code=WDJB-MJHT"]);
  });

  it("prints no terminal links [TE-06]", async () => {
    const ended = await home.run(deviceSession(launchers().command));
    expect(ended.stderr).toContain("/activate");
    expect(ended.stderr).not.toContain("]8;");
    expect(harmIn(ended.stderr)).toEqual([]);
  });

  it("events for programs say what the terminal says [TE-01]", async () => {
    issuer.play.device = (proper) => ({ ...proper, user_code: allTricks });
    const ended = await home.run(["login", ...options("--grant-type=device-code"), "-o", "json"]);
    expectHarmless(ended);
    const [code] = ended.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(code).toMatchObject({ event: "code", verificationUri: `${issuer.url}/activate` });
    expect(code.userCode).toBe(/enter the code (.*)/.exec(ended.stderr)?.[1]);
  });
});

describe("the system's launcher", () => {
  it("is found in absolute folders of the PATH only, not in the working directory, and gets one argument [N-01, TE-03, TE-05]", async () => {
    const launcher = launchers();
    const started = home.start(
      session().filter((arg) => arg !== "--skip-open-browser"),
      launcher.env,
    );
    const [, url = ""] = await started.sees(openUrl);
    await browse(url);
    expect((await started.ended).status).toBe(0);
    expect(launcher.opened()).toEqual([url]);
    expect(url).toMatch(/^[\x21-\x7e]+$/);
  });

  it("gets the issuer's logout page without a user name, or not at all [TE-02, TE-03]", async () => {
    const launcher = launchers();
    const logOut = () => home.run(["logout", "--sso", ...options().filter((arg) => arg !== "--skip-open-browser")], launcher.env);
    await runWithBrowser(home, session());
    const ended = await logOut();
    expect(ended.stderr).toContain(`${issuer.url}/end?client_id=kubernetes`);
    expect(launcher.opened()).toEqual([expect.stringMatching(/\/end\?client_id=kubernetes&logout_hint=ann%40example\.com$/)]);
    for (const page of ["javascript:alert(1)", "file:///etc/passwd", "-flag", "http://id.example.com/end", `${issuer.url.replace("://", "://u:p@")}/end`]) {
      issuer.play.discovery = (proper) => ({ ...proper, end_session_endpoint: page });
      const other = await logOut();
      expectHarmless(other);
      expect(other.stderr).not.toContain("end the browser's session here");
    }
    expect(launcher.opened().length).toBe(1);
  });
});

describe("a certificate with escapes in its names", () => {
  it("is refused in words of ours [TE-01]", async () => {
    const text = wellFormed(allTricks).slice(0, 400);
    const { certPem, keyPem, caFile } = await makeCertificates(home.folder, {
      subject: { CN: [text.slice(0, 60)], O: [text] },
      names: [
        { type: "dns", value: `x\u001b[2J\u009b31m.example.com` },
        { type: "url", value: "javascript:\u001b[2J" },
        { type: "email", value: "a\u0007@b" },
      ],
    });
    const server = createServer({ cert: certPem, key: keyPem }, (_request, response) => response.end());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const at = (...more: string[]) =>
      home.run(["get-token", `--oidc-issuer-url=${url}`, "--oidc-client-id=k", "--token-cache-storage=none", "--skip-open-browser", "-v8", ...more]);
    try {
      for (const more of [[], [`--certificate-authority=${caFile}`]]) {
        const ended = await at(...more);
        expect([errorCode(ended), ended.stdout], ended.stderr).toEqual(["ISSUER_TLS_UNTRUSTED", ""]);
        expectHarmless(ended);
      }
      // The certificate as an authority's file, and what is none.
      writeFileSync(join(home.folder, "evil.pem"), `-----BEGIN CERTIFICATE-----\n${allTricks}\n-----END CERTIFICATE-----\n`);
      const ended = await at(`--certificate-authority=${join(home.folder, "evil.pem")}`);
      expect(errorCode(ended)).toBe("SETTINGS_INVALID");
      expectHarmless(ended);
    } finally {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });
});
