import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditTrail } from "../../src/app/audit-trail.ts";
import { keeper } from "../../src/app/keep-session.ts";
import type { Run } from "../../src/app/world.ts";
import { type AuditEvent, parseAuditLine } from "../../src/core/audit-entry.ts";
import type { PendingAnswer, SecretItem, SessionRecord } from "../../src/core/session.ts";
import { catalogue, type ErrorCode, entryOf } from "../../src/errors/catalogue.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";
import { secret } from "../../src/core/secret.ts";

const jwt = `e30.${Buffer.from(JSON.stringify({ sub: "ann", email: "ann@example.com", jti: "j1", aud: "k", exp: 1_800_000_300 })).toString("base64url")}.c2ln`;
const key = "0123456789abcdef".repeat(4);
const identity = { issuer: "https://id.example.com", clientId: "k", scopes: [], grant: "person", extraParams: [], storage: "disk" };
const recordOf = (loginId: string | undefined): SessionRecord => ({
  schema: 1,
  key,
  identity,
  itemName: "i",
  hasRefreshToken: true,
  subject: "ann",
  loggedInAt: "2026-11-23T08:00:00Z",
  ...(loginId === undefined ? {} : { loginId }),
});

let events: AuditEvent[];
let stored: SessionRecord | undefined | Error;

/** A run whose record was `atStart` when it was read first. */
function runOf(atStart: SessionRecord | undefined, item?: SecretItem): Run {
  let serial = 0;
  const audit = auditTrail({ newLoginId: () => `new-${++serial}`, record: async (event) => void events.push(event) });
  const world = {
    audit,
    clock: { now: () => 1_800_000_000_000 },
    terminal: { warn: () => undefined, log: () => undefined },
    store: { keeps: true, kind: "disk" },
    secrets: { write: async () => undefined, read: async () => item, newSealKey: () => "seal" },
    sessions: {
      read: () => {
        if (stored instanceof Error) throw stored;
        return stored;
      },
      write: (record: SessionRecord) => {
        stored = record;
      },
    },
    credentials: { read: async () => undefined, write: async () => undefined, removeAllOf: async () => undefined },
    provider: async () => ({ remember: async () => undefined }),
    trust: () => ({ insecure: false, authorities: [] }),
  };
  const settings = { issuer: identity.issuer, clientId: "k", useAccessToken: false, idTokenCache: "disk", audiences: [] };
  return { world, settings, session: { key, identity, itemName: "i", credentialKey: "c", record: atStart }, server: undefined, later: [] } as unknown as Run;
}

const answer = { idToken: secret(jwt), accessToken: undefined, refreshToken: secret("refresh-2"), expiresIn: 300, claims: { sub: "ann", email: "ann@example.com" } };
const itemOf = (pending?: PendingAnswer): SecretItem => ({
  schema: 1,
  refreshToken: "refresh-1",
  trust: { insecure: false, authorities: [] },
  servers: [],
  ...(pending && { pending }),
});

beforeEach(() => {
  events = [];
  stored = undefined;
});
// Whatever a use case tells is an entry that the log's reader knows.
afterEach(() => {
  const where = { schema: 1, time: "2026-11-23T08:00:00Z", pid: 1, parent: { pid: 2 }, user: "ann", host: "h", version: "1" };
  for (const event of events) expect(typeof parseAuditLine(JSON.stringify({ ...where, ...event }))).toBe("object");
});

describe("what a promoted answer is to the audit log", () => {
  it("a login: a new id, in the record and in the entry", async () => {
    await keeper(runOf(undefined), undefined, "login").promote(answer, { isLogin: true, offlineRefused: false, grant: "device-code" });
    expect(events).toMatchObject([{ event: "login", login: "new-1", grant: "device-code", jti: "j1", name: "ann@example.com", subject: "ann" }]);
    expect(stored).toMatchObject({ loginId: "new-1" });
  });

  it("a refresh: the id of the login that lies there now, whatever this process read at its start", async () => {
    stored = recordOf("second");
    await keeper(runOf(recordOf("first"), itemOf()), itemOf(), "refresh").promote(answer, { isLogin: false, offlineRefused: false });
    expect(events).toMatchObject([{ event: "refresh", login: "second", grant: "refresh-token", loginAt: "2026-11-23T08:00:00Z" }]);
    expect(stored).toMatchObject({ loginId: "second" });
  });

  it("a login that could not be judged at once is one when it is", async () => {
    stored = recordOf("before");
    const item = itemOf({ body: "{}", receivedAt: "2026-11-23T08:00:00Z", refreshToken: "refresh-2", ofNewLogin: true });
    await keeper(runOf(recordOf("before"), item), item, "refresh").promote(answer, { isLogin: false, offlineRefused: false });
    expect(events).toMatchObject([{ event: "login", login: "new-1" }]);
    expect(stored).toMatchObject({ loginId: "new-1" });
  });

  it("an exchange: the answer's own token first, then the one that is handed out", async () => {
    const run = runOf(undefined);
    const exchanged = {
      schema: 1 as const,
      sessionKey: key,
      kind: "access" as const,
      token: "opaque-exchanged",
      expiresAt: 1_800_000_100,
      receivedAt: 1_800_000_000,
      servers: [],
      memoIds: [],
    };
    const how = { grant: "refresh-token", login: "first" };
    await run.world.audit?.promoted(run, "refresh", answer, exchanged, how);
    expect(events).toMatchObject([
      { event: "refresh", grant: "refresh-token", login: "first", jti: "j1", expiresAt: "2027-01-15T08:05:00Z" },
      { event: "exchange", grant: "token-exchange", login: "first", tokenKind: "access", tokenSha256: expect.any(String), expiresAt: "2027-01-15T08:01:40Z" },
    ]);
  });

  it("a session that is good while no token for its audience could be had: the login alone", async () => {
    const run = runOf(undefined);
    await run.world.audit?.promoted(run, "login", { ...answer, idToken: undefined, accessToken: secret("opaque-of-the-answer") }, undefined, { grant: undefined, login: "new" });
    expect(events).toMatchObject([{ event: "login", grant: "person", tokenKind: "access", tokenSha256: expect.any(String), expiresAt: "2027-01-15T08:05:00Z" }]);
  });

  it("a record that cannot be read takes no entry away", async () => {
    stored = new OidcError("STORE_UNREADABLE", {});
    await runOf(recordOf("first")).world.audit?.handedOut(runOf(recordOf("first")), {
      schema: 1,
      sessionKey: key,
      kind: "id",
      token: jwt,
      expiresAt: 1_800_000_300,
      receivedAt: 1_800_000_000,
      servers: [],
      memoIds: [],
    });
    expect(events).toMatchObject([{ event: "hand-out", login: "first" }]);
  });
});

describe("refusals", () => {
  it("are what the issuer, the person or a check of ours refused; never a network, a command line or this computer", async () => {
    const run = runOf(recordOf("first"));
    for (const code of Object.keys(catalogue) as ErrorCode[]) await run.world.audit?.refused(run, new OidcError(code, {}), "authcode");
    await run.world.audit?.refused(run, new Error("a fault of ours"), "authcode");
    const codes = events.map((event) => (event.event === "refusal" ? event.code : ""));
    expect(codes).toEqual(
      expect.arrayContaining(["LOGIN_DENIED", "LOGIN_TIMED_OUT", "SESSION_REVOKED", "ACCOUNT_MISMATCH", "CLIENT_REJECTED", "ID_TOKEN_INVALID", "SERVER_NOT_TRUSTED"]),
    );
    expect(
      codes.filter((code) => /UNREACHABLE|UNTRUSTED|STORE|KEYCHAIN|SETTINGS|FLAG|INTERRUPTED|UNEXPECTED|LOGIN_REQUIRED|LOGIN_PAUSED/.test(code) && code !== "SERVER_NOT_TRUSTED"),
    ).toEqual([]);
    for (const code of codes) expect([20, 30, 40]).toContain(entryOf(code as ErrorCode).exit);
  });
});
