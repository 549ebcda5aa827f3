import { beforeEach, describe, expect, it } from "vitest";
import { keeper } from "../../src/app/keep-session.ts";
import type { Run } from "../../src/app/world.ts";
import { secret } from "../../src/core/secret.ts";
import type { SecretItem, SessionRecord } from "../../src/core/session.ts";

const jwt = `e30.${Buffer.from(JSON.stringify({ sub: "ann", aud: "k", exp: 1_800_000_300 })).toString("base64url")}.c2ln`;
const key = "0123456789abcdef".repeat(4);
const identity = { issuer: "https://id.example.com", clientId: "k", scopes: [], grant: "person", extraParams: [], storage: "keyring" };
const record: SessionRecord = { schema: 1, key, identity, itemName: "i", hasRefreshToken: true, subject: "ann", loggedInAt: "2026-11-23T08:00:00Z" };
const item: SecretItem = { schema: 1, refreshToken: "refresh-1", subject: "ann", trust: { insecure: false, authorities: [] }, servers: [] };
const answer = { idToken: secret(jwt), accessToken: undefined, refreshToken: secret("refresh-2"), expiresIn: 300, claims: { sub: "ann" } };

/** What was done, in order. A write of the item begins, and ends when the keychain says so. */
let done: string[];
let keychainAnswers: () => void;
beforeEach(() => {
  done = [];
});

/** A refresh whose answer is stored as pending; its promotion waits for `keychainAnswers`. */
async function pendingRefresh() {
  const world = {
    clock: { now: () => 1_800_000_000_000 },
    terminal: { warn: () => undefined, log: () => undefined },
    store: { keeps: true, kind: "keyring" },
    secrets: {
      newSealKey: () => "seal",
      async write(_: string, { pending }: SecretItem) {
        if (pending !== undefined) return undefined;
        done.push("the keychain is asked");
        await new Promise<void>((answered) => {
          keychainAnswers = answered;
        });
        done.push("the keychain has it");
        return undefined;
      },
    },
    sessions: { read: () => record, write: () => void done.push("the record is written") },
    credentials: { read: async () => undefined, write: async () => void done.push("the token is written"), removeAllOf: async () => undefined },
    trust: () => item.trust,
  };
  const settings = { issuer: identity.issuer, clientId: "k", useAccessToken: false, idTokenCache: "disk", audiences: [], grant: "auto" };
  const run = { world, settings, session: { key, identity, itemName: "i", credentialKey: "c", record, isWithin: false }, server: undefined, later: [] } as unknown as Run;
  const keep = keeper(run, item, "refresh");
  await keep.before({ refreshToken: secret("refresh-2"), body: secret("{}") });
  return keep;
}

const settled = () => new Promise((next) => setImmediate(next));

describe("a refresh whose answer is safe already", () => {
  it("writes token and record while a keychain takes what was judged, and is over when that has it", async () => {
    const promoted = (await pendingRefresh()).promote(answer, { isLogin: false, offlineRefused: false }).then(() => done.push("over"));
    await settled();
    expect(done).toEqual(["the keychain is asked", "the token is written", "the record is written"]);
    keychainAnswers();
    await promoted;
    expect(done.slice(3)).toEqual(["the keychain has it", "over"]);
  });

  it("is not over before, when its answer has no token to hand out: a write that lands after the lock is free would undo another call's", async () => {
    const keep = await pendingRefresh();
    const failed = keep.promote({ ...answer, idToken: undefined }, { isLogin: false, offlineRefused: false }).catch((error: { code?: string }) => done.push(error.code ?? "?"));
    await settled();
    expect(done).toEqual(["the keychain is asked"]);
    keychainAnswers();
    await failed;
    expect(done).toEqual(["the keychain is asked", "the keychain has it", "ID_TOKEN_MISSING"]);
  });
});
