import { describe, expect, it } from "vitest";
import { tokenType } from "../../src/core/issued-token.ts";
import { secret } from "../../src/core/secret.ts";
import { judgeSubject, tokenInOutput } from "../../src/core/subject-token.ts";
import { isOidcError } from "../../src/errors/oidc-error.ts";
import { codeOf } from "../fakes/codes.ts";

const now = 1_800_000_000;
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims: object) => `${part({ alg: "RS256" })}.${part(claims)}.the-signature-of-the-platform`;
const proper = { iss: "https://platform.example", sub: "repo:acme/web", aud: "https://id.example.com", iat: now - 60, exp: now + 300 };
const judge = (token: string, more: { readonly type?: string; readonly audiences?: readonly string[] } = {}) =>
  judgeSubject(secret(token), { type: more.type, now, audiences: more.audiences });

describe("a platform's token before it is used", () => {
  it("gives its claims when it can be used", () => {
    expect(judge(jwt(proper), { audiences: ["https://id.example.com"] })).toEqual(proper);
    // One that Kubernetes made before tokens ended.
    expect(judge(jwt({ iss: "kubernetes/serviceaccount", sub: "x" }))).toMatchObject({ sub: "x" });
    expect(judge(jwt({ ...proper, aud: ["a", "b"] }), { audiences: ["b", "c"] })).toMatchObject({ aud: ["a", "b"] });
  });
  it.each<[string, string]>([
    ["is empty", ""],
    ["has a blank in it", `${jwt(proper)} ${jwt(proper)}`],
    ["has a line break in it", `${jwt(proper)}\nx`],
    ["is longer than any token", "x".repeat(70_000)],
    ["is no JWT", "opaque-token"],
    ["has a part that is no JSON", "a.b.c"],
    ["has expired", jwt({ ...proper, exp: now - 3_600 })],
    ["is about to expire", jwt({ ...proper, exp: now + 9 })],
    ["has an end that is no time", jwt({ ...proper, exp: "tomorrow" })],
    ["is not valid yet", jwt({ ...proper, nbf: now + 3_600 })],
    ["names an issuer that is none", jwt({ ...proper, iss: 7 })],
    ["is for somebody else", jwt({ ...proper, aud: "https://elsewhere.example" })],
    ["is for nobody", jwt({ ...proper, aud: undefined })],
  ])("that %s is SUBJECT_TOKEN_INVALID, and nothing of it is said", (_, token) => {
    try {
      judge(token, { audiences: ["https://id.example.com"] });
      expect.unreachable();
    } catch (error) {
      if (!isOidcError(error)) throw error;
      expect(error.code).toBe("SUBJECT_TOKEN_INVALID");
      expect(`${error.message}${error.reason}${error.hint}`).not.toMatch(/signature-of-the-platform|opaque-token|xxxx/);
    }
  });
  it("may be opaque when its type is not a JWT's", () => {
    expect(judge("opaque-token", { type: tokenType("access_token") })).toEqual({});
    expect(codeOf(() => judge("opaque-token", { type: tokenType("id_token") }))).toBe("SUBJECT_TOKEN_INVALID");
    expect(codeOf(() => judge(jwt({ ...proper, exp: now - 1 }), { type: tokenType("access_token") }))).toBe("SUBJECT_TOKEN_INVALID");
  });
  it("shows a hostile audience without its tricks", () => {
    try {
      judge(jwt({ ...proper, aud: "\u001b[2J\u202egpj" }), { audiences: ["x"] });
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toMatch(/\p{Cc}|\p{Cf}/u);
    }
  });
});

describe("the token in what a command prints", () => {
  const [token, other] = [jwt(proper), jwt({ ...proper, sub: "another" })];
  it.each<[string, string]>([
    ["alone", token],
    ["with line breaks around it", `\n  ${token}\r\n\n`],
    ["as spire-agent prints it for people", `token(spiffe://example.org/ci):\n\t${token}\nbundle(spiffe://example.org):\n\t{"keys":[]}\n`],
    [
      "as spire-agent prints it for people, with a hint",
      `token(spiffe://example.org/ci):\n\t${token}\nhint(spiffe://example.org/ci):\n\tinternal\nbundle(spiffe://example.org):\n\t{}\n`,
    ],
    [
      "as spire-agent prints it with -output json",
      JSON.stringify([{ svids: [{ hint: "", spiffe_id: "spiffe://example.org/ci", svid: token }] }, { bundles: { "spiffe://example.org": "e30=" } }]),
    ],
    ["in a TokenRequest", JSON.stringify({ kind: "TokenRequest", status: { token, expirationTimestamp: "2026-01-01T00:00:00Z" } })],
    ["in an ExecCredential", JSON.stringify({ kind: "ExecCredential", status: { token } }, null, 2)],
  ])("is found %s", (_, output) => {
    expect(tokenInOutput(output)).toBe(token);
  });
  it.each<[string, string]>([
    ["nothing", " \n"],
    ["two tokens", `${token}\n${other}`],
    ["a word beside it", `Token: ${token}`],
    ["two SVIDs for people", `token(spiffe://a/1):\n\t${token}\ntoken(spiffe://a/2):\n\t${other}\n`],
    ["two SVIDs as JSON", JSON.stringify([{ svids: [{ svid: token }, { svid: other }] }])],
    ["JSON without one", JSON.stringify({ token })],
    ["JSON that is cut off", `[{"svids":[{"svid":"${token}"`],
    ["SVIDs that are none", JSON.stringify([{ svids: [{ svid: 7 }, null, "x"] }, null])],
    ["a name without a token", "token(spiffe://a/1):\n"],
  ])("is not guessed from %s", (_, output) => {
    try {
      tokenInOutput(output);
      expect.unreachable();
    } catch (error) {
      if (!isOidcError(error)) throw error;
      expect([error.code, `${error.message}${error.hint}`]).toEqual(["SUBJECT_TOKEN_INVALID", expect.not.stringContaining("signature-of-the-platform")]);
    }
  });
});
