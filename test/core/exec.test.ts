import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { askAgainAt, execCredentialText, isBearerToken, isFresh, isUsable, rfc3339 } from "../../src/core/exec-credential.ts";
import { readExecInfo } from "../../src/core/exec-info.ts";
import { codeOf } from "../fakes/codes.ts";

const info = (value: object) => JSON.stringify({ kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v1", spec: { interactive: true }, ...value });

describe("KUBERNETES_EXEC_INFO", () => {
  it("absent or empty means v1 without a cluster", () => {
    for (const text of [undefined, "", "  "]) expect(readExecInfo(text)).toEqual({ apiVersion: "client.authentication.k8s.io/v1", server: undefined, config: undefined });
  });
  it("v1beta1 is answered in v1beta1", () =>
    expect(readExecInfo(info({ apiVersion: "client.authentication.k8s.io/v1beta1" })).apiVersion).toBe("client.authentication.k8s.io/v1beta1"));
  it.each(["client.authentication.k8s.io/v1alpha1", "client.authentication.k8s.io/v2", "v1"])("%s is refused by its own code", (apiVersion) => {
    expect(codeOf(() => readExecInfo(info({ apiVersion })))).toBe("API_VERSION_UNSUPPORTED");
  });
  it.each([
    "{",
    "[]",
    "null",
    "7",
    info({ kind: "Pod" }),
    info({ apiVersion: 1 }),
    info({ spec: [] }),
    info({ spec: { cluster: 1 } }),
    info({ spec: { cluster: {} } }),
    info({ spec: { cluster: { server: "::" } } }),
  ])("%s is invalid", (text) => {
    expect(codeOf(() => readExecInfo(text))).toBe("EXEC_INFO_INVALID");
  });
  it("names the server by origin, TLS name, CA and proxy without user info", () => {
    const cluster = { server: "https://k8s.example.com:6443/path", "tls-server-name": "api", "certificate-authority-data": "QUJD", "proxy-url": "http://user:pass@proxy:3128" };
    expect(readExecInfo(info({ spec: { cluster } })).server).toEqual({
      origin: "https://k8s.example.com:6443",
      tlsServerName: "api",
      authority: expect.stringMatching(/^[0-9a-f]{64}$/),
      proxy: "http://proxy:3128",
    });
  });
  it("reads the authority's file where its path stands in the place of its data, and means the same server as kubectl does", () => {
    const read = (path: string) => (path === "ca.pem" ? "QUJD" : undefined);
    const server = "https://k8s.example.com:6443";
    const byData = readExecInfo(info({ spec: { cluster: { server, "certificate-authority-data": "QUJD" } } }), read);
    const byFile = readExecInfo(info({ spec: { cluster: { server, "certificate-authority": "ca.pem" } } }), read);
    expect(byFile.server).toEqual(byData.server);
    expect([byData.authorityFile, byFile.authorityFile]).toEqual([undefined, "ca.pem"]);
    // As client-go: data before a file, and neither where nothing is checked.
    expect(readExecInfo(info({ spec: { cluster: { server, "certificate-authority": "other.pem", "certificate-authority-data": "QUJD" } } }), read)).toEqual(byData);
    const unchecked = { server, "certificate-authority": "other.pem", "insecure-skip-tls-verify": true };
    expect(readExecInfo(info({ spec: { cluster: unchecked } }), read).server?.authority).toBe("insecure");
    expect(codeOf(() => readExecInfo(info({ spec: { cluster: { server, "certificate-authority": "other.pem" } } }), read))).toBe("EXEC_INFO_INVALID");
  });
  it("kubectl's null config is none", () => expect(readExecInfo(info({ spec: { cluster: { server: "https://a", config: null } } })).config).toBeUndefined());
  it("any text is answered or refused by name, never by a crash", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(["none", "EXEC_INFO_INVALID", "API_VERSION_UNSUPPORTED"]).toContain(codeOf(() => readExecInfo(text)));
      }),
    );
  });
});

describe("expirationTimestamp (M6)", () => {
  const life = { expiresAt: 3600, receivedAt: 0 };
  it("is now + ttl while the token is long good", () => expect(askAgainAt(life, 60, 300, 100)).toBe(400));
  it("is exp − margin near the end", () => expect(askAgainAt(life, 60, 300, 3400)).toBe(3540));
  it("is 10 s from now when the issuer is out of reach and the margin is eaten", () => expect(askAgainAt(life, 60, 300, 3560)).toBe(3570));
  it("is what Date says, for every day from 1970 to 9999", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 253_402_300_799, noNaN: true }), (seconds) => {
        expect(rfc3339(seconds)).toBe(`${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19)}Z`);
      }),
      { numRuns: 2_000 },
    );
    for (const text of ["2024-02-29T23:59:59Z", "2100-02-28T00:00:00Z", "2100-03-01T00:00:00Z", "2000-12-31T12:00:00Z"]) expect(rfc3339(Date.parse(text) / 1000)).toBe(text);
  });
  it("is whole seconds, UTC", () => expect(rfc3339(1_700_000_000.9)).toBe("2023-11-14T22:13:20Z"));
  it("is never in the past, never within a few seconds, never beyond the token, for any token that may be handed out", () => {
    const numbers = {
      life: fc.integer({ min: 1, max: 86_400 }),
      age: fc.double({ min: 0, max: 86_400, noNaN: true }),
      minValidity: fc.integer({ min: 0, max: 7200 }),
      ttl: fc.integer({ min: 10, max: 7200 }),
    };
    fc.assert(
      fc.property(fc.record(numbers), ({ life: total, age, minValidity, ttl }) => {
        const token = { expiresAt: 1_000_000 + total, receivedAt: 1_000_000 };
        const now = 1_000_000 + age;
        if (!isUsable(token, now)) return;
        const until = askAgainAt(token, minValidity, ttl, now);
        expect(until).toBeLessThanOrEqual(token.expiresAt);
        if (total >= 30) expect(until - now).toBeGreaterThan(8.9);
        if (isFresh(token, minValidity, now)) expect(until).toBeGreaterThan(now);
      }),
    );
  });
  it("a token with less than 10 s left is never handed out; of a very short one, less than a fifth of its life", () => {
    expect(isUsable(life, 3591)).toBe(false);
    expect(isUsable({ expiresAt: 20, receivedAt: 0 }, 15.9)).toBe(true);
    expect(isUsable({ expiresAt: 20, receivedAt: 0 }, 16.1)).toBe(false);
  });
});

describe("the ExecCredential", () => {
  it("is one line of JSON", () => {
    const text = execCredentialText("client.authentication.k8s.io/v1", "a.b.c", 1_700_000_000);
    expect(text.endsWith("\n") && text.indexOf("\n") === text.length - 1).toBe(true);
    expect(JSON.parse(text)).toEqual({
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { expirationTimestamp: "2023-11-14T22:13:20Z", token: "a.b.c" },
    });
  });
  it("takes RFC 6750 tokens only", () => {
    expect(["a.b-c_d~+/==", "x"].every(isBearerToken)).toBe(true);
    expect(["", "a b", "a\n", "=a", "é"].some(isBearerToken)).toBe(false);
    const unit = fc.constantFrom(..."aZ0-._~+/=!*'()%\" \n\u00e9\u2028\ud800");
    fc.assert(fc.property(fc.string({ unit, maxLength: 12 }), (token) => isBearerToken(token) === /^[A-Za-z0-9\-._~+/]+=*$/.test(token)));
    for (const mark of "!*'()") expect(isBearerToken(`aa${mark}`)).toBe(false);
  });
});
