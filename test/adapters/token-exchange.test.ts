import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { accessTokenType, type ExchangeRequest, idTokenType, tokenType } from "../../src/core/issued-token.ts";
import { secret } from "../../src/core/secret.ts";
import { isOidcError, type OidcError } from "../../src/errors/oidc-error.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import type { Forgery } from "../issuer/issuer-keys.ts";
import { exchangeGrant } from "../issuer/machine-answers.ts";
import type { Behaviour } from "../issuer/misbehaving.ts";
import { changeJson, tokenFaults } from "../issuer/misbehaviours.ts";
import { type EndpointStage, endpointStage, memoryCache } from "./endpoint-stage.ts";

let stage: EndpointStage;
beforeAll(async () => {
  stage = await endpointStage();
});
afterAll(() => stage.issuer.stop());
beforeEach(() => stage.issuer.become({}));

const subjectToken = `head.${Buffer.from(JSON.stringify({ sub: "repo:acme/web" })).toString("base64url")}.signature-of-the-platform`;
const request = (more: Partial<ExchangeRequest> = {}): ExchangeRequest => ({
  subjectToken: secret(subjectToken),
  subjectTokenType: tokenType("jwt"),
  requestedTokenType: accessTokenType,
  audience: ["prod"],
  scope: undefined,
  ...more,
});
const exchange = (more?: Partial<ExchangeRequest>, signal?: AbortSignal) => stage.provider().exchangeToken(request(more), signal);
const now = () => Math.floor(Date.now() / 1000);
const errorOf = async (promise: Promise<unknown>): Promise<OidcError> => {
  try {
    await promise;
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
  throw new Error("it did not fail");
};

describe("a token exchange", () => {
  it("sends what RFC 8693 names, and nothing that was not said [X-01]", async () => {
    const { token, claims, expiresAt } = await exchange();
    expect(stage.issuer.secrets).toContain(token.reveal());
    expect(claims).toMatchObject({ sub: "repo:acme/web", aud: "prod", iss: stage.issuer.issuer });
    expect(expiresAt - now()).toBeGreaterThan(3_590);
    const { form } = stage.issuer.received("token", exchangeGrant).at(-1) ?? { form: new URLSearchParams() };
    expect(Object.fromEntries(form)).toEqual({
      grant_type: exchangeGrant,
      client_id: "kubernetes",
      subject_token: subjectToken,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      audience: "prod",
    });
    await exchange({ audience: ["prod", "stage"], scope: "openid groups" });
    const second = stage.issuer.received("token", exchangeGrant).at(-1)?.form;
    expect([second?.getAll("audience"), second?.get("scope")]).toEqual([["prod", "stage"], "openid groups"]);
  });
  it("takes the token type N_A, which an ID token has [X-01]", async () => {
    expect((await exchange({ requestedTokenType: idTokenType })).claims["aud"]).toBe("prod");
    // Asked for nobody in particular it is for this client, as every ID token.
    expect((await exchange({ requestedTokenType: idTokenType, audience: [] })).claims["aud"]).toBe("kubernetes");
    stage.issuer.become({ idToken: { claims: { aud: "somebody-else" } } });
    expect(await codeOfPromise(exchange({ requestedTokenType: idTokenType, audience: [] }))).toBe("ID_TOKEN_INVALID");
    expect(await codeOfPromise(exchange({ audience: [] }))).toBe("none");
  });
  it.each<[string, number, string, string | undefined, string, RegExp]>([
    ["a subject token that it cannot verify", 401, "access_denied", undefined, "SUBJECT_TOKEN_INVALID", /what the issuer trusts/],
    ["a type of subject token that it does not know", 400, "request_not_supported", "Invalid subject_token_type.", "SUBJECT_TOKEN_INVALID", /--subject-token-type=id_token/],
    ["no connector, or an unknown one", 400, "invalid_request", "Requested connector does not exist.", "SUBJECT_TOKEN_INVALID", /connector_id=ID/],
    ["the audience of a client that does not trust this one", 500, "server_error", undefined, "ISSUER_UNREACHABLE", /trustedPeers/],
  ])("tells what Dex says of %s", async (_, status, error, description, code, hint) => {
    stage.issuer.become({ token: { status, json: { error, error_description: description } } });
    const said = await errorOf(exchange({ scope: "email audience:server:client_id:prod" }));
    expect(said).toMatchObject({ code, hint: expect.stringMatching(hint) });
  });
  it.each<[string, number, string, string | undefined, string]>([
    ["a server's fault", 500, "server_error", undefined, "ISSUER_UNREACHABLE"],
    ["a client that may not exchange", 403, "access_denied", "Client not allowed to exchange", "CLIENT_REJECTED"],
    ["what it does not support besides", 400, "request_not_supported", "Invalid requested_token_type.", "CLIENT_REJECTED"],
  ])("takes %s for what it is where the words are not Dex'", async (_, status, error, description, code) => {
    stage.issuer.become({ token: { status, json: { error, error_description: description } } });
    expect(await errorOf(exchange({ scope: "email" }))).toMatchObject({ code, hint: expect.not.stringMatching(/trustedPeers|subject/) });
  });
  it("ends where the answer says so, when that is sooner than the token does", async () => {
    stage.issuer.become({ token: changeJson({ expires_in: 60 }) });
    expect((await exchange()).expiresAt - now()).toBeLessThan(62);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["none", { issued_token_type: undefined }],
    ["another", { issued_token_type: "urn:ietf:params:oauth:token-type:refresh_token" }],
    ["no text", { issued_token_type: ["urn:ietf:params:oauth:token-type:access_token"] }],
  ])("refuses an answer whose token has the type %s [X-02]", async (_, change) => {
    stage.issuer.become({ token: changeJson(change) });
    expect(await codeOfPromise(exchange())).toBe("ID_TOKEN_INVALID");
  });
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["a token that is bound to a key", { token_type: "DPoP" }, "ID_TOKEN_INVALID"],
    ["a token that is no JWT", { access_token: "opaque-token-of-the-issuer" }, "ID_TOKEN_MISSING"],
    ["no token", { access_token: undefined }, "ISSUER_UNREACHABLE"],
    ["no token type", { token_type: undefined }, "ISSUER_UNREACHABLE"],
  ])("refuses %s", async (_, change, code) => {
    stage.issuer.become({ token: changeJson(change) });
    expect(await codeOfPromise(exchange())).toBe(code);
  });
  it.each<[string, Forgery | (() => Forgery)]>([
    ["for another audience", { claims: { aud: "stage" } }],
    ["for no audience", { claims: { aud: undefined } }],
    ["of another issuer", { claims: { iss: "https://elsewhere.example" } }],
    ["of no issuer", { claims: { iss: undefined } }],
    ["that has expired", () => ({ claims: { iat: now() - 7_200, exp: now() - 3_600 } })],
    ["without an end", { claims: { exp: undefined } }],
    ["issued tomorrow", () => ({ claims: { iat: now() + 86_400, exp: now() + 90_000 } })],
    ["without an issue time", { claims: { iat: undefined } }],
    ["that is not valid yet", () => ({ claims: { nbf: now() + 3_600 } })],
    ["with an extension that nobody knows", { header: { crit: ["urn:example:unknown"], "urn:example:unknown": true } }],
    ["signed by a stranger", { key: "stranger" }],
    ["signed with a shared secret", { alg: "HS256" }],
    ["without a signature", { alg: "none" }],
    ["whose signature was cut", { bent: (token) => token.slice(0, -8) }],
    ["whose claims were changed", { bent: (token) => token.replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ sub: "eve" })).toString("base64url")}.`) }],
  ])("refuses a token %s [X-03]", async (_, forgery) => {
    stage.issuer.become({ idToken: () => (typeof forgery === "function" ? forgery() : forgery) });
    const error = await errorOf(exchange());
    expect(error.code, error.message).toBe("ID_TOKEN_INVALID");
    expect(`${error.message} ${error.reason} ${error.hint}`).not.toContain(subjectToken);
  });
  it("looks for a new key once, and believes none that is not published [X-03]", async () => {
    const cache = memoryCache();
    await stage.provider(cache).exchangeToken(request());
    const before = stage.issuer.count("jwks");
    const known = stage.provider(cache);
    await known.exchangeToken(request());
    expect(stage.issuer.count("jwks")).toBe(before);
    await stage.issuer.rotateKeys();
    await known.exchangeToken(request());
    expect(stage.issuer.count("jwks")).toBe(before + 1);
    await stage.issuer.rotateKeys({ sameNames: true });
    await known.exchangeToken(request());
    expect(stage.issuer.count("jwks")).toBe(before + 2);
    stage.issuer.become({ idToken: { key: "stranger" } });
    expect(await codeOfPromise(known.exchangeToken(request()))).toBe("ID_TOKEN_INVALID");
    expect(stage.issuer.count("jwks")).toBe(before + 3);
  });
  it.each<[string, Behaviour]>([
    ["broken", { jwks: { status: 500, text: "" } }],
    ["a page", { jwks: { text: "<title>Welcome</title>" } }],
    ["no set", { jwks: { json: { keys: "none" } } }],
  ])("keys that are %s are a fault of the issuer, and the token is not used", async (_, behaviour) => {
    stage.issuer.become(behaviour);
    expect(await codeOfPromise(exchange())).toBe("ISSUER_UNREACHABLE");
  });

  it.each<[string, string]>([
    ["invalid_grant", "SUBJECT_TOKEN_INVALID"],
    ["invalid_request", "SUBJECT_TOKEN_INVALID"],
    ["invalid_target", "SCOPE_REJECTED"],
    ["invalid_scope", "SCOPE_REJECTED"],
    ["unauthorized_client", "CLIENT_REJECTED"],
    ["invalid_client", "CLIENT_REJECTED"],
    ["access_denied", "CLIENT_REJECTED"],
    ["unsupported_grant_type", "GRANT_UNSUPPORTED"],
    ["server_error", "ISSUER_UNREACHABLE"],
  ])("%s is %s, with the issuer's words made safe and without the subject token", async (error, code) => {
    stage.issuer.become({ token: oauthError(error, `no \u001b[2J\u202e\u009b ${subjectToken}`) });
    const failed = await errorOf(exchange());
    expect(failed.code).toBe(code);
    expect(failed.reason).toContain(error);
    expect(`${failed.message}${failed.reason}${failed.hint}`).not.toMatch(/\p{Cc}|\p{Cf}|signature-of-the-platform/u);
    if (error === "invalid_target") expect(failed.message).toContain("prod");
  });
  it.each(Object.entries(tokenFaults))("a token endpoint that %s is ISSUER_UNREACHABLE", async (_, behaviour) => {
    stage.issuer.become(behaviour);
    expect(await codeOfPromise(exchange())).toBe("ISSUER_UNREACHABLE");
  });
  it("a refresh token that was slipped into the answer is in nothing that is given [X-04]", async () => {
    stage.issuer.become({ token: changeJson({ refresh_token: "refresh-token-nobody-asked-for" }) });
    const given = await exchange();
    expect([Object.keys(given).sort(), JSON.stringify(given.claims)]).toEqual([["claims", "expiresAt", "token"], expect.not.stringContaining("refresh-token")]);
  });
  it("ends with INTERRUPTED while the issuer is silent", async () => {
    const stop = new AbortController();
    stage.issuer.become({
      token: () => {
        stop.abort();
        return new Promise(() => {});
      },
    });
    expect(await codeOfPromise(exchange({}, stop.signal))).toBe("INTERRUPTED");
    expect(await codeOfPromise(exchange({}, AbortSignal.abort()))).toBe("INTERRUPTED");
  });
});
