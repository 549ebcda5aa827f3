import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkAccount, checkIdToken, decodeJwt, displayName, namesAnotherIdentity } from "../../src/core/id-token.ts";
import { codeOf } from "../fakes/codes.ts";

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (claims: object, header: object = { alg: "RS256" }) => `${encode(header)}.${encode(claims)}.sig`;
const now = 1_000_000;
const good = { iss: "https://i", aud: "k", sub: "ann", iat: now, exp: now + 300 };
const check = (claims: object, more: object = {}, header?: object) => codeOf(() => checkIdToken(token(claims, header), { clientId: "k", now, ...more }));

describe("what the library leaves to us", () => {
  it("a good token passes", () => expect(check(good)).toBe("none"));
  it.each([
    ["alg none", good, { alg: "none" }],
    ["alg HS256", good, { alg: "HS256" }],
    ["no alg", good, {}],
    ["another party's azp", { ...good, azp: "other" }, undefined],
    ["issued in the future", { ...good, iat: now + 301 }, undefined],
    ["no iat", { ...good, iat: undefined }, undefined],
    ["no sub", { ...good, sub: undefined }, undefined],
    ["an endless sub", { ...good, sub: "s".repeat(256) }, undefined],
  ])("%s is ID_TOKEN_INVALID", (_, claims, header) => expect(check(claims, {}, header)).toBe("ID_TOKEN_INVALID"));
  it("another subject than before is ACCOUNT_MISMATCH", () => expect(check(good, { subject: "bob" })).toBe("ACCOUNT_MISMATCH"));
  it("acr is verified, not only asked for", () => {
    expect(check({ ...good, acr: "mfa" }, { acrValues: "mfa phr" })).toBe("none");
    expect(check({ ...good, acr: "pwd" }, { acrValues: "mfa" })).toBe("POLICY_NOT_MET");
    expect(check(good, { acrValues: "mfa" })).toBe("POLICY_NOT_MET");
  });
});

it("max-age needs an auth_time that is recent enough", () => {
  expect(check({ ...good, auth_time: now - 50 }, { maxAge: 60 })).toBe("none");
  expect(check({ ...good, auth_time: now - 71 }, { maxAge: 60 })).toBe("POLICY_NOT_MET");
  expect(check(good, { maxAge: 60 })).toBe("POLICY_NOT_MET");
});

describe("accounts", () => {
  it("are compared without case, by any of the names", () => {
    expect(codeOf(() => checkAccount({ email: "Ann@Example.com", sub: "1" }, "ann@example.com"))).toBe("none");
    expect(codeOf(() => checkAccount({ preferred_username: "bob", sub: "1" }, "ann"))).toBe("ACCOUNT_MISMATCH");
    expect(checkAccount({ sub: "1" }, "ann")).toBe(false);
    expect(checkAccount({ sub: "ann" }, "Ann")).toBe(true);
    expect(checkAccount({ sub: "1", email: "ann@example.com" }, "ann@example.com")).toBe(true);
    expect(codeOf(() => checkAccount({ email: "a@b" }, undefined))).toBe("none");
  });
  it("are shown safely", () => expect(displayName({ email: "ann\u001b[2J@example.com" })).toBe("ann [2J@example.com"));
});

describe("a raw answer", () => {
  const expected = { issuer: "https://i", clientId: "k", subject: "ann" };
  const body = (claims: object) => JSON.stringify({ id_token: token(claims) });
  it("for somebody else is known before it is trusted", () => {
    expect(namesAnotherIdentity(body(good), expected)).toBe(false);
    for (const claims of [
      { ...good, iss: "https://j" },
      { ...good, aud: "x" },
      { ...good, sub: "bob" },
    ])
      expect(namesAnotherIdentity(body(claims), expected)).toBe(true);
    expect(namesAnotherIdentity("{", expected)).toBe(false);
  });
});

it("any text decodes to a JWT or to nothing", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      decodeJwt(text);
      expect(decodeJwt(`${text}.${text}.${text}`)).toBeUndefined();
    }),
  );
});
