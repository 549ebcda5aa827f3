import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { decodeJwt, decodeProtectedHeader } from "jose";
import * as client from "openid-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { accounts } from "./accounts.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { makeProviderMemory } from "./provider-memory.ts";
import { kubernetesResource, pipelineSecret } from "./provider-configuration.ts";
import { type ProviderOptions, type RunningProvider, startProvider } from "./provider.ts";
import { clickThrough, confirmDevice } from "./scripted-browser.ts";

let folder = "";
let certificates: Certificates;
let provider: RunningProvider;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-provider-"));
  certificates = await makeCertificates(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  provider = await start();
});
afterEach(() => provider.stop());

const start = (options: Omit<ProviderOptions, "certificates"> = {}) => startProvider({ certificates, ...options });
const alice = () => ({ ca: certificates.caPem, account: "alice", password: accounts.alice.password });

/** openid-client on node:https, because the global fetch takes no authority. */
const customFetch: client.CustomFetch = (url, { method, headers, body }) =>
  new Promise((resolve, reject) => {
    // The library derives the redirect URI from the callback's URL and so adds a slash that was never registered.
    const form = body instanceof URLSearchParams ? body : undefined;
    if (form?.has("redirect_uri")) form.set("redirect_uri", form.get("redirect_uri")?.replace(/\/$/, "") ?? "");
    const sent = request(url, { method, headers, ca: certificates.caPem, agent: false, timeout: 10_000 }, (answer) => {
      text(answer).then((content) => resolve(new Response(content || null, { status: answer.statusCode ?? 0, headers: answer.headers as Record<string, string> })), reject);
    });
    sent.on("error", reject);
    sent.end(form?.toString());
  });

const configure = (clientId = "kubernetes", authentication: client.ClientAuth = client.None()) =>
  client.discovery(new URL(provider.issuer), clientId, undefined, authentication, { [client.customFetch]: customFetch, execute: [client.enableNonRepudiationChecks] });

/** One code flow with the scripted browser; a listener of our own stands for the program's. An empty extra leaves a parameter out. */
async function logIn(configuration: client.Configuration, person: Parameters<typeof clickThrough>[1], extra: Record<string, string> = {}) {
  let callback = "";
  const listener = createServer((incoming, answer) => {
    callback = incoming.url ?? "";
    answer.setHeader("content-type", "text/html");
    answer.end("<title>You are logged in</title>");
  });
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  try {
    const redirectUri = `http://localhost:${(listener.address() as AddressInfo).port}`;
    const verifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: "openid email profile groups offline_access",
      prompt: "consent",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...extra,
    });
    for (const [name, value] of Object.entries(extra)) if (value === "") url.searchParams.delete(name);
    const page = await clickThrough(url.href, person);
    const answer = new URL(callback, redirectUri);
    return { page, answer, tokens: () => client.authorizationCodeGrant(configuration, answer, { pkceCodeVerifier: verifier, idTokenExpected: true }) };
  } finally {
    listener.closeAllConnections();
    await new Promise((done) => listener.close(done));
  }
}

/** The OAuth error code that the promise is rejected with. */
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error: { error?: string; code?: string }) => error.error ?? error.code,
  );

describe("the provider with the code flow", () => {
  it("logs a person in on any loopback port, and the ID token says who it is", async () => {
    const { page, tokens } = await logIn(await configure(), alice());
    expect(page).toMatchObject({ status: 200, body: "<title>You are logged in</title>" });
    const answer = await tokens();
    expect(answer.claims()).toMatchObject({
      sub: "alice",
      aud: "kubernetes",
      name: "Alice Archer",
      email: "alice@example.com",
      email_verified: true,
      groups: ["admins", "developers"],
    });
    expect(answer.refresh_token).toBeTypeOf("string");
  });

  it("sends a person who says no back with access_denied", async () => {
    const { answer, tokens } = await logIn(await configure(), { ...alice(), deny: true });
    expect(answer.searchParams.get("error")).toBe("access_denied");
    expect(await errorOf(tokens())).toBe("access_denied");
  });

  it("lets nobody in with a wrong password", async () => {
    await expect(logIn(await configure(), { ...alice(), password: "wrong" })).rejects.toThrow("did not accept");
    expect(provider.count("token")).toBe(0);
  });

  it("demands PKCE with S256", async () => {
    const configuration = await configure();
    const { answer } = await logIn(configuration, alice(), { code_challenge: "", code_challenge_method: "" });
    expect(answer.searchParams.get("error")).toBe("invalid_request");
    const plain = await logIn(configuration, alice(), { code_challenge_method: "plain" });
    expect(plain.answer.searchParams.get("error")).toBe("invalid_request");
  });

  it("gives access tokens that are JWTs for the audience asked for", async () => {
    const { tokens } = await logIn(await configure(), alice(), { resource: "https://cluster-one.example" });
    expect(decodeJwt((await tokens()).access_token)).toMatchObject({ aud: "https://cluster-one.example", sub: "alice", iss: provider.issuer });
  });
});

describe("the provider afterwards", () => {
  it("rotates the refresh token and refuses the old one", async () => {
    const configuration = await configure();
    const first = await (await logIn(configuration, alice())).tokens();
    const second = await client.refreshTokenGrant(configuration, first.refresh_token ?? "");
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await errorOf(client.refreshTokenGrant(configuration, first.refresh_token ?? ""))).toBe("invalid_grant");
  });

  it("keeps the refresh token when it is told not to rotate, and makes tokens as short-lived as told", async () => {
    await provider.stop();
    provider = await start({ rotate: false, ttl: { idToken: 7, accessToken: 9 } });
    const configuration = await configure();
    const first = await (await logIn(configuration, alice())).tokens();
    const second = await client.refreshTokenGrant(configuration, first.refresh_token ?? "");
    expect(second.refresh_token).toBe(first.refresh_token);
    const claims = second.claims();
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBe(7);
    expect(second.expires_in).toBe(9);
  });

  it("refuses every refresh token after revokeEverything", async () => {
    const configuration = await configure();
    const { refresh_token } = await (await logIn(configuration, alice())).tokens();
    provider.revokeEverything();
    expect(await errorOf(client.refreshTokenGrant(configuration, refresh_token ?? ""))).toBe("invalid_grant");
  });

  it("revokes one refresh token when asked to", async () => {
    const configuration = await configure();
    const { refresh_token } = await (await logIn(configuration, alice())).tokens();
    await client.tokenRevocation(configuration, refresh_token ?? "");
    expect(provider.count("revocation")).toBe(1);
    expect(await errorOf(client.refreshTokenGrant(configuration, refresh_token ?? ""))).toBe("invalid_grant");
  });
});

describe("the provider's other flows", () => {
  it("gives tokens to a device that the person confirms", async () => {
    const configuration = await configure();
    const device = await client.initiateDeviceAuthorization(configuration, { scope: "openid email groups" });
    const page = await confirmDevice(device.verification_uri_complete ?? "", alice());
    expect(page.body).toContain("Device confirmed");
    const tokens = await client.pollDeviceAuthorizationGrant(configuration, { ...device, interval: 0.01 });
    expect(tokens.claims()).toMatchObject({ sub: "alice", groups: ["admins", "developers"] });
  });

  it("tells a device when the person says no", async () => {
    const configuration = await configure();
    const device = await client.initiateDeviceAuthorization(configuration, { scope: "openid" });
    await confirmDevice(device.verification_uri_complete ?? "", { ...alice(), deny: true });
    expect(await errorOf(client.pollDeviceAuthorizationGrant(configuration, { ...device, interval: 0.01 }))).toBe("access_denied");
  });

  it("gives a pipeline an access token for the cluster", async () => {
    const configuration = await configure("pipeline", client.ClientSecretBasic(pipelineSecret));
    const tokens = await client.clientCredentialsGrant(configuration, {});
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: "kubernetes", sub: "pipeline" });
    const named = await client.clientCredentialsGrant(configuration, { resource: kubernetesResource });
    expect(decodeJwt(named.access_token)).toMatchObject({ aud: "kubernetes" });
  });

  it("offers no device flow when that is switched off", async () => {
    await provider.stop();
    provider = await start({ features: { deviceFlow: { enabled: false } } });
    expect((await configure()).serverMetadata().device_authorization_endpoint).toBeUndefined();
  });
});

describe("the provider after a restart", () => {
  const kidOf = (token: string | undefined) => decodeProtectedHeader(token ?? "").kid;
  const kidsOf = async () => {
    const answer = await customFetch(`${provider.issuer}/jwks`, { method: "GET", headers: {}, body: undefined, redirect: "manual" });
    return ((await answer.json()) as { readonly keys: readonly { readonly kid: string }[] }).keys.map(({ kid }) => kid);
  };

  it("with its memory knows its sessions and signs with its keys; with new keys it signs with those, and publishes the old ones if it is told to", async () => {
    await provider.stop();
    const memory = await makeProviderMemory();
    provider = await start({ memory });
    const port = Number(new URL(provider.issuer).port);
    const restart = async () => {
      await provider.stop();
      provider = await start({ memory, port });
    };
    const first = await (await logIn(await configure(), alice())).tokens();
    await restart();
    const second = await client.refreshTokenGrant(await configure(), first.refresh_token ?? "");
    expect(kidOf(second.id_token)).toBe(kidOf(first.id_token));
    expect(memory.storage.unspentRefreshTokens()).toEqual([second.refresh_token]);

    await memory.rotateKeys({ keepOld: true });
    await restart();
    const third = await client.refreshTokenGrant(await configure(), second.refresh_token ?? "");
    expect(kidOf(third.id_token)).not.toBe(kidOf(first.id_token));
    expect(await kidsOf()).toEqual(expect.arrayContaining([kidOf(first.id_token), kidOf(third.id_token)]));

    await memory.rotateKeys({ keepOld: false });
    await restart();
    expect(await kidsOf()).not.toContain(kidOf(third.id_token));
  });
});

describe("what the provider records", () => {
  it("is every request with the names of its parameters, and no value", async () => {
    const configuration = await configure();
    const answer = await (await logIn(configuration, alice())).tokens();
    await client.refreshTokenGrant(configuration, answer.refresh_token ?? "");
    expect(provider.count("discovery")).toBe(1);
    expect(provider.count("authorization")).toBe(1);
    expect(provider.count("token")).toBe(2);
    expect(provider.count("token", "refresh_token")).toBe(1);
    expect(provider.requests.find(({ route }) => route === "token")).toEqual({
      method: "POST",
      path: "/token",
      route: "token",
      parameters: ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"],
      grantType: "authorization_code",
      status: 200,
    });
    const recorded = JSON.stringify(provider.requests);
    for (const secret of [answer.refresh_token, answer.access_token, answer.id_token, accounts.alice.password]) expect(recorded).not.toContain(secret);
  });

  it("leaves the console alone", async () => {
    const prints = (["log", "info", "warn", "error"] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => {}));
    const configuration = await configure();
    const { tokens } = await logIn(configuration, alice());
    await client.tokenRevocation(configuration, (await tokens()).refresh_token ?? "");
    await clickThrough(`${provider.issuer}/auth?client_id=unknown`, alice());
    expect((await clickThrough(`${provider.issuer}/favicon.ico`, alice())).status).toBe(404);
    for (const print of prints) expect(print).not.toHaveBeenCalled();
  });
});
