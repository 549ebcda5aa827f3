import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { type Misbehaving, startMisbehaving } from "../issuer/misbehaving.ts";
import { changeJson } from "../issuer/misbehaviours.ts";
import { type OddAuthority, oddAuthority } from "../issuer/odd-certificates.ts";
import { clickThrough } from "../issuer/scripted-browser.ts";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProofStage, proofStage } from "./client-proof-stage.ts";
import { credentialOf, errorCode, type Home, newHome, openUrl, runWithBrowser } from "./program.ts";

describe("an issuer that demands signed requests, pushed, of clients with a key", () => {
  let stage: ProofStage;
  beforeAll(async () => {
    stage = await proofStage({
      features: {
        pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
        requestObjects: { enabled: true, requireSignedRequestObject: true },
      },
    });
  }, 60_000);
  afterAll(() => stage.stop());

  it("login, refresh and logout of a person [R-01, R-02, R-06, K-01]", async () => {
    const session = stage.session("signer", `--client-key-file=${stage.keyFiles.jwk}`);
    const first = await stage.logIn(["get-token", ...session]);
    expect(first.status, first.stderr).toBe(0);
    expect([...new URL(first.url).searchParams.keys()].sort()).toEqual(["client_id", "request_uri"]);
    expect(first.stderr).toContain("open it within 60 s; the issuer does not know it any more after that");
    credentialOf(await stage.home.run(["get-token", ...session, "--force-refresh"]));
    expect((await stage.home.run(["logout", ...session])).status).toBe(0);
    const asked = stage.provider.requests.filter(({ route }) => ["pushed_authorization_request", "token", "revocation"].includes(route));
    expect(asked.map(({ route, grantType, status }) => `${grantType ?? route} ${status}`)).toEqual([
      "pushed_authorization_request 201",
      "authorization_code 200",
      "refresh_token 200",
      "revocation 200",
    ]);
    expect(asked[0]?.parameters).toEqual(["client_assertion", "client_assertion_type", "client_id", "request"]);
  });

  it("a client with a certificate needs a key for its requests all the same [R-06]", async () => {
    const session = stage.session("machine", `--client-certificate=${join(stage.home.folder, "machine.pem")}`, `--client-key=${join(stage.home.folder, "machine.key")}`);
    const ended = await stage.home.run(["get-token", ...session]);
    expect([ended.status, errorCode(ended)], ended.stderr).toEqual([40, "SETTINGS_INCOMPLETE"]);
    expect(ended.stderr).toContain("--client-key-file");
  });
});

describe("an issuer that demands pushed requests", () => {
  let home: Home;
  let issuer: Misbehaving;
  beforeEach(async () => {
    home = newHome();
    issuer = await startMisbehaving();
  });
  afterEach(async () => {
    home.remove();
    await issuer.stop();
  });

  const discovery = () => changeJson({ pushed_authorization_request_endpoint: `${issuer.issuer}/par`, require_pushed_authorization_requests: true });
  const session = (...more: readonly string[]) => [
    `--oidc-issuer-url=${issuer.issuer}`,
    "--oidc-client-id=kubernetes",
    "--token-cache-storage=disk",
    "--listen-address=127.0.0.1:0",
    "--skip-open-browser",
    ...more,
  ];
  const scopes = () => issuer.received("pushed_authorization").map(({ form }) => form.get("scope"));

  it("and refuses offline_access there is asked once more without it (M8) [R-04]", async () => {
    issuer.become({
      discovery: discovery(),
      pushed_authorization: (request, _nth, proper) => (request.form.get("scope")?.includes("offline_access") ? oauthError("invalid_scope") : proper()),
    });
    const ended = await runWithBrowser(home, ["get-token", ...session()]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("the issuer refused offline_access; logging in again without it");
    expect(scopes()).toEqual(["openid offline_access", "openid"]);
  });

  it("and refuses the request: its error, before a browser opens, and no pause (M5) [R-04]", async () => {
    issuer.become({ discovery: discovery(), pushed_authorization: oauthError("invalid_request", "redirect_uri \u001b[31mis not registered") });
    for (const _ of [1, 2]) {
      const ended = await home.run(["get-token", ...session()]);
      expect([ended.status, errorCode(ended), ended.stdout], ended.stderr).toEqual([30, "CLIENT_REJECTED", ""]);
      expect(ended.stderr).toMatch(/cause: invalid_request: redirect_uri .*is not registered\n/);
      expect(ended.stderr).not.toContain("\u001b");
      expect(ended.stderr).not.toMatch(openUrl);
    }
  });

  it("and forgets it before the person comes: LOGIN_TIMED_OUT says so [R-03]", async () => {
    issuer.become({ discovery: discovery(), pushed_authorization: { status: 201, json: { request_uri: "urn:x", expires_in: 1 } } });
    const ended = await home.run(["get-token", ...session("--authentication-timeout-sec=2")]);
    expect([ended.status, errorCode(ended)], ended.stderr).toEqual([20, "LOGIN_TIMED_OUT"]);
    expect(ended.stderr).toContain("open it within 1 s");
    expect(ended.stderr).toContain("the issuer knew the URL for 1 s only");
  });

  it("says nothing of the URL's end when the login ends before it [R-03]", async () => {
    issuer.become({ discovery: discovery() });
    const ended = await runWithBrowser(home, ["get-token", ...session("--authentication-timeout-sec=20")]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain("open it within");
  });

  it("--par=never sends it by the browser all the same [R-01]", async () => {
    issuer.become({ discovery: discovery() });
    const ended = await runWithBrowser(home, ["get-token", ...session("--par=never")]);
    expect([ended.status, scopes()], ended.stderr).toEqual([0, []]);
  });
});

describe("an issuer with endpoints of their own for clients with a certificate, on another host", () => {
  let home: Home;
  let certificates: Certificates;
  let authority: OddAuthority;
  let issuer: Misbehaving;
  let mtls: Misbehaving;
  beforeAll(async () => {
    home = newHome();
    [certificates, authority] = await Promise.all([makeCertificates(home.folder), oddAuthority({ name: "authority of the clients" })]);
    const { cert, key } = await authority.issue({ commonName: "machine" });
    writeFileSync(join(home.folder, "machine.pem"), cert);
    writeFileSync(join(home.folder, "machine.key"), key, { mode: 0o600 });
    issuer = await startMisbehaving({}, { certificates });
    mtls = await startMisbehaving(
      { token: (request) => issuer.properly(request, "token"), revocation: (request) => issuer.properly(request, "revocation") },
      { certificates: { ...certificates, clientCaPem: authority.pem, demandsCertificate: true } },
    );
    issuer.become({ discovery: changeJson({ mtls_endpoint_aliases: { token_endpoint: `${mtls.issuer}/token`, revocation_endpoint: `${mtls.issuer}/revoke` } }) });
  });
  afterAll(async () => {
    await Promise.all([issuer.stop(), mtls.stop()]);
    home.remove();
  });

  const session = () => [
    `--oidc-issuer-url=${issuer.issuer}`,
    "--oidc-client-id=kubernetes",
    `--certificate-authority=${certificates.caFile}`,
    `--client-certificate=${join(home.folder, "machine.pem")}`,
    `--client-key=${join(home.folder, "machine.key")}`,
    "--token-cache-storage=disk",
    "--listen-address=127.0.0.1:0",
    "--skip-open-browser",
  ];

  it("gets codes, refresh tokens and revocations there, with the certificate; a rotated refresh token that came there is kept [RP-45, K-06, NW-05]", async () => {
    const started = home.start(["get-token", ...session()]);
    const [, url = ""] = await started.sees(openUrl);
    await clickThrough(url, { ca: certificates.caPem });
    const first = await started.ended;
    expect(first.status, first.stderr).toBe(0);
    for (const _ of [1, 2]) credentialOf(await home.run(["get-token", ...session(), "--force-refresh"]));
    expect((await home.run(["logout", ...session()])).status).toBe(0);
    expect(mtls.requests.map(({ route, grantType, certificate }) => `${grantType ?? route} by ${certificate}`)).toEqual([
      "authorization_code by machine",
      "refresh_token by machine",
      "refresh_token by machine",
      "revocation by machine",
    ]);
    expect(issuer.count("token")).toBe(0);
  });
});
