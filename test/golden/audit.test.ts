import { resolve } from "node:path";
import { expect, it } from "vitest";
import { auditTable, nothingLine, traceLine, unreadLine } from "../../src/cli/audit-text.ts";
import { type AuditEntry, type AuditEvent, auditLine, parseAuditLine } from "../../src/core/audit-entry.ts";
import { traceToken } from "../../src/core/audit-search.ts";
import { harmIn, hostileTexts } from "../fakes/hostile-texts.ts";

const golden = (name: string) => resolve(import.meta.dirname, name);
const now = Date.parse("2026-11-23T16:00:00Z") / 1000;

const origin = { pid: 40512, parent: { pid: 40498, name: "kubectl" }, user: "ann", uid: 1000, host: "laptop", version: "1.0.0" };
const session = { session: "9f2c41d07be85a36", issuer: "https://id.example.com", clientId: "kubernetes", subject: "248289761001", name: "ann@example.com", grant: "person" };
const login = { ...session, login: "5d0e8a1c3b7f4296", loginAt: "2026-11-23T08:01:40Z", server: "https://k8s.example.com:6443" };
const token = { tokenKind: "id" as const, jti: "4f7c1d2a", expiresAt: "2026-11-23T14:05:02Z" };
const at = (time: string, event: AuditEvent, more: Partial<typeof origin> = {}): AuditEntry => ({ schema: 1, time: `2026-11-23T${time}Z`, ...event, ...origin, ...more });

const entries: readonly AuditEntry[] = [
  at("15:30:00", { ...session, event: "refusal", code: "LOGIN_DENIED", grant: "authcode", name: undefined, subject: undefined }),
  at("15:00:00", { ...login, event: "logout", revoked: true }, { parent: { pid: 31877, name: "bash" } }),
  at("14:30:00", {
    ...session,
    clientId: "pipeline",
    subject: undefined,
    name: undefined,
    event: "login",
    grant: "client-credentials",
    ...token,
    jti: undefined,
    tokenSha256: "0123456789abcdef0123456789abcdef",
  }),
  at("14:00:02", { ...login, event: "hand-out", ...token }),
  at("14:00:02", { ...login, event: "exchange", ...token }),
  at("14:00:01", { ...login, event: "refresh", grant: "refresh-token", ...token }),
  at("13:00:00", { ...session, event: "logout", revoked: false, name: undefined }, { parent: { pid: 7, name: "" } }),
  at("08:01:40", { ...login, event: "login", grant: "authcode", ...token, jti: "b1e0" }, { parent: { pid: 31877, name: "bash" } }),
].map((entry) => (entry.parent.name === "" ? { ...entry, parent: { pid: entry.parent.pid } } : entry));

it("audit shows one line an entry, and says where a token came from", async () => {
  const untold = entries.filter(({ event }) => event === "hand-out").map((entry) => ({ ...entry, loginAt: undefined }));
  const texts: readonly (readonly [string, string])[] = [
    ["all of it", auditTable(entries)],
    ["a token whose login is there", `${traceLine(traceToken(entries, "4f7c1d2a"), now)}\n`],
    ["a token whose login is not", `${traceLine(traceToken(entries.slice(0, 4), "4f7c1d2a"), now)}\n`],
    ["a token of which no entry says when its login was", `${traceLine(traceToken(untold, "4f7c1d2a"), now)}\n`],
    ["nothing, and the log is off", `${nothingLine(false, true)}\n`],
    ["nothing, and the log is on", `${nothingLine(true, true)}\n`],
    ["nothing that fits", `${nothingLine(true, false)}\n`],
    ["lines that cannot be read", `${unreadLine(1)}\n${unreadLine(12)}\n`],
  ];
  await expect(texts.map(([title, text]) => `# ${title}\n${text}`).join("\n")).toMatchFileSnapshot(golden("audit.txt"));
});

it("names in the log, which anybody may have chosen, stay on their line and do no harm", () => {
  for (const text of hostileTexts) {
    const named = at(
      "08:01:40",
      { ...login, issuer: text, clientId: text, name: text, server: text, grant: text, event: "login", ...token, jti: text },
      { host: text, user: text },
    );
    // As it was written, and as somebody else may have.
    for (const entry of [parseAuditLine(auditLine(named).trimEnd()), named]) {
      if (typeof entry === "string") throw new Error(entry);
      const shown = [...auditTable([entry]).split("\n"), traceLine({ token: [entry], login: entry }, now)];
      expect(shown.flatMap(harmIn)).toEqual([]);
      expect(shown).toHaveLength(4);
    }
  }
});
