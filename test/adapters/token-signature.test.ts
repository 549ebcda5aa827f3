import { generateKeyPairSync } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { signatureHolds } from "../../src/adapters/token-signature.ts";

async function signed(alg: string, kid?: string): Promise<{ readonly token: string; readonly key: object }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const token = await new SignJWT({ sub: "ann" }).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(privateKey);
  return { token, key: { ...(await exportJWK(publicKey)), ...(kid === undefined ? {} : { kid }) } };
}

describe("a token's signature", () => {
  it.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"])("of %s holds under its own key alone", async (alg) => {
    const [ours, other] = [await signed(alg), await signed(alg)];
    expect(signatureHolds(ours.token, [other.key, ours.key])).toBe(true);
    expect(signatureHolds(ours.token, [other.key])).toBe(false);
    expect(signatureHolds(ours.token, [])).toBe(false);
    const [head, , end] = ours.token.split(".");
    expect(signatureHolds(`${head}.${Buffer.from(JSON.stringify({ sub: "eve" })).toString("base64url")}.${end}`, [ours.key])).toBe(false);
  });
  it("is looked for under the key that it names, and under keys without a name", async () => {
    const { token, key } = await signed("ES256", "a");
    expect(signatureHolds(token, [key])).toBe(true);
    expect(signatureHolds(token, [{ ...key, kid: "b" }])).toBe(false);
    const { kid: _, ...nameless } = key as { readonly kid: string };
    expect(signatureHolds(token, [nameless])).toBe(true);
  });
  it("never holds by a shared secret, by none, with a fourth part, or under a key that is none", async () => {
    const { token, key } = await signed("RS256");
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
    for (const hostile of [
      `${part({ alg: "none" })}.${part({})}.`,
      `${part({ alg: "HS256" })}.${part({})}.AAAA`,
      `${token}.AAAA`,
      "",
      "a.b.c",
      token.replace(/^[^.]+/, part({ alg: "ES256" })),
    ])
      expect(signatureHolds(hostile, [key, pem, {}, { kty: "RSA", n: "x", e: "y" }])).toBe(false);
  });
});
