import { describe, expect, it } from "vitest";
import { foreignToken, isTokenOf, newestOfOne } from "../../src/core/foreign-token.ts";
import { secret } from "../../src/core/secret.ts";

const jwt = (claims: object) => ["{}", JSON.stringify(claims), "s"].map((part) => Buffer.from(part).toString("base64url")).join(".");
const client = { issuer: "https://id.example.com", clientId: "kubernetes", useAccessToken: false };
const iss = client.issuer;

describe("whose a token is", () => {
  it.each([
    [true, { iss, aud: "kubernetes" }],
    [true, { iss, aud: ["x", "kubernetes"] }],
    [false, { iss, aud: "x" }],
    [false, { iss: `${iss}/`, aud: "kubernetes" }],
    [false, { aud: "kubernetes" }],
    [false, { iss, aud: "x", azp: "kubernetes" }],
    [false, { iss }],
  ])("%s for %j", (is, claims) => {
    expect(isTokenOf(jwt(claims), client)).toBe(is);
  });

  it.each(["azp", "client_id", "appid", "cid"])("an access token names the client by %s", (name) => {
    expect(isTokenOf(jwt({ iss, aud: "api", [name]: "kubernetes" }), { ...client, useAccessToken: true })).toBe(true);
  });

  it.each(["", "x", "a.b.c", "..", `${"a".repeat(300_000)}.b.c`])("what is no token is nobody's", (text) => {
    expect(isTokenOf(text, client)).toBe(false);
  });
});

describe("several tokens", () => {
  const one = (claims: object) => ({ token: foreignToken(secret("r"), jwt(claims)) });

  it("of one person: the newest", () => {
    const all = [one({ sub: "ann", iat: 2 }), one({ sub: "ann", iat: 9 }), one({ sub: "ann" })];
    expect(newestOfOne(all)).toBe(all[1]);
  });

  it("of several people, or of nobody knows whom: none", () => {
    expect(newestOfOne([one({ sub: "ann", iat: 2 }), one({ sub: "bob", iat: 9 })])).toBeUndefined();
    expect(newestOfOne([one({}), one({})])).toBeUndefined();
    expect(newestOfOne([])).toBeUndefined();
  });

  it("a single one is taken even when it does not say whose it is: the first refresh does", () => {
    const only = { token: foreignToken(secret("r"), undefined) };
    expect(newestOfOne([only])).toBe(only);
    expect(only.token).toMatchObject({ subject: undefined, displayName: undefined, issuedAt: 0 });
  });
});
