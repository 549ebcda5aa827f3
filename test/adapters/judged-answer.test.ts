import { describe, expect, it } from "vitest";
import { judgedAnswer } from "../../src/adapters/judged-answer.ts";
import type { ProviderOptions } from "../../src/adapters/provider-options.ts";
import { codeOf } from "../fakes/codes.ts";

const now = 1_800_000_000;
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims: object) => `${encode({ alg: "ES256" })}.${encode({ iss: "https://i", aud: "k", sub: "ann", iat: now, exp: now + 3600, ...claims })}.sig`;
const judge = (answer: object, options: Partial<ProviderOptions> = {}) =>
  codeOf(() =>
    judgedAnswer(
      { access_token: jwt({}), token_type: "bearer", expiresIn: () => undefined, claims: () => undefined, ...answer } as unknown as Parameters<typeof judgedAnswer>[0],
      { clientId: "k", useAccessToken: false, acrValues: undefined, now: () => now * 1000, ...options } as ProviderOptions,
      undefined,
    ),
  );

describe("the token that is handed out must still be of use [ID-08]", () => {
  const used = { useAccessToken: true };
  it.each([
    ["an ID token of an hour with 9 s left is refused", { id_token: jwt({ iat: now - 3591, exp: now + 9 }) }, {}, "ID_TOKEN_INVALID"],
    ["with 11 s left it is accepted", { id_token: jwt({ iat: now - 3589, exp: now + 11 }) }, {}, "none"],
    ["one that lives for 12 s is accepted at its birth", { id_token: jwt({ exp: now + 12 }) }, {}, "none"],
    ["an access token with 9 s left is refused", { access_token: jwt({ iat: now - 3591, exp: now + 9 }) }, used, "ID_TOKEN_INVALID"],
    ["one of which the answer says so too", { access_token: jwt({ iat: now - 3591 }), expiresIn: () => 9 }, used, "ID_TOKEN_INVALID"],
    ["beside a good access token an ID token near its end proves who logged in", { id_token: jwt({ iat: now - 3591, exp: now + 9 }) }, used, "none"],
  ] as const)("%s", (_, answer, options, code) => expect(judge(answer, options)).toBe(code));
});

it("without the token that is wanted there is no credential [ID-15]", () => {
  expect(judge({})).toBe("ID_TOKEN_MISSING");
  expect(judge({ access_token: "opaque", id_token: jwt({}) }, { useAccessToken: true })).toBe("ID_TOKEN_MISSING");
  expect(judge({ access_token: "opaque", id_token: jwt({}) })).toBe("none");
});
