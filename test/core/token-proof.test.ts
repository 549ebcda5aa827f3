import { expect, it } from "vitest";
import { proveToken, textsOf } from "../../src/core/token-proof.ts";

const said = (...ids: string[]) => ({ "authentication.kubernetes.io/credential-id": ids });

it.each([
  ["same", { jti: "a" }, said("JTI=a")],
  ["same", { jti: "a" }, said("X509SHA256=b", "JTI=a")],
  ["other", { jti: "a" }, said("JTI=b")],
  ["other", { jti: "a" }, said("X509SHA256=a")],
  ["other", {}, said("X509SHA256=a")],
  ["not-said", { jti: "a" }, {}],
  ["no-jti", {}, {}],
  ["no-jti", { jti: 7 }, {}],
] as const)("%s: %o, the server says %o", (expected, claims, extra) => expect(proveToken(claims, extra)).toBe(expected));

it("a claim is a text or a list of texts", () => {
  expect([textsOf("a"), textsOf(["a", "b"]), textsOf([]), textsOf(["a", 1]), textsOf(undefined), textsOf({})]).toEqual([["a"], ["a", "b"], [], undefined, undefined, undefined]);
});
