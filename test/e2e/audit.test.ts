import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type JsonShape, jsonShapes } from "../../docs/generate/json-shapes.ts";
import type { AuditEntry } from "../../src/core/audit-entry.ts";
import { asUserAt, logInAs, real, toServer, writeConfig, writeKubeconfig } from "../conformance/poisoned-stage.ts";
import { differences } from "../docs/shape.ts";
import { startMisbehaving } from "../issuer/misbehaving.ts";
import { canMountHere } from "../programs.ts";
import { credentialOf, errorCode, programCommand, runWithBrowser } from "./program.ts";
import { ageToken, home, issuer, options, session, useStage } from "./stage.ts";

useStage();

const folder = () => join(home.data, "audit");
/** The lines of the log, the oldest first. */
const entriesIn = (place: string): readonly AuditEntry[] =>
  readFileSync(join(place, "audit.1.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as AuditEntry);
const entries = () => (existsSync(folder()) ? entriesIn(folder()) : []);
const events = () => entries().map((entry) => (entry.event === "refusal" ? `${entry.event} ${entry.code}` : entry.event));
const lines = (text: string) => text.trimEnd().split("\n");
const jtiOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).jti as string;

/** Every token of the issuer has a `jti` of its own. */
function turnOn(): void {
  let serial = 0;
  issuer.play.claims = (proper) => ({ ...proper, jti: `jti-${++serial}-${Math.random().toString(16).slice(2)}` });
  writeConfig("audit: true\n");
}

describe("while the configuration file says audit: true", () => {
  it("login, hand-out, refresh and logout are written down, tied to the login by its id, with who, where and for whom", async () => {
    turnOn();
    const first = credentialOf(await runWithBrowser(home, session(), toServer(real))).status.token;
    ageToken();
    const second = credentialOf(await home.run(session(), toServer(real))).status.token;
    // The second one finds nothing to end.
    for (const _ of [1, 2]) expect((await home.run(["logout", ...options()])).status).toBe(0);
    expect(events()).toEqual(["login", "hand-out", "refresh", "hand-out", "logout"]);
    const [login, handed, refresh, again, logout] = entries();
    const everywhere = {
      schema: 1,
      issuer: issuer.url,
      clientId: "kubernetes",
      subject: "user-1",
      name: "ann@example.com",
      login: expect.stringMatching(/^[0-9a-f]{16}$/),
      loginAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      session: login?.session,
      pid: expect.any(Number),
      parent: { pid: process.pid, ...(process.platform === "linux" ? { name: readFileSync(`/proc/${process.pid}/comm`, "utf8").trim() } : {}) },
      version: JSON.parse(readFileSync("package.json", "utf8")).version,
    };
    for (const entry of entries()) expect(entry).toMatchObject({ ...everywhere, login: login?.login });
    expect(login).toMatchObject({ ...everywhere, grant: "authcode", server: real.server, tokenKind: "id", audience: ["kubernetes"], jti: jtiOf(first) });
    expect(handed).toMatchObject({ jti: jtiOf(first), server: real.server, grant: "person" });
    expect(refresh).toMatchObject({ jti: jtiOf(second), server: real.server, grant: "refresh-token", expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) });
    expect(again).toMatchObject({ jti: jtiOf(second) });
    expect(logout).toMatchObject({ revoked: true });
    expect(logout).not.toHaveProperty("jti");
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder(), "audit.1.jsonl")).mode & 0o777).toBe(0o600);
  });

  it("a token that the hot path repeats is not written down again: its first hand-out to this stanza is there", async () => {
    turnOn();
    await runWithBrowser(home, session());
    const more = async () => {
      const before = entries().length;
      credentialOf(await home.run(session()));
      return entries().length - before;
    };
    // Once the configuration file is older than two seconds, a memo is written.
    await expect.poll(more, { timeout: 10_000, interval: 500 }).toBe(0);
    expect(events().slice(0, 2)).toEqual(["login", "hand-out"]);
  });

  it("the flow of a login, a machine's token, and one handed to a script", async () => {
    turnOn();
    expect((await home.run(["login", ...options("--grant-type=device-code")])).status).toBe(0);
    expect((await home.run(["token", ...options()])).status).toBe(0);
    expect((await home.run(["token", ...options("--grant-type=client-credentials")])).status).toBe(0);
    expect(entries().map(({ event, grant }) => `${event} ${grant}`)).toEqual(["login device-code", "hand-out person", "login client-credentials", "hand-out client-credentials"]);
  });

  it("a token without jti is named by a digest, of which nobody makes a token", async () => {
    writeConfig("audit: true\n");
    credentialOf(await runWithBrowser(home, session(), toServer(real)));
    const [login, handed] = entries();
    expect(login).not.toHaveProperty("jti");
    expect(login).toMatchObject({ tokenSha256: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(handed).toMatchObject({ tokenSha256: login !== undefined && "tokenSha256" in login ? login.tokenSha256 : "" });
  });

  it("refusals: a person's no, a session that the issuer ended, a server that is not on the list; each once", async () => {
    turnOn();
    issuer.play.authorize = (query) => new URLSearchParams({ error: "access_denied", state: query.get("state") ?? "", iss: issuer.url });
    expect(errorCode(await runWithBrowser(home, session(), toServer(real)))).toBe("LOGIN_DENIED");
    delete issuer.play.authorize;
    expect((await runWithBrowser(home, ["login", ...options()])).status).toBe(0);
    credentialOf(await home.run(session(), toServer(real)));
    expect((await home.run(["trust", "add", real.server, ...options()])).status).toBe(0);
    const evil = { ...real, server: "https://evil.example.com" };
    expect(errorCode(await home.run(session(), toServer(evil)))).toBe("SERVER_NOT_TRUSTED");
    issuer.live.clear();
    ageToken();
    expect(errorCode(await home.run(session("--non-interactive"), {}))).toBe("SESSION_REVOKED");
    expect(events()).toEqual(["refusal LOGIN_DENIED", "login", "hand-out", "refusal SERVER_NOT_TRUSTED", "refusal SESSION_REVOKED"]);
    const [denied, login, , server, revoked] = entries();
    expect(denied).toMatchObject({ grant: "authcode", server: real.server });
    expect(denied).not.toHaveProperty("login");
    expect(server).toMatchObject({ server: evil.server, login: login?.login, name: "ann@example.com" });
    expect(revoked).toMatchObject({ grant: "refresh-token", login: login?.login });
  });

  it("an issuer that cannot be reached refuses nobody", async () => {
    turnOn();
    await runWithBrowser(home, session());
    ageToken();
    issuer.play.token = () => "reset";
    expect((await home.run(session("--non-interactive"))).status).toBe(30);
    expect(events()).toEqual(["login", "hand-out"]);
  });

  it("twenty calls at once that refresh: one refresh, and every line whole", async () => {
    turnOn();
    await runWithBrowser(home, session());
    ageToken();
    const ended = await Promise.all(Array.from({ length: 20 }, () => home.run(session())));
    for (const one of ended) credentialOf(one);
    expect(events().filter((event) => event === "refresh")).toHaveLength(1);
    expect(new Set(entries().map(({ login }) => login)).size).toBe(1);
  });

  it("a second login has another id; logout --all ends with the one that it ended", async () => {
    turnOn();
    for (const _ of [1, 2]) expect((await runWithBrowser(home, ["login", ...options()])).status).toBe(0);
    expect((await home.run(["logout", "--all"])).status).toBe(0);
    const [first, second, logout] = entries();
    expect(first?.login).not.toBe(second?.login);
    expect([logout?.event, logout?.login]).toEqual(["logout", second?.login]);
  });

  it("a configuration file that cannot be read keeps nobody from logout --all, which says that it is not written down", async () => {
    turnOn();
    expect((await runWithBrowser(home, ["login", ...options()])).status).toBe(0);
    writeConfig("audit: perhaps\n");
    const ended = await home.run(["logout", "--all"]);
    expect([ended.status, events()]).toEqual([0, ["login"]]);
    expect(ended.stderr).toMatch(/warning: whether there is an audit log cannot be told: .*audit must be true or false \[SETTINGS_INVALID\]\n/);
    expect(errorCode(await home.run(["audit"]))).toBe("SETTINGS_INVALID");
  });

  it("the login of setup is one of them", async () => {
    turnOn();
    writeKubeconfig([], { prod: real });
    const ended = await runWithBrowser(home, ["setup", "--context=prod", "--user=mine", "--yes", ...options()]);
    expect(ended.stderr).toContain("setting up the context prod");
    expect(events()).toEqual(["login"]);
  });

  it("a log that cannot be written is said once, with its code, and the token is handed out all the same", async () => {
    turnOn();
    mkdirSync(home.data, { mode: 0o700 });
    symlinkSync("/tmp", folder());
    const ended = await runWithBrowser(home, session(), toServer(real));
    credentialOf(ended);
    expect(ended.stderr.match(/warning: the audit log could not be written: .*\[STORE_UNSAFE\]/g)).toHaveLength(1);
    expect(errorCode(ended)).toBe("none");
  });
});

describe("while it does not", () => {
  it("nothing is written, no record has a login id, and audit says how to begin", async () => {
    credentialOf(await runWithBrowser(home, session()));
    expect(existsSync(folder())).toBe(false);
    const [name = ""] = readdirSync(join(home.data, "sessions"));
    expect(JSON.parse(readFileSync(join(home.data, "sessions", name), "utf8"))).not.toHaveProperty("loginId");
    expect(await home.run(["audit"])).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "kubectl-oidc: there is no audit log; to begin one, put audit: true into the configuration file (kubectl oidc help config says where it lies)\n",
    });
    expect(await home.run(["audit", "-o=json"])).toMatchObject({ status: 0, stdout: '{"entries":[]}\n', stderr: "" });
    const missing = await home.run(["audit", "--jti=abc"]);
    expect([missing.status, errorCode(missing), missing.stdout]).toEqual([50, "AUDIT_ENTRY_NOT_FOUND", ""]);
    expect(missing.stderr).toContain("hint: the log is off; to begin one, put audit: true");
  });

  it("a login from before has no id: entries of later say when it was, and audit says that it is not there", async () => {
    let serial = 0;
    issuer.play.claims = (proper) => ({ ...proper, jti: `jti-${++serial}-early` });
    credentialOf(await runWithBrowser(home, session()));
    writeConfig("audit: true\n");
    ageToken();
    const { token } = credentialOf(await home.run(session())).status;
    expect(events()).toEqual(["refresh", "hand-out"]);
    expect(entries()[0]).not.toHaveProperty("login");
    const ended = await home.run(["audit", `--jti=${jtiOf(token)}`]);
    expect([ended.status, lines(ended.stderr)[0]]).toEqual([
      0,
      expect.stringMatching(/^kubectl-oidc: the login that the token came from is not in this log; it was made \d{4}-.*Z \(.*\)$/),
    ]);
  });
});

const shape = (title: string): JsonShape => jsonShapes.find((one) => one.title === title) ?? expect.fail(`docs/reference/json.md has no ${title}`);

describe("kubectl oidc audit", () => {
  it("--jti leads from a credential-id of the API server to the login, in either spelling; entries of others stay out", async () => {
    turnOn();
    const first = credentialOf(await runWithBrowser(home, session(), toServer(real))).status.token;
    ageToken();
    const second = credentialOf(await home.run(session(), toServer(real))).status.token;
    for (const id of [jtiOf(second), `JTI=${jtiOf(second)}`]) {
      const ended = await home.run(["audit", "--jti", id]);
      expect(ended.status, ended.stderr).toBe(0);
      expect(ended.stderr).toMatch(
        /^kubectl-oidc: the token came from the login of ann@example\.com at http:\/\/127\.0\.0\.1:\d+ \(authcode\), \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(.*\), on \S+ as \S+, by \S+ \(\d+\)\n$/,
      );
      const [header, ...rows] = lines(ended.stdout);
      expect(header).toMatch(/^TIME +EVENT +WHO +CLUSTER +CREDENTIAL ID +PARENT$/);
      expect(rows.map((row) => row.split(/ {2,}/)[1])).toEqual(["hand-out", "refresh", "login"]);
      expect(rows[1]).toContain(`  ann@example.com  ${real.server}  ${jtiOf(second)}  `);
    }
    const json = await home.run(["audit", "--jti", jtiOf(second), "-o=json"]);
    expect(differences(JSON.parse(json.stdout), shape("audit -o json"))).toEqual([]);
    expect(JSON.parse(json.stdout).entries.map(({ event, jti }: { event: string; jti: string }) => [event, jti])).toEqual([
      ["hand-out", jtiOf(second)],
      ["refresh", jtiOf(second)],
      ["login", jtiOf(first)],
    ]);
    const login = await home.run(["audit", "--jti", jtiOf(first)]);
    expect(lines(login.stdout).slice(1)).toHaveLength(2);
    const other = await home.run(["audit", "--jti=other"]);
    expect([other.status, other.stdout, errorCode(other)]).toEqual([50, "", "AUDIT_ENTRY_NOT_FOUND"]);
    expect(other.stderr).toContain("has no entry of the token other [AUDIT_ENTRY_NOT_FOUND]");
  });

  it("--jti of a token that was exchanged for a cluster's own audience leads to the login too", async () => {
    writeConfig("audit: true\n");
    const exchanging = await startMisbehaving();
    try {
      const args = ["get-token", `--oidc-issuer-url=${exchanging.issuer}`, ...options("--oidc-audience=prod").slice(1)];
      const { token } = credentialOf(await runWithBrowser(home, args)).status;
      expect(events()).toEqual(["login", "exchange", "hand-out"]);
      expect(entries().map(({ grant }) => grant)).toEqual(["authcode", "token-exchange", "person"]);
      const [login, exchange] = entries();
      expect(exchange).toMatchObject({ jti: jtiOf(token), audience: ["prod"], tokenKind: "access", login: login?.login });
      expect(login).not.toMatchObject({ jti: jtiOf(token) });
      const { entries: found } = JSON.parse((await home.run(["audit", `--jti=${jtiOf(token)}`, "-o=json"])).stdout);
      expect(found.map(({ event }: { event: string }) => event)).toEqual(["hand-out", "exchange", "login"]);
    } finally {
      await exchanging.stop();
    }
  });

  it("shows the newest first, as many as asked for, of the time that is asked for", async () => {
    turnOn();
    await runWithBrowser(home, session());
    const file = join(folder(), "audit.1.jsonl");
    const [line = ""] = lines(readFileSync(file, "utf8"));
    const old = Array.from({ length: 70 }, (_, i) => line.replace(/"time":"[^"]+"/, `"time":"2026-01-01T00:0${i % 10}:00Z"`));
    writeFileSync(file, `${[...old, ...lines(readFileSync(file, "utf8"))].join("\n")}\n`);
    const usual = await home.run(["audit"]);
    expect([usual.status, lines(usual.stdout).length, usual.stderr]).toEqual([0, 51, "kubectl-oidc: the newest 50 of 72 entries; --limit=0 shows all\n"]);
    const times = lines(usual.stdout)
      .slice(1)
      .map((row) => row.split(" ")[0] ?? "");
    expect(times).toEqual([...times].sort().reverse());
    expect(lines(usual.stdout)[1]).toContain(" hand-out ");
    expect(lines((await home.run(["audit", "--limit=0"])).stdout)).toHaveLength(73);
    expect(lines((await home.run(["audit", "--since=1h"])).stdout)).toHaveLength(3);
    const json = await home.run(["audit", "--limit=3", "-o=json"]);
    expect([JSON.parse(json.stdout).entries.length, differences(JSON.parse(json.stdout), shape("audit -o json"))]).toEqual([3, []]);
    for (const [args, code] of [
      [["--since=soon"], "FLAG_INVALID"],
      [["--limit=-1"], "FLAG_INVALID"],
      [["--jti="], "FLAG_INVALID"],
      [["--jti=a", "--since=1h"], "FLAG_CONFLICT"],
    ] as const)
      expect(errorCode(await home.run(["audit", ...args])), String(args)).toBe(code);
  });

  it("counts what is damaged, and refuses a log that others could have written", async () => {
    turnOn();
    await runWithBrowser(home, session());
    const file = join(folder(), "audit.1.jsonl");
    writeFileSync(file, `{"schema":1,\n${readFileSync(file, "utf8")}{"schema":2}\n`);
    const ended = await home.run(["audit"]);
    expect([ended.status, lines(ended.stdout).length, ended.stderr]).toEqual([
      0,
      3,
      "kubectl-oidc: warning: 2 lines of the audit log are damaged, or of a newer kubectl-oidc, and not shown\n",
    ]);
    chmodSync(file, 0o644);
    expect(errorCode(await home.run(["audit"]))).toBe("STORE_UNSAFE");
  });
});

describe.skipIf(!canMountHere())("under a strict that no variable moves (needs root and unshare)", () => {
  it("no HOME of a kubeconfig switches the log off, or moves it", async () => {
    const away = join(home.folder, "person");
    mkdirSync(join(away, ".config", "kubectl-oidc"), { recursive: true, mode: 0o700 });
    writeFileSync(join(away, ".config", "kubectl-oidc", "config.yaml"), "strict: true\naudit: true\n", { mode: 0o600 });
    // What a stanza's env would say: another home, with a session in it and no word of a log.
    writeKubeconfig(options(), { prod: real });
    await logInAs("prod");
    const ended = asUserAt(away, [...programCommand, ...session()], toServer(real));
    expect(ended.status, ended.stderr).toBe(0);
    expect(asUserAt(away, [...programCommand, ...session()], toServer({ ...real, server: "https://evil.example.com" })).status).toBe(40);
    expect(entriesIn(join(away, ".local", "share", "kubectl-oidc", "audit")).map(({ event }) => event)).toEqual(["hand-out", "refusal"]);
    expect(existsSync(folder())).toBe(false);
  });
});
