import { describe, expect, it } from "vitest";
import { provingKeys } from "../../src/core/key-set.ts";

/** A Base64urlUInt of so many bytes that begins with `first`. */
const number = (bytes: number, first = 0xc1) => Buffer.from([first, ...Array.from({ length: bytes - 1 }, () => 0xab)]).toString("base64url");
const rsa = { kty: "RSA", kid: "r", n: number(256), e: "AQAB" };
const ec = { kty: "EC", kid: "e", crv: "P-256", x: number(32), y: number(32) };
const ed = { kty: "OKP", kid: "o", crv: "Ed25519", x: number(32) };
const kept = (...keys: unknown[]) => provingKeys({ keys });

describe("the keys of a key set that prove something", () => {
  it("are the public asymmetric ones, as they came", () => expect(kept(rsa, ec, ed)).toEqual([rsa, ec, ed]));
  it("may be of 16,384 bits, and may have an exponent of 3", () => expect(kept({ ...rsa, n: number(2048) }, { ...rsa, e: "Aw" })).toHaveLength(2));

  it.each([
    ["RSA of 512 bits", { ...rsa, n: number(64) }],
    ["RSA of 1024 bits with zeros before", { ...rsa, n: Buffer.concat([Buffer.alloc(200), Buffer.from(number(128), "base64url")]).toString("base64url") }],
    ["RSA of 32,768 bits", { ...rsa, n: number(4096) }],
    ["RSA with the exponent 1: every text is its own signature", { ...rsa, e: "AQ" }],
    ["RSA with the exponent 1 behind zeros", { ...rsa, e: "AAAB" }],
    ["RSA with an even exponent", { ...rsa, e: "Ag" }],
    ["RSA with the exponent 0", { ...rsa, e: "AA" }],
    ["RSA with an exponent as long as the key", { ...rsa, e: number(255, 0x7f) }],
    ["RSA without a modulus", { kty: "RSA", e: "AQAB" }],
    ["RSA with a modulus that is no Base64url", { ...rsa, n: `${number(256)}==\u0000` }],
    ["RSA with a modulus that is a number", { ...rsa, n: 5 }],
    ["symmetric: whoever checks could sign", { kty: "oct", k: "c2VjcmV0" }],
    ["an EC private key", { ...ec, d: number(32) }],
    ["an RSA private key", { ...rsa, d: number(256), p: number(128) }],
    ["half of an RSA private key", { ...rsa, q: number(128) }],
    ["of an unknown kind", { kty: "AKP", pub: "x" }],
    ["without a kind", { n: rsa.n, e: rsa.e }],
    ["no object", "RSA"],
    ["null", null],
    ["a list", [rsa]],
  ])("leave out what is %s [NW-03]", (_, key) => expect(kept(key, ec)).toEqual([ec]));

  it("keep the members that can say what a key is: what nests for ever would overflow the stack when it is stored [NW-03]", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(60_000)}${"]".repeat(60_000)}`);
    const found = kept({ ...ec, kid: "a", key_ops: ["verify"], x5c: deep, odd: { nested: 1 }, count: 5 });
    expect(found).toEqual([{ ...ec, kid: "a", key_ops: ["verify"] }]);
    expect(() => JSON.stringify(found)).not.toThrow();
  });

  it("are a hundred at most [NW-03]", () => {
    expect(kept(...Array.from({ length: 100 }, () => ec))).toHaveLength(100);
    expect(kept(...Array.from({ length: 101 }, () => ec))).toBe("too many");
    // Counted as they came: judging ten thousand is work too.
    expect(kept(...Array.from({ length: 10_000 }, () => null))).toBe("too many");
  });
  it.each([null, [], "keys", 5, {}, { keys: {} }, { keys: "x" }, { keys: null }])("are none in %j, which is no key set", (set) => expect(provingKeys(set)).toBeUndefined());
});
