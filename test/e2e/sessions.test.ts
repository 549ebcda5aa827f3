import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keychainOutside, real, writeKubeconfig } from "../conformance/poisoned-stage.ts";
import { credentialOf, errorCode, execInfo, runWithBrowser } from "./program.ts";
import { ageToken, home, issuer, options, useStage } from "./stage.ts";

useStage();

const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in \d+ (?:min|s)\)`;
const lines = (text: string) => text.trimEnd().split("\n");
const logIn = async (...how: string[]) => {
  const ended = await runWithBrowser(home, ["login", ...how]);
  expect(ended.status, ended.stderr).toBe(0);
};

/** Changes what is recorded of every session. */
function changeRecords(change: object): void {
  const folder = join(home.data, "sessions");
  for (const name of readdirSync(folder)) {
    const record = JSON.parse(readFileSync(join(folder, name), "utf8"));
    writeFileSync(join(folder, name), JSON.stringify({ ...record, ...change }));
  }
}
const over = { hasRefreshToken: false, tokenExpiresAt: "2020-01-01T00:00:00Z" };

describe("status", () => {
  it("says whether the next kubectl works without a person, and what mends it; without a request", async () => {
    writeKubeconfig(options(), { prod: real, staging: real });
    const before = await home.run(["status"]);
    expect(before).toMatchObject({ status: 0, stdout: "" });
    expect(lines(before.stderr)).toEqual([
      "kubectl-oidc: the next kubectl needs a login (context prod)",
      "kubectl-oidc: contexts prod, staging: not logged in; run: kubectl oidc login --context=prod",
    ]);
    await logIn();
    const requests = issuer.seen.length;
    const good = await home.run(["status"]);
    expect(good).toMatchObject({ status: 0, stderr: "kubectl-oidc: the next kubectl works without a login (context prod)\n" });
    expect(lines(good.stdout)[1]).toMatch(new RegExp(`^${issuer.url} +ann@example\\.com +active +${time} +disk +prod,staging$`));
    changeRecords(over);
    const expired = await home.run(["status"]);
    expect(expired.status).toBe(0);
    expect(lines(expired.stderr)[0]).toBe("kubectl-oidc: the next kubectl needs a login (context prod)");
    expect(lines(expired.stderr)[1]).toMatch(/: the token expired \d+ d ago, and there is no refresh token; run: kubectl oidc login --context=prod$/);
    rmSync(join(home.folder, "kubeconfig"));
    const alone = await home.run(["status"]);
    expect(lines(alone.stderr)[0]).toBe("kubectl-oidc: 0 of 1 session works without a login");
    expect(alone.stderr).toContain(`run: kubectl oidc login --oidc-issuer-url=${issuer.url} --oidc-client-id=kubernetes --token-cache-storage=disk\n`);
    expect(issuer.seen.length).toBe(requests);
  });

  it("says until when kubectl opens no login, and login ends that", async () => {
    writeKubeconfig(options(), { prod: real });
    issuer.play.authorize = (query) => new URLSearchParams({ error: "access_denied", state: query.get("state") ?? "", iss: issuer.url });
    const denied = await runWithBrowser(home, ["get-token", ...options()]);
    expect(errorCode(denied)).toBe("LOGIN_DENIED");
    // As after four of them: half an hour, and not the ten seconds that a busy machine may take for one call.
    for (const name of readdirSync(join(home.data, "pauses"))) {
      const file = join(home.data, "pauses", name);
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), failures: 4 }));
    }
    const paused = await home.run(["status"]);
    expect(paused.stderr).toMatch(
      new RegExp(`context prod: not logged in; after a login without success kubectl opens none until ${time} \\[LOGIN_PAUSED\\]; run: kubectl oidc login --context=prod\n`),
    );
    delete issuer.play.authorize;
    await logIn("--context=prod");
    expect((await home.run(["status"])).stderr).not.toContain("LOGIN_PAUSED");
  });

  it("asks no keychain: what the record says of it is shown", async () => {
    writeKubeconfig(options(), { prod: real });
    await logIn();
    const [name = ""] = readdirSync(join(home.data, "sessions"));
    const record = JSON.parse(readFileSync(join(home.data, "sessions", name), "utf8"));
    changeRecords({ identity: { ...record.identity, storage: "helper:nowhere" }, tokenExpiresAt: "2020-01-01T00:00:00Z" });
    const ended = await home.run(["status"]);
    expect([ended.status, lines(ended.stdout)[1]]).toEqual([0, expect.stringMatching(/refreshable .* helper:nowhere/)]);
  });

  it("names a context that cannot be used, and a session that no context uses, with the command for each", async () => {
    await logIn(...options("--account=ann@example.com"));
    writeKubeconfig(options("--max-age=soon"), { prod: real });
    const ended = await home.run(["status"]);
    expect(ended.status).toBe(0);
    expect(ended.stderr).toMatch(/kubectl-oidc: context prod: .*max-age.* \[SETTINGS_INVALID\]; run: kubectl oidc doctor --context=prod\n/);
    const [, command = ""] = /no context of the kubeconfig uses it; to end it, run: kubectl oidc (.*)\n/.exec(ended.stderr) ?? [];
    // The command as it is shown does what it says.
    const out = await home.run(command.split(" "));
    expect(out.stderr).toContain("logged out, and the session is revoked");
    expect(readdirSync(join(home.data, "sessions"))).toEqual([]);
  });

  it("with -o json is one line on stdout and nothing else", async () => {
    writeKubeconfig(options(), { prod: real });
    await logIn();
    const ended = await home.run(["status", "-o", "json"]);
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    const [session] = JSON.parse(ended.stdout).sessions;
    expect(Object.keys(session)).toEqual(["issuer", "clientId", "account", "subject", "scopes", "storage", "tokenExpiresAt", "hasRefreshToken", "state", "contexts"]);
  });
});

describe("logout", () => {
  it("says what is gone and what remains: tokens that are out, the list of servers, contexts, the browser's session", async () => {
    writeKubeconfig(options(), { prod: real, staging: real });
    await logIn();
    const ended = await home.run(["logout"]);
    expect(ended).toMatchObject({ status: 0, stdout: "" });
    const [done, tokens, servers, contexts, browser, ...more] = lines(ended.stderr);
    expect(done).toBe(`kubectl-oidc: ${issuer.url} (ann@example.com): logged out, and the session is revoked; its refresh token is gone from ${join(home.data, "refresh")}`);
    expect(tokens).toMatch(new RegExp(`^kubectl-oidc: tokens already handed out stay valid until ${time}: an API server cannot be told$`));
    expect(servers).toBe(`kubectl-oidc: the list of servers stays, for the next login: ${real.server}; --all forgets it`);
    expect(contexts).toBe("kubectl-oidc: still in the kubeconfig: prod, staging; the next kubectl there logs in again");
    expect(browser).toBe(`kubectl-oidc: your browser is still logged in at ${issuer.url}; to end that too, run: kubectl oidc logout --sso --context=prod`);
    expect(more).toEqual([]);
    const again = await home.run(["logout"]);
    expect(again).toMatchObject({ status: 0, stdout: "", stderr: `kubectl-oidc: ${issuer.url}: not logged in; nothing to delete\n` });
    const sso = await home.run(["logout", "--sso", "--context=prod"]);
    expect([sso.status, sso.stderr]).toEqual([0, expect.stringContaining(`end the browser's session here: ${issuer.url}/end?client_id=kubernetes`)]);
    expect(sso.stderr).not.toContain("your browser is still logged in");
  });

  it("of a machine speaks of no browser and no refresh token", async () => {
    issuer.play.refreshTokens = false;
    const pipeline = options("--grant-type=client-credentials");
    writeKubeconfig(pipeline, { ci: real });
    credentialOf(await home.run(["get-token", ...pipeline]));
    const ended = await home.run(["logout"]);
    expect(ended.stderr).toContain("logged out; there was no refresh token to revoke");
    expect(ended.stderr).toContain("the next kubectl there gets a new token without a person");
    expect(ended.stderr).not.toContain("browser");
  });

  it("--all counts, forgets the lists of servers, those without a session too, and goes on after one that fails", async () => {
    const outside = keychainOutside();
    const second = options("--account=ann@example.com", `--token-cache-storage=${outside.storage}`).filter((option) => option !== "--token-cache-storage=disk");
    writeKubeconfig(options(), { prod: real });
    await logIn("--context=prod");
    expect((await runWithBrowser(home, ["login", ...second], outside.env)).status).toBe(0);
    // The helper is gone: what it holds cannot be deleted.
    const failed = await home.run(["logout", "--all"]);
    expect([failed.status, failed.stdout, errorCode(failed)], failed.stderr).toEqual([50, "", "KEYCHAIN_UNAVAILABLE"]);
    expect(failed.stderr).toContain("kubectl-oidc: 1 of 2 sessions logged out, and revoked at the issuer\n");
    const rest = await home.run(["logout", "--all"], outside.env);
    expect([rest.status, rest.stdout]).toEqual([0, ""]);
    expect(rest.stderr).toContain("kubectl-oidc: 1 session logged out, and revoked at the issuer\n");
    expect(issuer.live.size).toBe(0);
    await home.run(["trust", "add", "--context=prod"]);
    const lists = await home.run(["logout", "--all"]);
    expect([lists.status, lists.stderr]).toEqual([0, expect.stringContaining("the list of servers too")]);
    expect((await home.run(["trust", "list"])).stderr).toContain("has no list of servers");
    const nothing = await home.run(["logout", "--all"]);
    expect(nothing).toMatchObject({ status: 0, stdout: "", stderr: "kubectl-oidc: not logged in; nothing to delete\n" });
  });
});

describe("token --min-validity", () => {
  const token = (...more: string[]) => home.run(["token", ...options(...more)]);

  it("refreshes when less is left, also where kubectl's scaled margin would not; a longer one is handed out as it is", async () => {
    await runWithBrowser(home, ["get-token", ...options()]);
    ageToken(230);
    const before = issuer.count("/token");
    const enough = await token("--min-validity=3m");
    expect([enough.status, enough.stderr, issuer.count("/token")]).toEqual([0, "", before]);
    const short = await token("--min-validity=4m");
    expect([short.status, short.stderr, issuer.count("/token")]).toEqual([0, "", before + 1]);
    expect(short.stdout).not.toBe(enough.stdout);
  });

  it("beyond what the issuer gives: the newest token, and how long it lives on stderr; one refresh, not one for every call", async () => {
    await runWithBrowser(home, ["get-token", ...options()]);
    ageToken(230);
    const before = issuer.count("/token");
    for (const _ of [1, 2]) {
      const ended = await token("--min-validity=10m");
      expect([ended.status, lines(ended.stdout).length]).toEqual([0, 1]);
      expect(ended.stderr).toMatch(new RegExp(`^kubectl-oidc: warning: the token is good until ${time}, less than --min-validity asks for; no longer one could be had\n$`));
    }
    expect(issuer.count("/token")).toBe(before + 1);
  });

  it("while the issuer is out of reach: the token that is there, with the warning", async () => {
    await runWithBrowser(home, ["get-token", ...options()]);
    ageToken(230);
    issuer.play.token = () => "reset";
    const ended = await token("--min-validity=4m");
    expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining("less than --min-validity asks for")]);
  });

  it("of a machine: a new token, without a person", async () => {
    const machine = "--grant-type=client-credentials";
    await token(machine);
    ageToken(230);
    const before = issuer.count("/token");
    const ended = await token(machine, "--min-validity=4m");
    expect([ended.status, ended.stderr, issuer.count("/token")]).toEqual([0, "", before + 1]);
  });

  it("of a stanza stays kubectl's: --context does not make it a script's", async () => {
    writeKubeconfig(options("--min-validity=10m"), { prod: real });
    await logIn();
    const before = issuer.count("/token");
    const ended = await home.run(["token", "--context=prod"]);
    expect([ended.status, ended.stderr, issuer.count("/token")]).toEqual([0, "", before]);
    expect((await home.run(["get-token", ...options("--min-validity=10m")], { KUBERNETES_EXEC_INFO: execInfo() })).status).toBe(0);
    expect(issuer.count("/token")).toBe(before);
  });
});
