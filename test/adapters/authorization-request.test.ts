import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ClientKey, readClientKey } from "../../src/adapters/client-key.ts";
import type { ProviderOptions } from "../../src/adapters/provider-options.ts";
import { isOidcError } from "../../src/errors/oidc-error.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { type Answer, oauthError } from "../issuer/issuer-answer.ts";
import type { Behaviour } from "../issuer/misbehaving.ts";
import { changeJson } from "../issuer/misbehaviours.ts";
import { type EndpointStage, endpointStage, withPush } from "./endpoint-stage.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const redirectUri = "http://localhost:8000";
let stage: EndpointStage;
let folder: string;
let clientKey: ClientKey;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-request-"));
  const path = join(folder, "key.pem");
  writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  clientKey = await readClientKey({ option: "client-key-file", path, warn: () => undefined }, "k1");
  stage = await endpointStage();
});
afterAll(async () => {
  await stage.issuer.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => stage.issuer.become({}));

const required = { require_pushed_authorization_requests: true };
const pushing = (more: Readonly<Record<string, unknown>> = {}, behaviour: Behaviour = {}) => stage.issuer.become({ ...behaviour, discovery: withPush(stage.issuer.issuer, more) });

const start = (options: Partial<ProviderOptions> = {}, extra: readonly (readonly [string, string])[] = []) => {
  const asked = stage.provider(undefined, undefined, options);
  return asked.startAuthorization({ redirectUri, scope: "openid offline_access", extra, state: asked.randomState() });
};
const pushed = () => stage.issuer.received("pushed_authorization").length;
const parametersOf = (url: string) => Object.fromEntries(new URL(url).searchParams);

describe("a pushed authorization request", () => {
  it.each([
    ["auto", {}, false],
    ["auto", required, true],
    ["always", {}, true],
    ["always", required, true],
    ["never", {}, false],
    ["never", required, false],
  ] as const)("--par=%s at an issuer with %j: %s [R-01]", async (par, metadata, pushes) => {
    pushing(metadata);
    const before = pushed();
    const { expiresIn, url } = await start({ par });
    expect([pushed() - before, expiresIn, new URL(url).searchParams.has("request_uri")]).toEqual(pushes ? [1, 60, true] : [0, undefined, false]);
  });

  it("without --par is as auto, and nothing is pushed where nobody demands it [R-01]", async () => {
    const before = pushed();
    expect(parametersOf((await start()).url)).toMatchObject({ response_type: "code", code_challenge_method: "S256" });
    expect(pushed()).toBe(before);
  });

  it.each([
    ["always", {}],
    ["auto", required],
  ] as const)("--par=%s where there is no endpoint for it (%j): GRANT_UNSUPPORTED [R-01]", async (par, metadata) => {
    stage.issuer.become({ discovery: changeJson(metadata) });
    expect(await codeOfPromise(start({ par }))).toBe("GRANT_UNSUPPORTED");
  });

  it("leaves the client ID and a reference for the browser; everything else goes to the issuer, with the client's proof [R-02]", async () => {
    pushing();
    const { url, state, nonce } = await start({ par: "always", clientKey }, [
      ["resource", "https://a"],
      ["resource", "https://b"],
      ["login_hint", "ann"],
    ]);
    expect(Object.keys(parametersOf(url)).sort()).toEqual(["client_id", "request_uri"]);
    const { form } = stage.issuer.received("pushed_authorization").at(-1) ?? { form: new URLSearchParams() };
    expect(Object.fromEntries(form)).toMatchObject({
      client_id: "kubernetes",
      response_type: "code",
      redirect_uri: redirectUri,
      state,
      nonce,
      code_challenge_method: "S256",
      login_hint: "ann",
      client_assertion: expect.stringMatching(/^ey/),
    });
    expect(form.getAll("resource")).toEqual(["https://a", "https://b"]);
  });

  it("and its answer bring a login to its end [R-02]", async () => {
    pushing(required);
    const asked = stage.provider();
    const started = await asked.startAuthorization({ redirectUri, scope: "openid", extra: [], state: asked.randomState() });
    const { headers } = await fetch(started.url, { redirect: "manual" });
    const answer = await asked.exchangeCode(started, redirectUri, new URL(headers.get("location") ?? "").search, { maxAge: undefined, extra: [] }, async () => undefined);
    expect(answer.claims["sub"]).toBe("alice");
  });

  it.each<[string, Answer, string]>([
    ["a scope that is refused", oauthError("invalid_scope"), "SCOPE_REJECTED"],
    ["a policy", oauthError("access_denied", "Policy evaluation failed"), "LOGIN_DENIED"],
    ["a client that is not known", { ...oauthError("invalid_client"), status: 401, headers: { "www-authenticate": "Basic" } }, "CLIENT_REJECTED"],
    ["a redirect URL that is not registered", oauthError("invalid_request", "redirect_uri did not match"), "CLIENT_REJECTED"],
    ["a response type that is not allowed", oauthError("unsupported_response_type"), "GRANT_UNSUPPORTED"],
    ["a request object that is refused", oauthError("invalid_request_object"), "CLIENT_REJECTED"],
    ["an issuer that is busy", { ...oauthError("temporarily_unavailable"), status: 503 }, "ISSUER_UNREACHABLE"],
    ["an issuer that is broken", { status: 500, text: "<h1>broken" }, "ISSUER_UNREACHABLE"],
    ["no reference", { status: 201, json: { expires_in: 60 } }, "ISSUER_UNREACHABLE"],
    ["a reference that is no text", { status: 201, json: { request_uri: { evil: true }, expires_in: 60 } }, "ISSUER_UNREACHABLE"],
    ["a reference that no URL holds", { status: 201, json: { request_uri: "u".repeat(10_000), expires_in: 60 } }, "ISSUER_UNREACHABLE"],
    ["a page", { status: 201, text: "<title>hotel</title>" }, "ISSUER_UNREACHABLE"],
  ])("%s: an error of its own, and no browser [R-04]", async (_, answer, code) => {
    pushing(required, { pushed_authorization: answer });
    expect(await codeOfPromise(start())).toBe(code);
  });

  it.each<[string, Answer, number]>([
    ["with status 200", { json: { request_uri: "urn:x", expires_in: 30 } }, 30],
    ["without its life", { status: 201, json: { request_uri: "urn:x" } }, 60],
    ["with its life as a text", { status: 201, json: { request_uri: "urn:x", expires_in: "45" } }, 45],
  ])("an answer %s is taken [R-05]", async (_, answer, expiresIn) => {
    pushing(required, { pushed_authorization: answer });
    const started = await start();
    expect([started.expiresIn, parametersOf(started.url)]).toEqual([expiresIn, { client_id: "kubernetes", request_uri: "urn:x" }]);
  });

  it("a reference is data: it cannot become a second parameter or another address [R-02]", async () => {
    const evil = "urn:x&redirect_uri=https://evil.example#\u001b[2J";
    pushing(required, { pushed_authorization: { status: 201, json: { request_uri: evil, expires_in: 60 } } });
    const { url } = await start();
    expect(parametersOf(url)).toEqual({ client_id: "kubernetes", request_uri: evil });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(url).not.toMatch(/[\u0000-\u001f]/);
  });

  it("goes to an https endpoint, or nowhere [NW-01]", async () => {
    stage.issuer.become({ discovery: changeJson({ pushed_authorization_request_endpoint: "http://evil.example/par" }) });
    expect(await codeOfPromise(start({ par: "always" }))).toBe("DISCOVERY_INVALID");
  });
});

describe("a signed authorization request (RFC 9101)", () => {
  const signing = { require_signed_request_object: true, request_object_signing_alg_values_supported: ["ES256"] };
  const claimsIn = async (request: string) =>
    (await jwtVerify(request, createPublicKey(privateKey), { issuer: "kubernetes", audience: stage.issuer.issuer, typ: "oauth-authz-req+jwt" })).payload;

  it("is what the browser carries when the issuer demands it: the request is in it, and nothing beside it [R-06]", async () => {
    stage.issuer.become({ discovery: changeJson(signing) });
    const { url, state, nonce } = await start({ clientKey }, [["max_age", "60"]]);
    const { request = "", ...rest } = parametersOf(url);
    expect(rest).toEqual({ client_id: "kubernetes" });
    expect(await claimsIn(request)).toMatchObject({
      response_type: "code",
      redirect_uri: redirectUri,
      scope: "openid offline_access",
      state,
      nonce,
      code_challenge_method: "S256",
      max_age: 60,
      client_id: "kubernetes",
    });
    expect(JSON.parse(Buffer.from(request.split(".")[0] ?? "", "base64url").toString())).toEqual({ alg: "ES256", typ: "oauth-authz-req+jwt", kid: "k1" });
  });

  it("is good for ten minutes, while its URL goes to another computer [R-06]", async () => {
    stage.issuer.become({ discovery: changeJson(signing) });
    const { exp = 0, nbf = 0 } = await claimsIn(parametersOf((await start({ clientKey })).url)["request"] ?? "");
    expect(Math.abs(exp - Date.now() / 1000 - 600)).toBeLessThan(5);
    expect(Date.now() / 1000 - nbf).toBeGreaterThanOrEqual(29);
  });

  it("is pushed too, where that is demanded beside it [R-06]", async () => {
    pushing({ ...required, ...signing });
    const { url, state } = await start({ clientKey });
    expect(Object.keys(parametersOf(url)).sort()).toEqual(["client_id", "request_uri"]);
    const { form } = stage.issuer.received("pushed_authorization").at(-1) ?? { form: new URLSearchParams() };
    expect([...form.keys()].sort()).toEqual(["client_assertion", "client_assertion_type", "client_id", "request"]);
    expect((await claimsIn(form.get("request") ?? ""))["state"]).toBe(state);
  });

  it("without a key: SETTINGS_INCOMPLETE, naming --client-key-file; nothing is sent [R-06]", async () => {
    pushing({ ...required, ...signing });
    const before = pushed();
    const fault = await start().catch((error: unknown) => error);
    expect(isOidcError(fault) && [fault.code, fault.hint]).toEqual(["SETTINGS_INCOMPLETE", expect.stringContaining("--client-key-file")]);
    expect(pushed()).toBe(before);
  });
});

it("no extra parameter takes the place of the request: not a request object, a reference or another client [P-02, B-08]", async () => {
  const extra = [
    ["request", "ey.ey.x"],
    ["request_uri", "https://evil.example/request"],
    ["client_id", "another"],
  ] as const;
  const parameters = parametersOf((await start({}, extra)).url);
  expect(parameters).toMatchObject({ client_id: "kubernetes", response_type: "code", code_challenge_method: "S256" });
  expect(Object.keys(parameters)).not.toEqual(expect.arrayContaining(["request"]));
  expect(Object.keys(parameters)).not.toEqual(expect.arrayContaining(["request_uri"]));
});
