import { secretItems } from "../../src/app/secret-items.ts";
import { chooseSession, type Run, type World } from "../../src/app/world.ts";
import { secret } from "../../src/core/secret.ts";
import type { CredentialRecord, SessionRecord } from "../../src/core/session.ts";
import { resolveSettings } from "../../src/core/settings.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";
import type { BeforeJudged, HeldLock, LockWait, TokenAnswer } from "../../src/ports.ts";
import { journalIn } from "./sealed-journal.ts";

/** What the issuer does with one request. `lost`: it commits, and the answer never comes. */
export type IssuerMove = "answers" | "is down" | "lost";

/**
 * One computer and one issuer under any number of simulated processes: the use cases are the real ones, every effect passes a gate that a
 * scheduler opens, and a process can be killed at any gate. The issuer rotates and takes a spent token for a theft.
 */
export interface SharedMachine {
  /** Requests that spent a token or a code. */
  requests: number;
  windows: number;
  /** Processes that found the refresh lock taken. */
  waited: number;
  /** A spent refresh token was sent: every token of the family is dead. */
  stolen: boolean;
  /** Somebody was killed, or an answer was lost, between the issuer's commit and our write: the one window. */
  windowHit: boolean;
  live: string;
  /** A process at this computer, as it starts now; `killAt`: the number of the gate at which it dies. */
  start(killAt?: number): Run;
  /** What lies on disk and in the keychain. */
  readonly items: Map<string, string>;
}

interface Options {
  /** Resolves when the scheduler lets this step happen. */
  readonly gate: (label: string) => Promise<void>;
  readonly moves: IssuerMove[];
  readonly deniesLogin?: boolean;
  readonly hasSession: boolean;
}

const now = 1_800_000_000;
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
const trust = { insecure: false, authorities: [] };
export const settings = resolveSettings([
  { label: "", typed: true, options: { "oidc-issuer-url": ["https://id.example.com"], "oidc-client-id": ["k"], "skip-open-browser": ["true"], "token-cache-storage": ["disk"] } },
]);

export function sharedMachine(options: Options): SharedMachine {
  const [items, files, records, credentials] = [new Map<string, string>(), new Map<string, string>(), new Map<string, SessionRecord>(), new Map<string, CredentialRecord>()];
  const holders = new Map<string, { readonly process: object; readonly released: Promise<void>; readonly release: () => void }>();
  let serial = 0;
  const machine: SharedMachine = { requests: 0, windows: 0, waited: 0, stolen: false, windowHit: false, live: "", items, start };

  const sessions = {
    list: () => [...records.values()],
    read: (key: string) => records.get(key),
    write: (record: SessionRecord) => void records.set(record.key, record),
    remove: (key: string) => void records.delete(key),
  };
  const first = chooseSession(settings, sessions);
  if (options.hasSession) {
    machine.live = "refresh-0";
    items.set(first.itemName, JSON.stringify({ schema: 1, trust, servers: [], subject: "ann", refreshToken: machine.live, sealKey: "key" }));
    const expired = { schema: 1 as const, sessionKey: first.key, kind: "id" as const, token: "expired", expiresAt: now - 10, receivedAt: now - 310, servers: [], memoIds: [] };
    credentials.set(first.credentialKey, expired);
    sessions.write({ schema: 1, key: first.key, identity: first.identity, itemName: first.itemName, hasRefreshToken: true, loggedInAt: "2026-01-01T00:00:00Z", subject: "ann" });
  }

  function start(killAt = Number.POSITIVE_INFINITY): Run {
    const process = {};
    const state = { gates: 0, owes: false };
    const die = () => {
      if (state.owes) machine.windowHit = true;
      for (const held of holders.values()) if (held.process === process) held.release();
      return new Promise<never>(() => undefined);
    };
    /** Every effect lies between two gates; the kill comes at one of them. */
    const step = async <T>(label: string, effect: () => T): Promise<T> => {
      await options.gate(label);
      if (++state.gates >= killAt) return die();
      return effect();
    };

    async function spend(token: string | undefined, before: BeforeJudged): Promise<TokenAnswer> {
      const move = options.moves.shift() ?? "answers";
      const next = await step("the issuer commits", () => {
        machine.requests++;
        if (move === "is down") throw new OidcError("ISSUER_UNREACHABLE", { reason: "HTTP 503" });
        if (token !== undefined && token !== machine.live) machine.stolen = true;
        if (machine.stolen) throw new OidcError("SESSION_REVOKED", {});
        machine.live = `refresh-${++serial}`;
        state.owes = true;
        return machine.live;
      });
      if (move === "lost") machine.windowHit = true;
      if (move === "lost") throw new OidcError("ISSUER_UNREACHABLE", { reason: "HTTP 502" });
      const idToken = jwt({ iss: "https://id.example.com", aud: "k", sub: "ann", exp: now + 300, n: serial });
      await before({ refreshToken: secret(next), body: secret(JSON.stringify({ id_token: idToken, refresh_token: next })) });
      state.owes = false;
      await step("the answer is judged", () => undefined);
      return judged(idToken, next);
    }

    const store = {
      kind: "disk",
      keeps: true,
      describe: () => "the machine",
      probe: async () => undefined,
      read: (name: string) => step("read the item", () => items.get(name)),
      write: (name: string, value: string) => step("write the item", () => void items.set(name, value)),
      prepare: async () => ({ giveBack: () => undefined }),
      remove: (name: string) => step("remove the item", () => void items.delete(name)),
    };
    const world = {
      clock: { now: () => now * 1000, sleep: async () => undefined },
      terminal: { stdinIsTerminal: false, stderrIsTerminal: false, warn: () => undefined, say: () => undefined, log: () => undefined },
      browser: { available: () => false, open: async () => false },
      surroundings: () => ({ kind: "local" }),
      callbacks: {
        async listen() {
          machine.windows++;
          return {
            redirectUri: "http://localhost:8000",
            port: 8000,
            next: () => step("the person answers", () => "?code=c"),
            finish: async () => undefined,
          };
        },
      },
      files: {
        read: (name: string) => files.get(name),
        write: (name: string, text: string) => void files.set(name, text),
        remove: (name: string) => void files.delete(name),
      },
      sessions,
      credentials: {
        read: (key: string) => step("read the credential", () => credentials.get(key)),
        write: (key: string, record: CredentialRecord) => step("write the credential", () => void credentials.set(key, record)),
        removeAllOf: async () => credentials.clear(),
        setServersOfAll: async () => undefined,
      },
      store,
      secrets: secretItems(store, journalIn(files)),
      undisturbed: <T>(action: () => Promise<T>) => action(),
      requestsWithin: <T>(_ms: number, action: () => Promise<T>) => action(),
      locks: async () => ({ take: (name: string, _ms: number, _signal: AbortSignal, wait: LockWait = {}) => take(name, wait) }),
      makeRequestsReady: () => undefined,
      trust: () => trust,
      provider: async () => ({
        facts: async () => ({ supportsOffline: true, supportsDevice: false }),
        remember: async () => undefined,
        randomState: () => "state",
        startAuthorization: async () => ({ url: "https://id.example.com/authorize", state: "state", nonce: "n", verifier: secret("v") }),
        async exchangeCode(_started: unknown, _uri: string, _query: string, _checks: unknown, before: BeforeJudged) {
          if (options.deniesLogin) throw new OidcError("LOGIN_DENIED", {});
          return spend(undefined, before);
        },
        refresh: (token: { reveal(): string }, _parameters: unknown, before: BeforeJudged) => spend(token.reveal(), before),
        async judgeAgain(body: { reveal(): string }) {
          const answer = JSON.parse(body.reveal()) as { id_token: string; refresh_token: string };
          return step("a stored answer is judged", () => judged(answer.id_token, answer.refresh_token));
        },
        revoke: async () => true,
      }),
    };

    async function take(name: string, wait: LockWait): Promise<HeldLock | undefined> {
      await step("ask for the lock", () => undefined);
      for (let tries = 0; ; tries++) {
        if (tries > 0 && (await wait.unless?.())) return undefined;
        const holder = holders.get(name);
        if (holder === undefined) return hold(name);
        if (tries === 0) wait.onWait?.(undefined);
        if (tries === 0 && name.startsWith("refresh-")) machine.waited++;
        await holder.released;
        await step("wake up", () => undefined);
      }
    }
    function hold(name: string): HeldLock {
      let done: () => void = () => undefined;
      const released = new Promise<void>((resolve) => {
        done = resolve;
      });
      const release = () => {
        if (holders.get(name)?.released === released) holders.delete(name);
        done();
      };
      holders.set(name, { process, released, release });
      return { release };
    }

    const session = chooseSession(settings, sessions);
    return { world: world as unknown as World, settings, session, server: undefined, signal: new AbortController().signal, later: [] };
  }

  const judged = (idToken: string, refreshToken: string): TokenAnswer => ({
    idToken: secret(idToken),
    accessToken: undefined,
    refreshToken: secret(refreshToken),
    expiresIn: 300,
    claims: JSON.parse(Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString()),
  });
  return machine;
}
