import { beforeEach, describe, expect, it } from "vitest";
import { refreshSession } from "../../src/app/refresh-session.ts";
import { secretItems } from "../../src/app/secret-items.ts";
import { chooseSession, type Run } from "../../src/app/world.ts";
import { secret } from "../../src/core/secret.ts";
import type { CredentialRecord, SecretItem, SessionRecord } from "../../src/core/session.ts";
import { resolveSettings } from "../../src/core/settings.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";
import type { BeforeJudged, TokenAnswer } from "../../src/ports.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { journalIn } from "../fakes/sealed-journal.ts";
import { type RecordingSecretStore, recordingSecretStore } from "../fakes/secret-store.ts";

const now = 1_800_000_000;
const jwt = (claims: object) => `${Buffer.from('{"alg":"ES256"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;
const good = { iss: "https://id.example.com", aud: "k", sub: "ann", iat: now, exp: now + 300 };
const server = { origin: "https://k8s", authority: "system" };
const trust = { insecure: false, authorities: [] };

interface Stage {
  readonly run: Run;
  readonly secrets: RecordingSecretStore;
  readonly records: Map<string, SessionRecord>;
  readonly credentials: Map<string, CredentialRecord>;
  /** What the issuer answers: an answer, an error, or an error after the answer came. */
  issuer: { answer?: object; fault?: Error; after?: Error };
  readonly asked: string[];
  readonly revoked: string[];
  /** The store's small files. */
  readonly files: Map<string, string>;
  /** What happens while the issuer thinks. */
  meanwhile?: () => void;
  /** What the lock does instead of being free: gives it when the wait is over. */
  wait?: ((unless: () => Promise<boolean>) => Promise<{ release(): void } | undefined>) | undefined;
}

/** A world of recorders around the use case; time stands still. */
function stage(item: Partial<SecretItem> | undefined): Stage {
  const settings = resolveSettings([{ label: "", typed: true, options: { "oidc-issuer-url": ["https://id.example.com"], "oidc-client-id": ["k"] } }]);
  const secrets = recordingSecretStore();
  const files = new Map<string, string>();
  const journal = journalIn(files);
  const records = new Map<string, SessionRecord>();
  const credentials = new Map<string, CredentialRecord>();
  const asked: string[] = [];
  const revoked: string[] = [];
  const sessions = {
    list: () => [...records.values()],
    read: (key: string) => records.get(key),
    write: (record: SessionRecord) => void records.set(record.key, record),
    remove: (key: string) => void records.delete(key),
  };
  const session = chooseSession(settings, sessions);
  if (item !== undefined) secrets.items.set(session.itemName, JSON.stringify({ schema: 1, trust, servers: [], ...item }));
  const here: Stage = { run: {} as Run, secrets, records, credentials, issuer: {}, asked, revoked, files };

  async function exchange(token: string, before?: BeforeJudged): Promise<TokenAnswer> {
    asked.push(token);
    here.meanwhile?.();
    const { answer, fault, after } = here.issuer;
    if (fault !== undefined) throw fault;
    const body = { id_token: jwt(good), refresh_token: "new", ...answer } as { id_token: string; refresh_token?: string };
    await before?.({ refreshToken: body.refresh_token === undefined ? undefined : secret(body.refresh_token), body: secret(JSON.stringify(body)) });
    if (after !== undefined) throw after;
    const claims = JSON.parse(Buffer.from(body.id_token.split(".")[1] ?? "", "base64url").toString());
    return {
      idToken: secret(body.id_token),
      accessToken: undefined,
      refreshToken: body.refresh_token === undefined ? undefined : secret(body.refresh_token),
      expiresIn: 300,
      claims,
    };
  }

  const world = {
    clock: { now: () => now * 1000 },
    terminal: { warn: () => undefined, say: () => undefined, log: () => undefined },
    store: secrets.store,
    secrets: secretItems(secrets.store, journal),
    files: { read: (name: string) => files.get(name), write: (name: string, text: string) => void files.set(name, text), remove: (name: string) => void files.delete(name) },
    undisturbed: <T>(action: () => Promise<T>) => action(),
    requestsWithin: <T>(_ms: number, action: () => Promise<T>) => action(),
    sessions,
    credentials: {
      read: async (key: string) => credentials.get(key),
      write: async (key: string, record: CredentialRecord) => void credentials.set(key, record),
      removeAllOf: async () => credentials.clear(),
      setServersOfAll: async () => undefined,
    },
    locks: async () => ({
      take: async (_name: string, _ms: number, _signal: AbortSignal, { unless }: { unless: () => Promise<boolean> }) =>
        here.wait === undefined ? { release: () => undefined } : here.wait(unless),
    }),
    makeRequestsReady: () => undefined,
    trust: () => trust,
    provider: async () => ({
      facts: async () => ({}),
      remember: async () => undefined,
      refresh: (token: { reveal(): string }, _parameters: unknown, before: BeforeJudged) => exchange(token.reveal(), before),
      judgeAgain: async (body: { reveal(): string }) => {
        const { fault } = here.issuer;
        if (fault !== undefined) throw fault;
        const parsed = JSON.parse(body.reveal()) as { id_token: string; refresh_token?: string };
        const claims = JSON.parse(Buffer.from(parsed.id_token.split(".")[1] ?? "", "base64url").toString());
        return {
          idToken: secret(parsed.id_token),
          accessToken: undefined,
          refreshToken: parsed.refresh_token === undefined ? undefined : secret(parsed.refresh_token),
          expiresIn: 300,
          claims,
        };
      },
      revoke: async (token: { reveal(): string }) => {
        revoked.push(token.reveal());
        return true;
      },
    }),
  };
  Object.assign(here.run, { world, settings, session, server: undefined, signal: new AbortController().signal, later: [] });
  return here;
}

const storedIn = (here: Stage) => {
  const text = here.secrets.items.get(here.run.session.itemName);
  return text === undefined ? undefined : (JSON.parse(text) as SecretItem);
};

let here: Stage;
beforeEach(() => {
  here = stage({ refreshToken: "old", subject: "ann" });
});

describe("a refresh", () => {
  it("writes the new token before anything judges the answer, and promotes it after [RT-02]", async () => {
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "token" });
    expect(here.asked).toEqual(["old"]);
    expect(here.secrets.calls.filter((call) => call.startsWith("write")).length).toBe(2);
    expect(storedIn(here)).toMatchObject({ refreshToken: "new", subject: "ann" });
    expect(storedIn(here)?.pending).toBeUndefined();
  });

  it("without rotation writes nothing to the keychain [RT-08, RT-09]", async () => {
    here.issuer = { answer: { refresh_token: undefined } };
    await refreshSession(here.run, undefined);
    expect(here.secrets.calls.filter((call) => call.startsWith("write"))).toEqual([]);
    expect(storedIn(here)?.refreshToken).toBe("old");
  });

  it("that meets a fault after the answer came keeps both generations, and judges before it asks again [RT-04]", async () => {
    here.issuer = { after: new OidcError("ISSUER_UNREACHABLE", {}) };
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "fault" });
    expect(storedIn(here)).toMatchObject({ refreshToken: "old", pending: { refreshToken: "new" } });
    here.issuer = {};
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "token" });
    expect(here.asked).toEqual(["old"]);
    expect(storedIn(here)).toMatchObject({ refreshToken: "new" });
  });

  it("asks with the newest token when the stored answer cannot be used any more", async () => {
    here = stage({
      refreshToken: "old",
      subject: "ann",
      pending: { refreshToken: "newer", body: JSON.stringify({ id_token: jwt({ ...good, exp: now - 1 }), refresh_token: "newer" }), receivedAt: "2026-01-01T00:00:00Z" },
    });
    here.issuer = {};
    await refreshSession(here.run, undefined);
    expect(here.asked).toEqual(["newer"]);
    expect(storedIn(here)).toMatchObject({ refreshToken: "new" });
  });

  it("judged late, while the store hangs from there on, is handed out although it is not fresh; about to expire, the fault is said", async () => {
    for (const [left, outcome] of [
      [30, "token"],
      [5, "KEYCHAIN_TIMED_OUT"],
    ] as const) {
      const body = JSON.stringify({ id_token: jwt({ ...good, iat: now - 300, exp: now + left }), refresh_token: "newer" });
      here = stage({ refreshToken: "old", subject: "ann", pending: { refreshToken: "newer", body, receivedAt: "2026-01-01T00:00:00Z" } });
      const read = here.secrets.store.read.bind(here.secrets.store);
      let reads = 0;
      Object.assign(here.secrets.store, {
        read: async (name: string) => (++reads > 1 ? Promise.reject(new OidcError("KEYCHAIN_TIMED_OUT", {})) : read(name)),
      });
      const refreshed = await refreshSession(here.run, undefined).catch((error: unknown) => ({ kind: (error as OidcError).code }));
      expect(refreshed.kind).toBe(outcome);
      expect([here.asked, storedIn(here)?.refreshToken]).toEqual([[], "newer"]);
    }
  });

  it("that is refused drops the token only if it is still the stored one [RF-07]", async () => {
    here.issuer = { fault: new OidcError("SESSION_REVOKED", {}) };
    expect(await refreshSession(here.run, undefined)).toEqual({ kind: "refused" });
    expect(storedIn(here)?.refreshToken).toBeUndefined();
    const other = stage({ refreshToken: "old", subject: "ann" });
    other.issuer = { fault: new OidcError("SESSION_REVOKED", {}) };
    const read = other.secrets.store.read.bind(other.secrets.store);
    let reads = 0;
    // Another program, without our lock, stored a newer one while the issuer thought.
    Object.assign(other.secrets.store, {
      read: async (name: string) => (++reads === 2 ? JSON.stringify({ schema: 1, trust, servers: [], refreshToken: "theirs" }) : read(name)),
    });
    await refreshSession(other.run, undefined);
    expect(other.secrets.calls.filter((call) => call.startsWith("write"))).toEqual([]);
  });

  it.each(["ISSUER_UNREACHABLE", "CLIENT_REJECTED", "ID_TOKEN_INVALID", "ISSUER_TLS_UNTRUSTED", "DISCOVERY_INVALID"] as const)(
    "that ends with %s keeps the session",
    async (code) => {
      here.issuer = { fault: new OidcError(code, {}) };
      expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "fault" });
      expect(storedIn(here)?.refreshToken).toBe("old");
    },
  );

  it("is tried once more at once when the connection was cut before an answer, and not otherwise [RT-01]", async () => {
    here.issuer = { fault: new OidcError("ISSUER_UNREACHABLE", { reason: "read ECONNRESET" }) };
    await refreshSession(here.run, undefined);
    expect(here.asked).toEqual(["old", "old"]);
    const other = stage({ refreshToken: "old" });
    other.issuer = { fault: new OidcError("ISSUER_UNREACHABLE", { reason: "HTTP 503" }) };
    await refreshSession(other.run, undefined);
    expect(other.asked).toEqual(["old"]);
  });

  it("is tried once more when the request went out and no answer came in time, and gives that try a short deadline", async () => {
    here.issuer = { fault: new OidcError("ISSUER_UNREACHABLE", { reason: "no answer in 15 s" }) };
    await refreshSession(here.run, undefined);
    expect(here.asked).toEqual(["old", "old"]);
    const other = stage({ refreshToken: "old" });
    other.issuer = { fault: new OidcError("ISSUER_UNREACHABLE", { reason: "no connection in 15 s" }) };
    await refreshSession(other.run, undefined);
    expect(other.asked).toEqual(["old"]);
  });

  it("is not asked for when the store has no room for its answer: the session stays as it is", async () => {
    Object.assign(here.secrets.faults, { prepare: new OidcError("STORE_UNWRITABLE", {}) });
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "fault", error: { code: "STORE_UNWRITABLE" } });
    expect(here.asked).toEqual([]);
    expect(storedIn(here)?.refreshToken).toBe("old");
  });

  it("gives back the room that it did not need", async () => {
    here.issuer = { fault: new OidcError("ISSUER_UNREACHABLE", {}) };
    await refreshSession(here.run, undefined);
    expect(here.secrets.calls.at(-1)).toMatch(/^give back/);
  });

  it("whose token the store does not take keeps it in the journal; the next one judges it and asks nobody", async () => {
    here = stage({ refreshToken: "old", subject: "ann", sealKey: "k" });
    Object.assign(here.secrets.faults, { write: new OidcError("KEYCHAIN_LOCKED", {}) });
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "token" });
    expect(here.run.later.join()).toMatch(/encrypted file[\s\S]*KEYCHAIN_LOCKED/);
    expect([...here.records.values()]).toMatchObject([{ hasRefreshToken: true }]);
    expect(storedIn(here)?.refreshToken).toBe("old");
    Object.assign(here.secrets.faults, { write: undefined });
    here.credentials.clear();
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "token" });
    expect(here.asked).toEqual(["old"]);
    expect(storedIn(here)).toMatchObject({ refreshToken: "new" });
  });

  it("of a session that was logged out meanwhile discards and revokes what came (M11)", async () => {
    await refreshSession(here.run, undefined);
    const record = [...here.records.values()][0];
    Object.assign(here.run, { session: { ...here.run.session, record } });
    here.credentials.clear();
    here.issuer = { answer: { refresh_token: "orphan" } };
    here.meanwhile = () => {
      here.records.clear();
      here.secrets.items.clear();
    };
    expect(await codeOfPromise(refreshSession(here.run, undefined))).toBe("LOGIN_REQUIRED");
    expect(here.revoked).toEqual(["orphan"]);
    expect([storedIn(here), here.records.size, here.credentials.size]).toEqual([undefined, 0, 0]);
  });

  it("answered for somebody else removes both and revokes what came [RT-04]", async () => {
    here.issuer = { answer: { id_token: jwt({ ...good, sub: "mallory" }) } };
    expect(await codeOfPromise(refreshSession(here.run, undefined))).toBe("ACCOUNT_MISMATCH");
    expect(storedIn(here)).toBeUndefined();
    expect(here.revoked).toEqual(["new"]);
  });

  it("stored and not judged, for another account than asked for, is dropped and revoked when it is judged", async () => {
    here = stage({
      pending: {
        refreshToken: "newer",
        body: JSON.stringify({ id_token: jwt({ ...good, email: "mallory@example.com" }), refresh_token: "newer" }),
        receivedAt: "2026-01-01T00:00:00Z",
      },
    });
    Object.assign(here.run, { settings: { ...here.run.settings, account: "ann@example.com" } });
    expect(await codeOfPromise(refreshSession(here.run, undefined))).toBe("ACCOUNT_MISMATCH");
    expect(storedIn(here)).toBeUndefined();
    expect(here.revoked).toEqual(["newer"]);
  });

  it("whose token cannot be stored still gives the credential (promise 9)", async () => {
    Object.assign(here.secrets.faults, { write: new OidcError("KEYCHAIN_LOCKED", {}) });
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "token" });
  });

  it("is refused for a server that is not on the list, also when somebody else refreshed meanwhile", async () => {
    here = stage({ refreshToken: "old", servers: [server] });
    Object.assign(here.run, { server: { ...server, origin: "https://evil" } });
    expect(await codeOfPromise(refreshSession(here.run, undefined))).toBe("SERVER_NOT_TRUSTED");
    const other = stage({ refreshToken: "old" });
    Object.assign(other.run, { server: { ...server, origin: "https://evil" } });
    const record = {
      schema: 1 as const,
      sessionKey: other.run.session.key,
      kind: "id" as const,
      token: "t",
      expiresAt: now + 300,
      receivedAt: now,
      servers: [server],
      memoIds: [],
    };
    other.credentials.set(other.run.session.credentialKey, record);
    expect(await codeOfPromise(refreshSession(other.run, undefined))).toBe("SERVER_NOT_TRUSTED");
    expect([...here.asked, ...other.asked]).toEqual([]);
  });

  it("nothing stored is nothing to refresh; a keychain fault without a record is said later, with one it is thrown", async () => {
    expect(await refreshSession(stage(undefined).run, undefined)).toEqual({ kind: "none" });
    const locked = stage(undefined);
    Object.assign(locked.secrets.faults, { read: new OidcError("KEYCHAIN_LOCKED", {}) });
    expect(await refreshSession(locked.run, undefined)).toEqual({ kind: "none" });
    expect(locked.run.later.join()).toContain("KEYCHAIN_LOCKED");
    Object.assign(locked.run, { session: { ...locked.run.session, record: { hasRefreshToken: true } } });
    expect(await codeOfPromise(refreshSession(locked.run, undefined))).toBe("KEYCHAIN_LOCKED");
  });
});

describe("a refresh that another process is at", () => {
  /** Waits once, while the other one does its work, then looks whether there is still something to wait for. */
  const whileOther = (work: () => Promise<unknown>) => async (unless: () => Promise<boolean>) => {
    await work();
    return (await unless()) ? undefined : { release: () => undefined };
  };
  /** The other process: same files, store and credentials. */
  const otherProcess = (issuer: Stage["issuer"]) => async () => {
    const wait = here.wait;
    here.wait = undefined;
    here.issuer = issuer;
    await refreshSession(here.run, undefined);
    here.wait = wait;
  };

  it("and that fails is not tried again by those who waited: they end as it did", async () => {
    here.wait = whileOther(otherProcess({ fault: new OidcError("ISSUER_UNREACHABLE", { message: "id.example.com cannot answer now", reason: "HTTP 503" }) }));
    expect(await refreshSession(here.run, undefined)).toMatchObject({
      kind: "fault",
      error: { code: "ISSUER_UNREACHABLE", message: "id.example.com cannot answer now", reason: "HTTP 503" },
    });
    expect(here.asked).toEqual(["old"]);
  });

  it("and that is refused is refused for those who waited", async () => {
    here.wait = whileOther(otherProcess({ fault: new OidcError("SESSION_REVOKED", {}) }));
    expect(await refreshSession(here.run, undefined)).toEqual({ kind: "refused" });
    expect(here.asked).toEqual(["old"]);
  });

  it("a failure from before the wait counts for nobody", async () => {
    await otherProcess({ fault: new OidcError("ISSUER_UNREACHABLE", {}) })();
    here.issuer = {};
    here.wait = whileOther(async () => undefined);
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "token" });
    expect(here.asked).toEqual(["old", "old"]);
  });

  it("a fault that may be the other's own (its client secret) is not taken over", async () => {
    here.wait = whileOther(async () => {
      await otherProcess({ fault: new OidcError("CLIENT_REJECTED", {}) })();
      here.issuer = {};
    });
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "token" });
  });

  it("and that takes too long is LOCK_TIMED_OUT, a fault and no logout [ST-07]", async () => {
    here.wait = async () => undefined;
    expect(await refreshSession(here.run, undefined)).toMatchObject({ kind: "fault", error: { code: "LOCK_TIMED_OUT" } });
  });
});
