import { describe, expect, it } from "vitest";
import { algorithmsOf, chosenAlgorithm } from "../../src/core/client-signature.ts";

describe("the algorithm of a client's signature is the first of its key's that the issuer lists", () => {
  it.each([
    ["RSA", undefined, "RS256"],
    ["RSA", ["RS256", "PS256"], "RS256"],
    ["RSA", ["PS256", "ES256"], "PS256"],
    ["RSA", ["RS512"], "RS512"],
    ["P-256", ["RS256", "ES256"], "ES256"],
    ["P-384", undefined, "ES384"],
    ["P-521", ["ES512"], "ES512"],
    ["Ed25519", ["EdDSA"], "EdDSA"],
    ["Ed25519", ["Ed25519"], "Ed25519"],
    ["Ed25519", undefined, "EdDSA"],
  ] as const)("%s, %j: %s [K-09]", (kind, listed, algorithm) => expect(chosenAlgorithm(algorithmsOf[kind], listed)).toBe(algorithm));

  it("and the usual one when the issuer lists none of them, or no list: lists are often wrong [K-09]", () => {
    for (const listed of [["ES256"], [], "RS256", null, [7]]) expect(chosenAlgorithm(algorithmsOf.RSA, listed)).toBe("RS256");
  });
});
