import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { type Behaviour, type Misbehaving, startMisbehaving } from "./misbehaving.ts";
import { callbacks, devicePolls, devices, discoveries, firstThese, forgedIdTokens, invalidGrantBehindChallenge, onlyFor, revocationFault, tokenFaults } from "./misbehaviours.ts";
import { clickThrough } from "./scripted-browser.ts";

const running: Misbehaving[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((issuer) => issuer.stop()));
});

async function start(behaviour: Behaviour = {}): Promise<Misbehaving> {
  const issuer = await startMisbehaving(behaviour);
  running.push(issuer);
  return issuer;
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request without redirects; rejects with the socket's error. */
const send = (url: string, form?: Record<string, string>, signal?: AbortSignal) =>
  new Promise<Reply>((resolve, reject) => {
    const headers = form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
    const request = plainRequest(url, { method: form === undefined ? "GET" : "POST", headers, agent: false, signal: signal ?? AbortSignal.timeout(10_000) }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }), reject);
    });
    request.on("error", reject);
    request.end(form === undefined ? undefined : new URLSearchParams(form).toString());
  });

const json = (reply: Reply) => JSON.parse(reply.body) as Record<string, string>;
const verifier = randomBytes(32).toString("base64url");
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
const redirectUri = "http://localhost:8000";

/** The callback URL that the authorization endpoint redirects to. */
async function authorize(issuer: Misbehaving, changes: Record<string, string> = {}): Promise<URL> {
  const query = new URLSearchParams({
    client_id: "kubernetes",
    response_type: "code",
    scope: "openid offline_access",
    redirect_uri: redirectUri,
    state: "the-state",
    nonce: "the-nonce",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...changes,
  });
  const { headers } = await send(`${issuer.issuer}/authorize?${query}`);
  return new URL(String(headers["location"]));
}

async function exchange(issuer: Misbehaving, changes: Record<string, string> = {}): Promise<Reply> {
  const code = (await authorize(issuer)).searchParams.get("code") ?? "";
  return send(`${issuer.issuer}/token`, { grant_type: "authorization_code", client_id: "kubernetes", code, code_verifier: verifier, redirect_uri: redirectUri, ...changes });
}
const refresh = (issuer: Misbehaving, token: string, signal?: AbortSignal) =>
  send(`${issuer.issuer}/token`, { grant_type: "refresh_token", client_id: "kubernetes", refresh_token: token }, signal);

/** "ok", or why the signature of the token cannot be right. */
async function verify(issuer: Misbehaving, token: string): Promise<string> {
  const keys = JSON.parse((await send(`${issuer.issuer}/jwks`)).body) as JSONWebKeySet;
  return jwtVerify(token, createLocalJWKSet(keys)).then(
    () => "ok",
    (error: { code: string }) => error.code,
  );
}

describe("the small issuer when it behaves", () => {
  it("redirects at once with a code, the state and its own name", async () => {
    const issuer = await start();
    const callback = await authorize(issuer);
    expect(callback.origin).toBe(redirectUri);
    expect(Object.fromEntries(callback.searchParams)).toEqual({ code: expect.any(String), state: "the-state", iss: issuer.issuer });
  });

  it.each(["ES256", "RS256"] as const)("signs ID tokens with %s and publishes the key", async (alg) => {
    const issuer = await start({ idToken: { alg } });
    const { id_token: idToken = "" } = json(await exchange(issuer));
    expect(await verify(issuer, idToken)).toBe("ok");
    expect(decodeProtectedHeader(idToken).alg).toBe(alg);
    expect(decodeJwt(idToken)).toMatchObject({ iss: issuer.issuer, aud: "kubernetes", sub: "alice", nonce: "the-nonce" });
  });

  it.each([{ redirect_uri: `${redirectUri}/` }, { code_verifier: randomBytes(32).toString("base64url") }, { code: "another-code" }])("refuses a code with %o", async (changes) => {
    expect(json(await exchange(await start(), changes))).toEqual({ error: "invalid_grant" });
  });

  it.each([{ code_challenge_method: "plain" }, { response_type: "token" }, { scope: "email" }])("gives no code for %o", async (changes) => {
    expect((await authorize(await start(), changes)).searchParams.get("error")).toBe("invalid_request");
  });

  it("rotates refresh tokens, and ends the session when one is used twice", async () => {
    const issuer = await start();
    const first = json(await exchange(issuer))["refresh_token"] ?? "";
    const second = json(await refresh(issuer, first))["refresh_token"] ?? "";
    expect(second).not.toBe(first);
    expect(json(await refresh(issuer, first))).toEqual({ error: "invalid_grant" });
    expect(json(await refresh(issuer, second))).toEqual({ error: "invalid_grant" });
  });

  it("forgets a refresh token that is revoked", async () => {
    const issuer = await start();
    const token = json(await exchange(issuer))["refresh_token"] ?? "";
    expect((await send(`${issuer.issuer}/revoke`, { token })).status).toBe(200);
    expect(json(await refresh(issuer, token))).toEqual({ error: "invalid_grant" });
  });

  it("gives tokens to a device", async () => {
    const issuer = await start();
    const device = json(await send(`${issuer.issuer}/device_authorization`, { client_id: "kubernetes", scope: "openid" }));
    const grant = { grant_type: deviceGrant, client_id: "kubernetes", device_code: device["device_code"] ?? "" };
    expect(decodeJwt(json(await send(`${issuer.issuer}/token`, grant))["id_token"] ?? "").sub).toBe("alice");
    expect(json(await send(`${issuer.issuer}/token`, grant))).toEqual({ error: "invalid_grant" });
  });

  it("keeps every request as it came, and every secret that it gave", async () => {
    const issuer = await start();
    const answer = json(await exchange(issuer));
    expect(issuer.count("token")).toBe(1);
    expect(issuer.count("token", "refresh_token")).toBe(0);
    expect(issuer.received("token")[0]?.form.get("redirect_uri")).toBe(redirectUri);
    expect(issuer.secrets).toEqual(expect.arrayContaining([answer["id_token"], answer["access_token"], answer["refresh_token"]]));
  });
});

describe("the small issuer when it misbehaves", () => {
  it.each(Object.entries(discoveries))("publishes a discovery %s", async (_name, behaviour) => {
    const proper = await start();
    const issuer = await start(behaviour);
    const path = "/.well-known/openid-configuration";
    const wrong = await send(`${issuer.issuer}${path}`);
    const right = await send(`${proper.issuer}${path}`);
    expect({ status: wrong.status, body: wrong.body }).not.toEqual({ status: 200, body: right.body.replaceAll(proper.issuer, issuer.issuer) });
  });

  it("gives ID tokens whose signature proves nothing", async () => {
    for (const name of ["without a signature", "signed with the client's own secret", "signed by a stranger"] as const) {
      const issuer = await start(forgedIdTokens[name]);
      expect(await verify(issuer, json(await exchange(issuer))["id_token"] ?? ""), name).not.toBe("ok");
    }
  });

  it("gives ID tokens whose claims are wrong under a good signature", async () => {
    const issuer = await start();
    const proper = decodeJwt(json(await exchange(issuer))["id_token"] ?? "");
    const names = Object.keys(forgedIdTokens).filter((name) => !/sign/.test(name)) as (keyof typeof forgedIdTokens)[];
    for (const name of names) {
      issuer.become(forgedIdTokens[name]);
      const claims = decodeJwt(json(await exchange(issuer))["id_token"] ?? "");
      const { jti: _, iat, exp, ...rest } = claims;
      const { jti: __, iat: properIat, exp: properExp, ...properRest } = proper;
      // Times move on while the test runs; a forged time is an hour off, or gone.
      const near = (value: number | undefined, wanted: number | undefined) => value !== undefined && Math.abs(value - (wanted ?? 0)) < 60;
      const isProper = near(iat, properIat) && near(exp, properExp) && JSON.stringify(rest) === JSON.stringify(properRest);
      expect(isProper, name).toBe(false);
    }
    expect(names).toHaveLength(12);
  });

  it("leaves the ID token out", async () => {
    expect(json(await exchange(await start({ idToken: "missing" })))).not.toHaveProperty("id_token");
  });

  it.each(Object.entries(callbacks))("sends a callback %s", async (_name, behaviour) => {
    const issuer = await start(behaviour);
    const { searchParams } = await authorize(issuer);
    expect([searchParams.get("state"), searchParams.get("iss"), searchParams.has("code")]).not.toEqual(["the-state", issuer.issuer, true]);
  });

  it.each(Object.entries(tokenFaults))("has a token endpoint that %s", async (_name, behaviour) => {
    const outcome = await exchange(await start(behaviour)).then(
      (reply) => (reply.headers["content-type"] === "application/json" ? "tokens" : "fault"),
      () => "fault",
    );
    expect(outcome).toBe("fault");
  });

  it("resets a connection, having received the request, and the token is still good", async () => {
    const issuer = await start();
    const token = json(await exchange(issuer))["refresh_token"] ?? "";
    issuer.become({ token: { fate: "reset" } });
    await expect(refresh(issuer, token)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(issuer.count("token", "refresh_token")).toBe(1);
    issuer.become({});
    expect((await refresh(issuer, token)).status).toBe(200);
  });

  it("answers never", async () => {
    const issuer = await start({ token: onlyFor("refresh_token", { fate: "never" }) });
    const token = json(await exchange(issuer))["refresh_token"] ?? "";
    const window = new AbortController();
    const outcome = refresh(issuer, token, window.signal).then(
      () => "answered",
      (error: Error) => error.name,
    );
    await vi.waitFor(() => expect(issuer.count("token", "refresh_token")).toBe(1), { timeout: 10_000 });
    // A second request there and back: an answer would have come by now.
    await send(`${issuer.issuer}/jwks`);
    window.abort();
    expect(await outcome).toBe("AbortError");
  });

  it("holds an answer back until the test lets it go", async () => {
    let release = () => {};
    const after = new Promise<void>((resolve) => {
      release = resolve;
    });
    const issuer = await start({ jwks: { json: { keys: [] }, after } });
    let answered = false;
    const pending = send(`${issuer.issuer}/jwks`).then(() => {
      answered = true;
    });
    await vi.waitFor(() => expect(issuer.count("jwks")).toBe(1), { timeout: 10_000 });
    await send(`${issuer.issuer}/.well-known/openid-configuration`);
    expect(answered).toBe(false);
    release();
    await pending;
    expect(answered).toBe(true);
  });

  it("answers in the order that a test gives, then properly", async () => {
    const issuer = await start({ token: firstThese({ status: 503 }, invalidGrantBehindChallenge) });
    expect((await exchange(issuer)).status).toBe(503);
    expect((await exchange(issuer)).headers["www-authenticate"]).toContain("Bearer");
    expect((await exchange(issuer)).status).toBe(200);
  });

  it("keeps or withholds refresh tokens", async () => {
    const issuer = await start({ refreshTokens: "keep" });
    const token = json(await exchange(issuer))["refresh_token"] ?? "";
    expect(json(await refresh(issuer, token))).not.toHaveProperty("refresh_token");
    expect((await refresh(issuer, token)).status).toBe(200);
    issuer.become({ refreshTokens: "none" });
    expect(json(await exchange(issuer))).not.toHaveProperty("refresh_token");
  });

  it.each(Object.entries(devices))("gives a device answer that %s", async (_name, behaviour) => {
    const ask = async (issuer: Misbehaving) => (await send(`${issuer.issuer}/device_authorization`, { client_id: "kubernetes" })).body.replace(/device-[\w-]+|localhost:\d+/g, "");
    expect(await ask(await start(behaviour))).not.toBe(await ask(await start()));
  });

  it.each(Object.entries(devicePolls))("has a device that %s", async (name, behaviour) => {
    const issuer = await start(behaviour);
    const { device_code = "" } = json(await send(`${issuer.issuer}/device_authorization`, { client_id: "kubernetes" }));
    const poll = () =>
      send(`${issuer.issuer}/token`, { grant_type: deviceGrant, client_id: "kubernetes", device_code }).then(
        (reply) => json(reply)["error"] ?? "tokens",
        (error: { code: string }) => error.code,
      );
    const ends = name.endsWith("then gets tokens") ? "tokens" : expect.stringMatching(/^(expired_token|access_denied)$/);
    expect([await poll(), await poll()]).toEqual([expect.not.stringMatching("tokens"), ends]);
  });

  it("cannot revoke", async () => {
    expect((await send(`${(await start(revocationFault)).issuer}/revoke`, { token: "any" })).status).toBe(500);
  });
});

describe("the small issuer over TLS", () => {
  let folder = "";
  let certificates: Certificates;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-misbehaving-"));
    certificates = await makeCertificates(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is named https and answers whoever trusts its authority", async () => {
    const issuer = await startMisbehaving({}, { certificates });
    running.push(issuer);
    const { status, body, finalUrl } = await clickThrough(`${issuer.issuer}/device`, { ca: certificates.caPem });
    expect({ status, body, finalUrl }).toEqual({ status: 200, body: "<title>Device confirmed</title>", finalUrl: `${issuer.issuer}/device` });
    expect(issuer.issuer).toMatch(/^https:/);
  });

  it("resets connections there too", async () => {
    const issuer = await startMisbehaving({ end_session: { fate: "reset" } }, { certificates });
    running.push(issuer);
    await expect(clickThrough(`${issuer.issuer}/logout`, { ca: certificates.caPem })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(issuer.count("end_session")).toBe(1);
  });
});
