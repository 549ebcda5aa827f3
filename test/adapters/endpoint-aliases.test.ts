import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { secret } from "../../src/core/secret.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import type { Behaviour, Override } from "../issuer/misbehaving.ts";
import { changeJson } from "../issuer/misbehaviours.ts";
import type { IssuerRoute } from "../issuer/received-request.ts";
import { type EndpointStage, endpointStage } from "./endpoint-stage.ts";

const redirectUri = "http://localhost:8000";
let stage: EndpointStage;
beforeAll(async () => {
  stage = await endpointStage();
});
afterAll(() => stage.issuer.stop());
beforeEach(() => {
  stage.kept.length = 0;
});

const routes: Readonly<Record<string, IssuerRoute>> = {
  "/mtls/token": "token",
  "/mtls/device": "device_authorization",
  "/mtls/revoke": "revocation",
  "/mtls/par": "pushed_authorization",
};
const aliasesAt = (origin: string) => ({
  token_endpoint: `${origin}/mtls/token`,
  device_authorization_endpoint: `${origin}/mtls/device`,
  revocation_endpoint: `${origin}/mtls/revoke`,
  pushed_authorization_request_endpoint: `${origin}/mtls/par`,
});
const discovery = (aliases: unknown): Override =>
  changeJson({ mtls_endpoint_aliases: aliases, require_pushed_authorization_requests: true, pushed_authorization_request_endpoint: `${stage.issuer.issuer}/par` });
/** The issuer answers at the aliases what it would answer at the usual endpoints. */
const withAliases = (aliases: unknown = aliasesAt(stage.issuer.issuer)): Behaviour => ({
  discovery: discovery(aliases),
  unknown: (request) => stage.issuer.properly(request, routes[request.path] ?? "unknown"),
});
const asked = (path: string) => stage.issuer.requests.filter((request) => request.path === path).length;
const certified = () => stage.provider(undefined, undefined, { usesCertificate: true });

async function logIn(provider = certified()) {
  const started = await provider.startAuthorization({ redirectUri, scope: "openid", extra: [], state: provider.randomState() });
  const { headers } = await fetch(started.url, { redirect: "manual" });
  const query = new URL(headers.get("location") ?? "").search;
  return provider.exchangeCode(started, redirectUri, query, { maxAge: undefined, extra: [] }, async ({ refreshToken }) => void stage.kept.push(refreshToken?.reveal() ?? ""));
}

describe("a client with a certificate uses the endpoints that the issuer has for such clients", () => {
  it("for pushed requests, codes, refreshes, device codes and revocations; what comes there is stored before it is judged, as ever [RP-45, K-06, RT-02]", async () => {
    stage.issuer.become(withAliases());
    const first = await logIn();
    const second = await certified().refresh(first.refreshToken ?? secret(""), [], async ({ refreshToken }) => void stage.kept.push(refreshToken?.reveal() ?? ""));
    expect(stage.kept).toEqual([first.refreshToken?.reveal(), second.refreshToken?.reveal()]);
    await certified().startDevice({ scope: "openid", extra: [] });
    expect(await certified().revoke(second.refreshToken ?? secret(""))).toBe(true);
    expect(Object.keys(routes).map(asked)).toEqual([2, 1, 1, 1]);
    expect(["/token", "/device_authorization", "/revoke", "/par"].map(asked)).toEqual([0, 0, 0, 0]);
  });

  it("and the usual ones where it names none, or not this one", async () => {
    const before = asked("/token");
    stage.issuer.become({ discovery: discovery(undefined) });
    await logIn();
    stage.issuer.become({ ...withAliases({ revocation_endpoint: `${stage.issuer.issuer}/mtls/revoke` }) });
    await logIn();
    expect(asked("/token")).toBe(before + 2);
  });

  it("but not without a certificate", async () => {
    const before = [asked("/token"), asked("/mtls/token")];
    stage.issuer.become(withAliases());
    await logIn(stage.provider());
    expect([asked("/token"), asked("/mtls/token")]).toEqual([(before[0] ?? 0) + 1, before[1]]);
  });

  it("whose answers are judged as at the usual ones: a page in place of a revocation, a refusal with a challenge", async () => {
    stage.issuer.become(withAliases());
    const { refreshToken = secret("") } = await logIn();
    stage.issuer.become({ ...withAliases(), unknown: { text: "<title>hotel</title>" } });
    expect(await codeOfPromise(certified().revoke(refreshToken))).toBe("ISSUER_UNREACHABLE");
    stage.issuer.become({ ...withAliases(), unknown: { status: 401, json: { error: "invalid_grant" }, headers: { "www-authenticate": "Basic" } } });
    expect(await codeOfPromise(certified().refresh(refreshToken, [], async () => undefined))).toBe("SESSION_REVOKED");
  });
});

describe("an alias is judged like any other endpoint", () => {
  it.each([
    ["plain http", "http://evil.example/token"],
    ["a file", "file:///etc/passwd"],
    ["a user name", "https://ann@id.example.com/token"],
    ["no text", 7],
    ["no URL", "token"],
    ["control characters", "https://id.example.com/\u001b[2J"],
  ])("%s: DISCOVERY_INVALID, and nothing is sent; without a certificate it is nobody's business [NW-01]", async (_, alias) => {
    stage.issuer.become(withAliases({ token_endpoint: alias }));
    const before = stage.issuer.requests.filter(({ method }) => method === "POST").length;
    expect(await codeOfPromise(certified().facts())).toBe("DISCOVERY_INVALID");
    expect(stage.issuer.requests.filter(({ method }) => method === "POST").length).toBe(before);
    expect((await stage.provider().facts()).issuer).toBe(stage.issuer.issuer);
  });

  it.each([
    ["a list", []],
    ["a text", "https://id.example.com"],
    ["null", null],
  ])("%s in their place: there are none", async (_, aliases) => {
    const before = asked("/token");
    stage.issuer.become({ discovery: discovery(aliases) });
    expect((await logIn()).claims["sub"]).toBe("alice");
    expect(asked("/token")).toBe(before + 1);
  });
});
