import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mixedName } from "../../src/core/mixed-name.ts";

describe("a mixed name", () => {
  it("is 16 hex digits, the same for the same texts", () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: "grapheme" })), (texts) => /^[0-9a-f]{16}$/.test(mixedName(texts)) && mixedName(texts) === mixedName([...texts])));
    expect(mixedName(["get-token", "--oidc-client-id=kubernetes"])).toBe(mixedName(["get-token", "--oidc-client-id=kubernetes"]));
  });

  it("tells texts apart that differ in one character anywhere, the last of an odd length included", () => {
    const text = "--oidc-issuer-url=https://id.example.com/realms/x";
    const all = [text, text.slice(0, -1), ...Array.from(text, (_, i) => `${text.slice(0, i)}#${text.slice(i + 1)}`)];
    expect(new Set(all.map((one) => mixedName([one]))).size).toBe(all.length);
    expect(mixedName(["ab", "c"])).not.toBe(mixedName(["a", "bc"]));
  });

  it("tells ten thousand clusters apart by server, authority or configuration", () => {
    const info = (server: string, authority: string, audience: string) =>
      JSON.stringify({
        kind: "ExecCredential",
        apiVersion: "client.authentication.k8s.io/v1",
        spec: { cluster: { server, "certificate-authority-data": authority, config: { audience, padding: "x".repeat(100) } }, interactive: true },
      });
    const certificate = (seed: number) => Array.from({ length: 1_500 }, (_, i) => String.fromCharCode(65 + ((seed * 7_919 + i * i * 31 + ((seed * i) >> 3)) % 26))).join("");
    const one = certificate(0);
    const names = [
      ...Array.from({ length: 10_000 }, (_, i) => mixedName([info(`https://k8s-${i}.example.com`, one, "a")])),
      ...Array.from({ length: 200 }, (_, i) => mixedName([info("https://k8s.example.com", certificate(i + 1), "a")])),
      ...Array.from({ length: 2_000 }, (_, i) => mixedName([info("https://k8s.example.com", one, `audience-${i}`)])),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});
