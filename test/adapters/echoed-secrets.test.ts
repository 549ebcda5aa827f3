import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutSecretsOf } from "../../src/adapters/echoed-secrets.ts";

const names = ["code", "code_verifier", "refresh_token", "client_secret", "client_assertion", "assertion", "password", "device_code", "subject_token", "token"];

describe("what an issuer says about a request", () => {
  it("holds none of its secrets afterwards: as sent, percent-encoded, or inside JSON [SE-02, SE-03]", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string({ minLength: 6, unit: "grapheme" }), fc.string(), fc.string(), (name, value, before, after) => {
        const clean = withoutSecretsOf(new URLSearchParams({ grant_type: "x", [name]: value }).toString(), {});
        for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])
          expect(clean(`${before}${form}${after}`).replaceAll("[redacted]", "")).not.toContain(form);
      }),
    );
  });

  it("nor the client secret of an Authorization header, nor a bearer token", () => {
    const basic = `Basic ${Buffer.from(`kubernetes:${encodeURIComponent("s3cret value/+")}`).toString("base64")}`;
    const clean = withoutSecretsOf(undefined, { authorization: basic });
    expect(clean(`${basic} s3cret value/+ s3cret%20value%2F%2B kubernetes`)).toBe("Basic [redacted] [redacted] [redacted] kubernetes");
    expect(withoutSecretsOf(undefined, { authorization: "Bearer abcdefgh" })("got abcdefgh")).toBe("got [redacted]");
  });

  it("keeps every other word", () => {
    expect(withoutSecretsOf("grant_type=refresh_token&client_id=kubernetes&code=ab", {})("refresh_token of kubernetes is absent")).toBe("refresh_token of kubernetes is absent");
  });
});
