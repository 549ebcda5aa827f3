import { expect, it } from "vitest";
import { decodeJwt } from "../../src/core/id-token.ts";
import { isNestedDeeper } from "../../src/core/json-depth.ts";

it.each<[string, number, boolean]>([
  ["{}", 1, false],
  ["[[]]", 1, true],
  ["[[],[],[]]", 2, false],
  ['{"a":"[[[[[["}', 1, false],
  ['{"a\\"[[[":[1]}', 2, false],
  ['["\\\\",[[]]]', 2, true],
  ["x".repeat(100_000), 0, false],
])("%s nests deeper than %d: %s", (json, most, expected) => expect(isNestedDeeper(json, most)).toBe(expected));

it("claims that nest too deeply are no token: writing them again would overflow the stack", () => {
  const part = (text: string) => Buffer.from(text).toString("base64url");
  const deep = `{"sub":"ann","x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
  expect(decodeJwt(`${part("{}")}.${part(deep)}.x`)).toBeUndefined();
  expect(decodeJwt(`${part("{}")}.${part('{"sub":"ann","x":[[[[1]]]]}')}.x`)?.claims["sub"]).toBe("ann");
});
