import { describe, expect, it } from "vitest";
import { adoptionNote, adoptToken, type OldCopy, settleAdoption } from "../../src/app/adopt-token.ts";
import { secretItems } from "../../src/app/secret-items.ts";
import { chooseSession, type Run } from "../../src/app/world.ts";
import type { ForeignToken } from "../../src/core/foreign-token.ts";
import { secret } from "../../src/core/secret.ts";
import type { SecretItem, SessionRecord, TrustedServer } from "../../src/core/session.ts";
import { resolveSettings } from "../../src/core/settings.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { journalIn } from "../fakes/sealed-journal.ts";
import { recordingSecretStore } from "../fakes/secret-store.ts";

const trust = { insecure: false, authorities: [] };
const path = `/cache/${"a".repeat(64)}`;
const server = (origin: string): TrustedServer => ({ origin, authority: "system" });
const tokenOf = (text: string, subject: string | undefined = "ann"): ForeignToken => ({ refreshToken: secret(text), subject, displayName: subject, issuedAt: 1 });

/** A world of maps around the use case. */
function stage(item?: Partial<SecretItem>) {
  const settings = resolveSettings([{ label: "", typed: true, options: { "oidc-issuer-url": ["https://id.example.com"], "oidc-client-id": ["k"] } }]);
  const secrets = recordingSecretStore();
  const files = new Map<string, string>();
  const records = new Map<string, SessionRecord>();
  const order: string[] = [];
  const locks = { held: 0, isTaken: false };
  const sessions = {
    list: () => [...records.values()],
    read: (key: string) => records.get(key),
    write: (record: SessionRecord) => void records.set(record.key, record),
    remove: (key: string) => void records.delete(key),
  };
  const session = chooseSession(settings, sessions);
  if (item !== undefined) secrets.items.set(session.itemName, JSON.stringify({ schema: 1, trust, servers: [], ...item }));
  const credentials = { emptied: 0, servers: [] as readonly TrustedServer[] };
  const world = {
    clock: { now: () => 1_800_000_000_000 },
    store: secrets.store,
    secrets: secretItems(secrets.store, journalIn(files)),
    sessions,
    files: { read: (name: string) => files.get(name), write: (name: string, text: string) => void files.set(name, text), remove: (name: string) => void files.delete(name) },
    credentials: {
      removeAllOf: async () => {
        credentials.emptied++;
      },
      setServersOfAll: async (_: string, servers: readonly TrustedServer[]) => {
        credentials.servers = servers;
      },
    },
    locks: async () => ({
      take: async () => {
        if (locks.isTaken) return undefined;
        locks.held++;
        return { release: () => locks.held-- };
      },
    }),
    makeRequestsReady: () => undefined,
    trust: () => trust,
  };
  const run = { world, settings, session, server: undefined, signal: new AbortController().signal, later: [] } as unknown as Run;
  const old = (now: ForeignToken | undefined, canGo = true): OldCopy => ({
    path,
    read: () => now,
    remove: () => {
      order.push("removed");
      return canGo;
    },
  });
  const stored = () => JSON.parse(secrets.items.get(session.itemName) ?? "null") as SecretItem | null;
  return { run, stored, records, credentials, locks, order, old, session };
}

describe("another program's refresh token", () => {
  it("becomes the session: with its person, this call's trust, the contexts' servers, and a record", async () => {
    const { run, stored, records, credentials, locks, session } = stage();
    expect(await adoptToken(run, tokenOf("theirs"), path, [server("https://a"), undefined, server("https://b"), server("https://a")])).toMatchObject({ state: "moved" });
    expect(stored()).toMatchObject({ refreshToken: "theirs", subject: "ann", trust, servers: [server("https://a"), server("https://b")], sealKey: expect.any(String) });
    expect(records.get(session.key)).toMatchObject({ hasRefreshToken: true, subject: "ann", displayName: "ann", loggedInAt: "2027-01-15T08:00:00Z" });
    expect(credentials.emptied).toBe(1);
    expect(locks.held).toBe(0);
    expect(JSON.stringify(adoptionNote(run))).not.toContain("theirs");
  });

  it.each<[string, Partial<SecretItem>]>([
    ["is there", { refreshToken: "ours", subject: "ann" }],
    ["has an answer that was not judged yet", { pending: { refreshToken: "ours", body: "{}", receivedAt: "2026-01-01T00:00:00Z" } }],
  ])("never replaces a session of ours that %s", async (_, item) => {
    const { run, stored, credentials, old, order } = stage({ ...item, servers: [server("https://a")] });
    const before = stored();
    // A kubeconfig of somebody else's would let its server in.
    expect(await adoptToken(run, tokenOf("theirs"), path, [server("https://b"), server("https://a"), undefined])).toEqual({
      state: "kept-ours",
      unknown: [server("https://b")],
      isListNew: false,
    });
    expect(stored()).toEqual(before);
    expect(credentials.servers).toEqual([]);
    expect(await adoptToken(run, tokenOf("theirs"), path, [])).toMatchObject({ state: "kept-ours" });
    expect(await settleAdoption(run, old(tokenOf("theirs")))).toBe("gone");
    expect(stored()?.refreshToken).toBe(before?.refreshToken);
    expect(order).toEqual(["removed"]);
  });

  it("leaves an empty list of servers empty: that session may be used with any", async () => {
    const { run, stored } = stage({ refreshToken: "ours" });
    await adoptToken(run, tokenOf("theirs"), path, [server("https://b")]);
    expect(stored()?.servers).toEqual([]);
  });

  it("takes the place of a session whose token is gone, and keeps its list of servers", async () => {
    const { run, stored } = stage({ subject: "bob", login: { iat: 1 }, servers: [server("https://a")] });
    expect(await adoptToken(run, tokenOf("theirs"), path, [server("https://b")])).toEqual({ state: "moved", unknown: [server("https://b")], isListNew: false });
    expect(stored()).toMatchObject({ refreshToken: "theirs", subject: "ann", servers: [server("https://a")] });
    expect(stored()).not.toHaveProperty("login");
  });

  it("is not taken, and nothing of it goes, when the store has somebody else's session of which there is no record: ACCOUNT_MISMATCH", async () => {
    const { run, stored } = stage({ refreshToken: "bob's", subject: "bob" });
    const before = stored();
    expect(await codeOfPromise(adoptToken(run, tokenOf("theirs"), path, []))).toBe("ACCOUNT_MISMATCH");
    expect([stored(), adoptionNote(run)]).toEqual([before, undefined]);
  });

  it("is taken anew when an adoption was cut short and the other program has refreshed since", async () => {
    const { run, stored } = stage();
    await adoptToken(run, tokenOf("first"), path, []);
    expect(await adoptToken(run, tokenOf("second"), path, [])).toMatchObject({ state: "moved" });
    expect(stored()?.refreshToken).toBe("second");
  });

  it("is taken anew also when that second adoption was cut short between its note and the store", async () => {
    const { run, stored, session } = stage();
    await adoptToken(run, tokenOf("first"), path, []);
    const before = stored();
    await adoptToken(run, tokenOf("second"), path, []);
    await run.world.store.write(session.itemName, JSON.stringify(before));
    expect(await adoptToken(run, tokenOf("second"), path, [])).toMatchObject({ state: "moved" });
    expect(stored()?.refreshToken).toBe("second");
  });

  it("is not taken over a lock that never comes free: LOCK_TIMED_OUT, and nothing is stored", async () => {
    const { run, stored, locks } = stage();
    locks.isTaken = true;
    expect(await codeOfPromise(adoptToken(run, tokenOf("theirs"), path, []))).toBe("LOCK_TIMED_OUT");
    expect(stored()).toBeNull();
  });
});

describe("the old copy, after the kubeconfig was written", () => {
  const adopted = async () => {
    const here = stage();
    await adoptToken(here.run, tokenOf("theirs"), path, [server("https://a")]);
    return here;
  };

  it("goes, and the note with it", async () => {
    const { run, old, order } = await adopted();
    expect(await settleAdoption(run, old(tokenOf("theirs")))).toBe("gone");
    expect(order).toEqual(["removed"]);
    expect(adoptionNote(run)).toBeUndefined();
  });

  it("that a last refresh of the other program made newer takes the place of what we stored, before it goes", async () => {
    const { run, old, stored, order } = await adopted();
    expect(await settleAdoption(run, old(tokenOf("newer")))).toBe("gone");
    expect(stored()).toMatchObject({ refreshToken: "newer", servers: [server("https://a")] });
    expect(order).toEqual(["removed"]);
  });

  it("of somebody else who logged in there meanwhile stays", async () => {
    const { run, old, stored, order } = await adopted();
    expect(await settleAdoption(run, old(tokenOf("of bob", "bob")))).toBe("theirs");
    expect(stored()?.refreshToken).toBe("theirs");
    expect(order).toEqual([]);
    expect(adoptionNote(run)).toBeUndefined();
  });

  it("that cannot be removed keeps the note, for the next time", async () => {
    const { run, old } = await adopted();
    expect(await settleAdoption(run, old(tokenOf("theirs"), false))).toBe("stuck");
    expect(adoptionNote(run)).toMatchObject({ path });
  });

  it("that is gone already is no fault", async () => {
    const { run, old } = await adopted();
    expect(await settleAdoption(run, old(undefined))).toBe("gone");
    expect(adoptionNote(run)).toBeUndefined();
  });

  it.each(["", "{", "[]", '{"schema":2,"digests":["x"]}', '{"schema":1,"digests":[7]}'])("a note that is damaged (%j) is none", async (text) => {
    const { run } = await adopted();
    run.world.files.write(`adopted/${run.session.key}`, text);
    expect(adoptionNote(run)).toBeUndefined();
  });
});
