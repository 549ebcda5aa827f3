import { describe, expect, it } from "vitest";
import { acceptedAlgorithms, signingAlgorithms } from "../../src/core/id-token.ts";
import { checkAnswerIssuer } from "../../src/core/callback.ts";
import { checkRefreshed, loginFactsOf } from "../../src/core/refreshed-token.ts";
import { loginOf, parseSecretItem, type SecretItem } from "../../src/core/session.ts";
import { isTokenAnswer } from "../../src/core/token-answer.ts";
import { codeOf } from "../fakes/codes.ts";

const now = 1_800_000_000;
const item = { schema: 1, refreshToken: "r", trust: { insecure: false, authorities: [] }, servers: [] } as const;

describe("what a login said", () => {
  const claims = { iat: now, auth_time: now - 60, azp: "k", nonce: "n".repeat(43), sub: "ann" };

  it("is kept without the nonce itself, and in little room", () => {
    const text = JSON.stringify(loginFactsOf(claims));
    expect(text).not.toContain(claims.nonce);
    // A Windows credential holds 2,560 bytes.
    expect(text.length).toBeLessThan(120);
    expect(loginFactsOf({ sub: "ann" })).toEqual({});
  });

  it("is read back with the item; items of before are read without it, and nothing is compared then [RF-03, RF-04]", () => {
    const login = loginFactsOf(claims);
    expect(parseSecretItem(JSON.stringify({ ...item, login }))).toEqual({ ...item, login });
    const older = parseSecretItem(JSON.stringify(item)) as SecretItem;
    expect(older).toEqual(item);
    expect(codeOf(() => checkRefreshed({ iat: 1, auth_time: 2, azp: "k", nonce: "x" }, loginOf(older), now))).toBe("none");
  });

  it.each([[{ iat: "1" }], [{ azp: false }], [{ nonce: 1 }], [[]], ["x"]])("is no part of a readable item when it is %j", (login) =>
    expect(parseSecretItem(JSON.stringify({ ...item, login }))).toBe("damaged"),
  );

  it("is not compared with the answer of a newer login that waits to be judged [RF-03]", () => {
    const pending = { body: "{}", receivedAt: "2026-01-01T00:00:00Z" };
    const login = loginFactsOf(claims);
    expect(loginOf({ ...item, login, pending })).toBe(login);
    expect(loginOf({ ...item, login, pending: { ...pending, ofNewLogin: true } })).toBeUndefined();
  });
});

describe("the algorithms of ID tokens", () => {
  it.each([
    ["are RS256 alone when the issuer lists nothing [ID-07]", undefined, ["RS256"]],
    ["are RS256 alone when it lists none and HS256 [ID-07, RP-92]", ["none", "HS256", "HS512"], ["RS256"]],
    ["are RS256 alone when its list is none [ID-07]", "ES256", ["RS256"]],
    ["are those of its list, without none and HS256 [ID-07]", ["none", "HS256", "ES256", "PS384"], ["PS384", "ES256"]],
  ])("%s", (_, listed, accepted) => expect(acceptedAlgorithms(listed)).toEqual(accepted));
  it("are asymmetric, all of them [ID-07]", () => expect(signingAlgorithms.filter((algorithm) => !/^(RS|PS|ES|Ed)/.test(algorithm))).toEqual([]));
});

describe("the issuer that an authorization answer names", () => {
  const issuer = "https://id.example.com";
  const judge = (query: string, isPromised = true) => codeOf(() => checkAnswerIssuer(query, issuer, isPromised));
  const named = (name: string) => `?code=c&state=s&iss=${encodeURIComponent(name)}`;
  it.each([
    ["is ours [I-01]", named(issuer), true, "none"],
    ["is ours, which nobody promised [I-04]", named(issuer), false, "none"],
    ["is another [I-01]", named("https://evil.example.com"), true, "ISSUER_MISMATCH"],
    ["is another, and no name was promised [I-04]", named("https://evil.example.com"), false, "ISSUER_MISMATCH"],
    ["is ours with a slash more [I-01]", named(`${issuer}/`), true, "ISSUER_MISMATCH"],
    ["is ours in capitals [I-01]", named("https://ID.example.com"), true, "ISSUER_MISMATCH"],
    ["is empty [I-01]", named(""), false, "ISSUER_MISMATCH"],
    ["is missing although it was promised [I-02]", "?code=c&state=s", true, "ISSUER_MISMATCH"],
    ["is missing, and nobody promised it [I-04]", "?code=c&state=s", false, "none"],
    ["is there twice [I-06]", `${named(issuer)}&iss=${encodeURIComponent(issuer)}`, true, "ISSUER_MISMATCH"],
    ["is another, in a refusal [I-03]", "?error=access_denied&state=s&iss=https%3A%2F%2Fevil.example.com", true, "ISSUER_MISMATCH"],
  ] as const)("%s", (_, query, isPromised, code) => expect(judge(query, isPromised)).toBe(code));
});

it("a stored answer has the form of one, or is not judged for ever", () => {
  const answer = { access_token: "a", token_type: "Bearer", id_token: "i", refresh_token: "r", expires_in: "300", scope: "openid" };
  expect(isTokenAnswer(JSON.stringify(answer))).toBe(true);
  expect(isTokenAnswer(JSON.stringify({ access_token: "a", token_type: "Bearer" }))).toBe(true);
  for (const changes of [
    { access_token: undefined },
    { access_token: "" },
    { token_type: 1 },
    { id_token: null },
    { refresh_token: 1 },
    { scope: [] },
    { expires_in: "soon" },
    { expires_in: -1 },
  ])
    expect(isTokenAnswer(JSON.stringify({ ...answer, ...changes })), JSON.stringify(changes)).toBe(false);
  for (const text of ["", "{", "[]", "null", '"a"']) expect(isTokenAnswer(text)).toBe(false);
});
