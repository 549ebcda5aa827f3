import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readAuditFiles } from "../../../src/adapters/audit-files.ts";
import { credentialFiles, credentialItems } from "../../../src/adapters/credential-files.ts";
import { diskSecretStore } from "../../../src/adapters/disk-secrets.ts";
import { privateFiles } from "../../../src/adapters/private-files.ts";
import { sealedJournal } from "../../../src/adapters/sealed-journal.ts";
import { sessionFiles } from "../../../src/adapters/session-files.ts";
import { outcomeSince } from "../../../src/app/refresh-outcome.ts";
import { secretItems } from "../../../src/app/secret-items.ts";
import type { Run } from "../../../src/app/world.ts";
import { auditTable, traceLine } from "../../../src/cli/audit-text.ts";
import { auditLine, longestLine, parseAuditLine } from "../../../src/core/audit-entry.ts";
import { credentialIdOf, traceToken } from "../../../src/core/audit-search.ts";
import { isBearerToken } from "../../../src/core/exec-credential.ts";
import { handoutText, wasRefused } from "../../../src/core/handout.ts";
import { memoInputs, memoName } from "../../../src/core/memo.ts";
import { parsePause, pauseLeft } from "../../../src/core/pause.ts";
import { parseCredentialRecord, parsePendings, parseSecretItem, parseSessionRecord } from "../../../src/core/session.ts";
import { sha256Hex } from "../../../src/core/sha256.ts";
import { terminalLines } from "../../../src/errors/render.ts";
import { cachedToken } from "../../../src/hot/cached-token.ts";
import { mustHold, type Subject, type Target } from "../target.ts";

const now = 1_800_000_000;
const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLWNhbmFyeQ";
const refreshToken = "refresh-token-0123456789abcdef";
const sealKey = "c2VhbC1rZXktMDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
const key = "a".repeat(64);
const memoId = "0123456789abcdef0123456789abcdef";
const servers = [{ origin: "https://k8s.example.com", authority: "system", proxy: "http://p" }];
const credential = { schema: 1, sessionKey: key, kind: "id", token, expiresAt: now + 3000, receivedAt: now - 10, subject: "ann", servers, memoIds: [memoId] };
const identity = { issuer: "https://id.example.com", clientId: "k", scopes: ["email"], account: "ann", grant: "person", extraParams: [], storage: "disk" };
const record = { schema: 1, key, identity, itemName: "i", hasRefreshToken: true, subject: "ann", displayName: "ann@example.com", loggedInAt: "2026-01-01T00:00:00Z" };
const pending = { refreshToken, body: JSON.stringify({ id_token: token, refresh_token: refreshToken }), receivedAt: "2026-01-01T00:00:00Z", spent: sha256Hex("before") };
const dpopKey = JSON.stringify({ kty: "EC", crv: "P-256", x: "eA", y: "eQ", d: "private-part-0123456789" });
const ofLogin = { ...pending, ofNewLogin: true, newLogin: { at: now, authenticatedSince: now - 30, dpopKey } };
const item = { schema: 1, refreshToken: "before", pending, subject: "ann", trust: { insecure: false, authorities: [] }, servers, sealKey };

/** A folder of its own for files that somebody planted; they are ours by owner and mode, as those of an unpacked archive are. */
export function plantingSubject(run: (plant: (path: string, content: Uint8Array | string) => void, folder: string) => Subject["run"]): Subject {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-fuzz-"));
  chmodSync(folder, 0o700);
  const plant = (path: string, content: Uint8Array | string) => {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    for (const name of readdirSync(dirname(target))) if (name.endsWith(".corrupt")) unlinkSync(join(dirname(target), name));
    writeFileSync(target, content, { mode: 0o600 });
  };
  return { run: run(plant, folder), stop: () => rmSync(folder, { recursive: true, force: true }) };
}

const argv = ["get-token", "--oidc-issuer-url=https://id.example.com", "--password=x"];

/** The hot path with a memo or credential that somebody wrote. */
const hotPath = (name: string, what: string, seeds: readonly object[], plants: "memo" | "credential"): Target => ({
  name,
  what,
  kind: "json",
  secrets: [token],
  seeds: seeds.map((seed) => JSON.stringify(seed)),
  start: () =>
    plantingSubject((plant, folder) => {
      const data = join(folder, "kubectl-oidc");
      const env = { HOME: folder, XDG_DATA_HOME: folder, KUBERNETES_EXEC_INFO: '{"kind":"ExecCredential"}' };
      const inputs = memoInputs(argv, env, "1");
      const memo = `kubectl-oidc/memo/${memoName(inputs.open)}`;
      const file = "kubectl-oidc/credentials/c.json";
      return (input) => {
        const planted = input.toString().replaceAll("FOLDER", data).replaceAll("EXEC", folder);
        plant(memo, plants === "memo" ? planted : memoText(inputs, data));
        plant(file, plants === "credential" ? planted : JSON.stringify(credential));
        const text = cachedToken({ argv, env, platform: process.platform, programVersion: "1", ppid: process.ppid, now: now * 1000, cwd: () => "/" });
        if (text === undefined) return;
        const answer = JSON.parse(text) as { readonly kind: string; readonly status: { readonly token: string; readonly expirationTimestamp: string } };
        mustHold(text.indexOf("\n") === text.length - 1 && answer.kind === "ExecCredential", "not one ExecCredential");
        mustHold(isBearerToken(answer.status.token), "a token that no header can carry");
        mustHold(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(answer.status.expirationTimestamp), `the time is ${answer.status.expirationTimestamp.slice(0, 40)}`);
        mustHold(Date.parse(answer.status.expirationTimestamp) / 1000 >= now, "a time that is over");
      };
    }),
});

const memoText = (inputs: ReturnType<typeof memoInputs>, data: string) => JSON.stringify(memoOf(inputs.open, data));
const memoOf = (open: readonly string[], data: string) => ({
  version: 1,
  id: memoId,
  inputs: open,
  salt: "s",
  digests: [sha256Hex("s\u0000x")],
  cwd: null,
  stamps: [["/nowhere", "absent"]],
  credentialFile: `${data}/credentials/c.json`,
  kind: "id",
  minValidity: 60,
  ttl: 300,
  apiVersion: "client.authentication.k8s.io/v1",
});

const execInfo = 'KUBERNETES_EXEC_INFO={"kind":"ExecCredential"}';
export const memos = hotPath(
  "memo",
  "a memo that somebody planted",
  [memoOf(["1", "3", "get-token", "--oidc-issuer-url=https://id.example.com", "--password=\u0000secret", "HOME=EXEC", execInfo, "XDG_DATA_HOME=EXEC"], "FOLDER")],
  "memo",
);
export const credentials = hotPath("credential", "a cached token's file that somebody planted", [credential, { ...credential, kind: "access", memoIds: [] }], "credential");

export const storedTexts: Target = {
  name: "records",
  what: "a session's record, item, token, pause or note",
  kind: "json",
  secrets: [token, refreshToken, sealKey, "private-part-0123456789"],
  seeds: [
    record,
    item,
    { ...item, dpopKey, login: { at: now, authTime: now - 60, iat: now }, pending: ofLogin },
    credential,
    [pending, ofLogin],
    { failures: 2, endedAt: now, code: "LOGIN_DENIED" },
    { nth: 1, at: 1, code: "ISSUER_UNREACHABLE", message: "m", reason: "r", hint: "h" },
  ].map((one) => JSON.stringify(one)),
  start: () =>
    plantingSubject((plant, folder) => {
      const files = privateFiles(folder);
      const world = { files };
      return (input, say) => {
        const text = input.toString();
        const parsed = [parseSessionRecord(text), parseSecretItem(text), parseCredentialRecord(text), parsePendings(text)];
        const left = pauseLeft(parsePause(text), now);
        mustHold(left >= 0 && left <= 1800, "a pause that lasts for ever");
        plant(`sessions/${key}.json`, input);
        for (const found of sessionFiles(files).list()) mustHold(found.key === key, "a record under another key");
        plant(`credentials/${key}.json`, input);
        void credentialFiles(files).read(key);
        plant(`refreshes/${key}.json`, input);
        const outcome = outcomeSince({ world, session: { key } } as unknown as Run, undefined);
        if (outcome !== undefined) for (const line of terminalLines(outcome)) say(line);
        return parsed;
      };
    }),
};

export const handoutNotes: Target = {
  name: "handout",
  what: "a note of a credential that was handed out",
  kind: "text",
  secrets: [],
  seeds: [handoutText({ parent: 1, parentStart: "2", tag: "t", askAgainAt: now + 100 }), "1 2 t NaN", ""],
  start: () => ({
    run: (input) => mustHold(typeof wasRefused(input.toString(), { parent: 1, parentStart: "2", tag: "t", now }) === "boolean", "no answer"),
  }),
};

const auditEntry = {
  schema: 1,
  time: "2026-11-23T14:00:02Z",
  session: "0123456789abcdef",
  login: "0123456789abcdef",
  issuer: "https://id.example.com",
  clientId: "k",
  grant: "authcode",
  name: "ann@example.com",
  server: "https://k8s.example.com",
  pid: 1,
  parent: { pid: 2, name: "kubectl" },
  user: "ann",
  host: "laptop",
  version: "1",
};

export const auditLogs: Target = {
  name: "audit",
  what: "a line of the audit log",
  kind: "json",
  secrets: [],
  seeds: [
    { ...auditEntry, event: "refresh", tokenKind: "id", jti: "j", audience: ["k"], expiresAt: "2026-11-23T14:05:02Z" },
    { ...auditEntry, event: "logout", revoked: true },
    { ...auditEntry, event: "refusal", code: "LOGIN_DENIED" },
    { schema: 2 },
  ].map((one) => JSON.stringify(one)),
  start: () =>
    plantingSubject((plant, folder) => (input, say) => {
      plant("audit/audit.1.jsonl", input);
      const { entries, unread } = readAuditFiles(join(folder, "audit"));
      mustHold(entries.length + unread <= input.toString().split("\n").length, "more lines than there are");
      for (const line of auditTable(entries).split("\n")) say(line);
      for (const entry of entries) {
        say(traceLine(traceToken(entries, credentialIdOf(entry) ?? ""), now));
        const written = auditLine(entry);
        mustHold(Buffer.byteLength(written) <= longestLine && typeof parseAuditLine(written.trimEnd()) === "object", "what was read cannot be written");
      }
      return entries;
    }),
};

export const secretStores: Target = {
  name: "items",
  what: "what lies in a secret store or in its journal",
  kind: "json",
  secrets: [refreshToken, token, sealKey],
  seeds: [
    JSON.stringify(item),
    JSON.stringify({ name: "i", value: JSON.stringify(item) }),
    `${key} ${JSON.stringify(credential)}\n${key} {}`,
    JSON.stringify([pending, { ...pending, spent: sha256Hex(refreshToken) }]),
  ],
  start: () =>
    plantingSubject((plant, folder) => {
      const files = privateFiles(folder);
      const hash = () => "item";
      return async (input) => {
        const text = input.toString();
        plant("refresh/item.json", input);
        await diskSecretStore(files, hash).read("i");
        const store = {
          kind: "keyring",
          keeps: true,
          describe: () => "it",
          probe: async () => undefined,
          read: async () => text,
          write: async () => undefined,
          remove: async () => undefined,
        };
        const whole = { ...store, prepare: async () => ({ giveBack: () => undefined }) };
        await credentialItems(whole, "i").read(key);
        // The journal holds the input itself, sealed with the item's key: nobody else can write there.
        const journal = { newKey: () => sealKey, write: () => undefined, hasRoom: () => true, read: () => [text], remove: () => undefined };
        await secretItems({ ...whole, read: async () => JSON.stringify(item) }, journal).read("i");
        await secretItems(whole, journal).read("i");
      };
    }),
};

/** `refreshToken` for the item `i`, sealed with `sealKey` and a nonce of small numbers. */
const sealed = "AQIDBAUGBwgJCgsMIAosgjeCAQOj65PEJCNNv2VEJDu3JIsivC3ZSfqb2/z8o1VNrWROsHuFsLwO6w==";

export const sealedFiles: Target = {
  name: "journal",
  what: "a sealed file that somebody changed",
  kind: "bytes",
  secrets: [refreshToken],
  seeds: [sealed, "", "AAAA", Buffer.alloc(100).toString("base64")],
  start: () =>
    plantingSubject((plant, folder) => {
      const journal = sealedJournal([privateFiles(folder)]);
      const file = `journal/${sha256Hex(`${folder}\u0000i`)}`;
      return (input) => {
        plant(file, input);
        for (const text of journal.read("i", sealKey)) mustHold(text === refreshToken, "a changed file opens");
        mustHold(journal.read("other", sealKey).length === 0, "a file opens for another item");
        plant(file, input);
        mustHold(journal.read("i", "AAAA").length === 0, "a file opens with another key");
      };
    }),
};
