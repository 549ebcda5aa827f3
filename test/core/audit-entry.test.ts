import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuditEntry, type AuditEvent, auditEvents, auditLine, auditToken, longestLine, parseAuditLine } from "../../src/core/audit-entry.ts";
import { credentialIdOf, traceToken } from "../../src/core/audit-search.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { harmIn, hostileText } from "../fakes/hostile-texts.ts";

const now = 1_800_000_000;
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims: object, signature = "c2lnbmF0dXJlLWNhbmFyeQ") => `${encoded({ alg: "ES256" })}.${encoded(claims)}.${signature}`;

const session = { session: "0123456789abcdef", issuer: "https://id.example.com", clientId: "kubernetes", grant: "authcode" };
const origin = { pid: 7, parent: { pid: 6, name: "kubectl" }, user: "ann", uid: 1000, host: "laptop", version: "1.0.0" };
const token = { tokenKind: "id" as const, jti: "jti-1", expiresAt: "2027-01-15T08:05:00Z" };
const entryOf = (event: AuditEvent, time = "2027-01-15T08:00:00Z"): AuditEntry => ({ schema: 1, time, ...event, ...origin });
const login = entryOf({ ...session, event: "login", login: "1111111111111111", ...token });

/** Of each kind of event, with texts that anybody may have made. */
const anyEntry = fc
  .record({
    event: fc.constantFrom(...auditEvents),
    text: hostileText,
    texts: fc.array(hostileText, { maxLength: 20 }),
    isRevoked: fc.boolean(),
    hasAll: fc.boolean(),
  })
  .map(({ event, text, texts, isRevoked, hasAll }): AuditEntry => {
    const who = {
      session: text,
      issuer: text,
      clientId: text,
      grant: text,
      ...(hasAll ? { login: text, loginAt: text, account: text, subject: text, name: text, server: text } : {}),
    };
    const from = { pid: 1, parent: { pid: 2, ...(hasAll ? { name: text } : {}) }, user: text, host: text, version: text };
    const whole = { schema: 1, time: "2027-01-15T08:00:00Z", ...who, ...from } as const;
    if (event === "logout") return { ...whole, event, revoked: isRevoked };
    if (event === "refusal") return { ...whole, event, code: text };
    return { ...whole, event, tokenKind: "id", expiresAt: text, ...(hasAll ? { jti: text, tokenSha256: text, audience: texts, issuedAt: text } : {}) };
  });

describe("a line of the audit log", () => {
  it("is one line that one write takes whole, and safe for a terminal, whatever others called themselves", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const line = auditLine(entry);
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(longestLine);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(harmIn(line.trimEnd())).toEqual([]);
        const read = parseAuditLine(line.trimEnd());
        expect(read).toMatchObject({ schema: 1, event: entry.event, pid: 1 });
        expect(read).toEqual(JSON.parse(line));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps what it says of a token when the texts of others are too long for it", () => {
    const long = "\u00e9\u4e16".repeat(500);
    const others = { clientId: long, subject: long, name: long, account: long };
    const audience = Array.from({ length: 50 }, () => long);
    const jti = "j".repeat(150);
    const line = auditLine({ ...entryOf({ ...session, ...others, event: "login", login: "1111111111111111", ...token, jti, audience }), host: long });
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(longestLine);
    expect(parseAuditLine(line.trimEnd())).toMatchObject({ jti, login: "1111111111111111", issuer: "https://id.example.com", expiresAt: token.expiresAt });
  });

  it.each([
    ["nothing", ""],
    ["half a line", auditLine(login).slice(0, -20)],
    ["two lines in one", auditLine(login).trimEnd().repeat(2)],
    ["a list", "[]"],
    ["an unknown event", JSON.stringify({ ...login, event: "logged" })],
    ["an event without what belongs to it", JSON.stringify({ ...login, tokenKind: undefined })],
    ["a refusal without a code", JSON.stringify({ ...login, event: "refusal" })],
    ["no time", JSON.stringify({ ...login, time: "soon" })],
    ["a parent that is a number", JSON.stringify({ ...login, parent: 6 })],
    ["another kind of text", JSON.stringify({ ...login, jti: 7 })],
    ["no schema", JSON.stringify({ ...login, schema: undefined })],
    ["too long", JSON.stringify({ ...login, host: "x".repeat(longestLine) })],
  ])("%s is damaged", (_, line) => expect(parseAuditLine(line)).toBe("damaged"));

  it("of a newer program is no damage", () => expect(parseAuditLine(JSON.stringify({ schema: 2, event: "other" }))).toBe("newer"));
});

describe("what is written of a token", () => {
  it("is its jti as the API server names it, audience, times and kind", () => {
    expect(auditToken({ token: jwt({ jti: "a-b", iat: now, aud: "kubernetes" }), kind: "id", expiresAt: now + 300 })).toEqual({
      tokenKind: "id",
      jti: "a-b",
      audience: ["kubernetes"],
      issuedAt: "2027-01-15T08:00:00Z",
      expiresAt: "2027-01-15T08:05:00Z",
    });
  });

  it.each([
    ["a JWT without jti", jwt({ sub: "ann" })],
    ["an empty jti", jwt({ jti: "" })],
    ["an opaque token", "opaque-0123456789"],
  ])("%s: a digest", (_, text) => expect(auditToken({ token: text, kind: "access", expiresAt: now })).toMatchObject({ tokenSha256: sha256Hex(text).slice(0, 32) }));

  it("never holds a piece of it that is of use: no twelve characters in a row of what came from the issuer", () => {
    const bytes = (least: number) => fc.uint8Array({ minLength: least, maxLength: 200 }).map((some) => Buffer.from(some).toString("base64url"));
    const claims = fc.record({ jti: fc.uuid(), sub: fc.string({ maxLength: 40 }), iat: fc.constant(now), aud: fc.constantFrom("kubernetes", ["a", "b"]) }, { requiredKeys: [] });
    const tokens = fc.oneof(
      bytes(16),
      fc.tuple(claims, bytes(32)).map(([said, signature]) => jwt(said, signature)),
    );
    fc.assert(
      fc.property(tokens, fc.constantFrom("login" as const, "refresh" as const, "exchange" as const, "hand-out" as const), (text, event) => {
        const line = auditLine(entryOf({ ...session, event, ...auditToken({ token: text, kind: "id", expiresAt: now }) }));
        for (let at = 0; at + 12 <= text.length; at++) expect(line).not.toContain(text.slice(at, at + 12));
      }),
    );
  });
});

describe("following a token", () => {
  const refresh = entryOf({ ...session, event: "refresh", login: "1111111111111111", ...token, jti: "jti-2" });
  const handed = entryOf({ ...session, event: "hand-out", login: "1111111111111111", ...token, jti: "jti-2" });
  const other = entryOf({ ...session, event: "login", login: "2222222222222222", ...token, jti: "jti-3" });
  const digest = "0123456789abcdef0123456789abcdef";
  const opaque = entryOf({ ...session, event: "hand-out", tokenKind: "access", tokenSha256: digest, expiresAt: "" });
  const out = entryOf({ ...session, event: "logout", login: "1111111111111111", revoked: true });
  const all = [out, opaque, other, handed, refresh, login];

  it.each(["jti-2", "JTI=jti-2"])("%s leads by its entries to its login", (id) => expect(traceToken(all, id)).toEqual({ token: [handed, refresh], login }));
  it("the login's own token is its login's", () => expect(traceToken(all, "jti-3")).toEqual({ token: [other], login: other }));
  it("a token without jti has a name too, and may have no login", () => {
    expect([credentialIdOf(opaque), credentialIdOf(out)]).toEqual([`sha256:${digest}`, undefined]);
    expect(traceToken(all, `sha256:${digest}`)).toEqual({ token: [opaque], login: undefined });
  });
  it("a login whose lines are gone is not made up", () => expect(traceToken([handed, other], "jti-2")).toEqual({ token: [handed], login: undefined }));
  it("what is not there is nothing", () => expect(traceToken(all, "jti")).toEqual({ token: [], login: undefined }));
});
