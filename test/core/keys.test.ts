import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { credentialKey, identityOf, itemName, sameButAccount, sessionKey } from "../../src/core/keys.ts";
import type { RawOptions } from "../../src/core/option-values.ts";
import { resolveSettings } from "../../src/core/settings.ts";
import { sha256Hex } from "../../src/core/sha256.ts";

const identity = (options: RawOptions = {}) =>
  identityOf(resolveSettings([{ label: "", typed: true, options: { "oidc-issuer-url": ["https://id.example.com"], "oidc-client-id": ["kubernetes"], ...options } }]));

describe("the session key (M2)", () => {
  it.each<[string, RawOptions]>([
    ["issuer", { "oidc-issuer-url": ["https://id.example.com/"] }],
    ["client", { "oidc-client-id": ["other"] }],
    ["scopes", { "oidc-extra-scope": ["groups"] }],
    ["account", { account: ["ann"] }],
    ["machine grant", { "grant-type": ["client-credentials"] }],
    ["acr-values", { "acr-values": ["mfa"] }],
    ["extra parameters", { "oidc-auth-request-extra-params": ["tenant=a"] }],
    ["storage", { "token-cache-storage": ["disk"] }],
    ["directory", { "token-cache-dir": ["/x"] }],
  ])("depends on the %s", (_, options) => expect(sessionKey(identity(options))).not.toBe(sessionKey(identity())));

  it.each<[string, RawOptions]>([
    ["secret", { "oidc-client-secret": ["x"] }],
    ["redirect", { "oidc-redirect-url": ["http://localhost:9000"] }],
    ["listen address", { "listen-address": ["127.0.0.1:9"] }],
    ["CA", { "certificate-authority": ["/ca.pem"] }],
    ["headers", { "oidc-request-header": ["a=b"] }],
    ["timeouts", { "authentication-timeout-sec": ["9"] }],
    ["browser", { "skip-open-browser": ["true"] }],
    ["audience", { "oidc-audience": ["a"] }],
    ["use of the access token", { "oidc-use-access-token": ["true"] }],
    ["way a person logs in", { "grant-type": ["device-code"] }],
    ["order of scopes and automatic ones", { "oidc-extra-scope": ["openid"] }],
  ])("does not depend on the %s", (_, options) => expect(sessionKey(identity(options))).toBe(sessionKey(identity())));

  it("of an extra parameter holds a digest, not its value", () =>
    expect(JSON.stringify(identity({ "oidc-auth-request-extra-params": ["key=very-secret"] }))).not.toContain("very-secret"));
  it("without the account is the same session otherwise", () => expect(sameButAccount(identity({ account: ["ann"] }), identity())).toBe(true));
});

describe("the key of a short-lived token", () => {
  it("depends on what it is exchanged for, where it is", () => {
    const plain = credentialKey("k", ["a"], false);
    expect(credentialKey("k", ["a"], false, undefined, "id_token")).not.toBe(plain);
    expect(credentialKey("k", ["a"], false, 60, "id_token")).not.toBe(credentialKey("k", ["a"], false, undefined, "id_token"));
    expect(credentialKey("k", [], false, undefined, "id_token")).toBe(credentialKey("k", [], false));
  });
});

describe("names", () => {
  it("of the keychain item are readable", () => {
    expect(itemName(identity())).toBe("https://id.example.com#kubernetes");
    expect(itemName(identity({ account: ["ann@example.com"] }))).toBe("https://id.example.com#kubernetes#ann@example.com");
    expect(itemName(identity({ "oidc-extra-scope": ["groups"] }))).toMatch(/^https:\/\/id\.example\.com#kubernetes#[0-9a-f]{8}$/);
  });
  it("of credentials differ by audience and kind", () =>
    expect(new Set([credentialKey("s", [], false), credentialKey("s", [], true), credentialKey("s", ["a"], false), credentialKey("s", ["b"], false)]).size).toBe(4));
  it("of credentials differ by the age that ends them early, and are what they were without one", () => {
    expect(new Set([credentialKey("s", [], false), credentialKey("s", [], false, 60), credentialKey("s", [], false, 61)]).size).toBe(3);
    expect(credentialKey("s", [], false, undefined)).toBe(createHash("sha256").update('["credential-1","s",[],"id"]').digest("hex"));
  });
});

describe("sha256Hex", () => {
  it("is SHA-256 for any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "grapheme", maxLength: 300 }), fc.string({ minLength: 50, maxLength: 70 })), (text) => {
        expect(sha256Hex(text)).toBe(createHash("sha256").update(text).digest("hex"));
      }),
    );
  });
});
