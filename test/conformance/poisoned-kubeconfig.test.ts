import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memoInputs, memoName, parseMemo } from "../../src/core/memo.ts";
import { credentialOf, errorCode, openUrl, runWithBrowser } from "../e2e/program.ts";
import { ageToken, home, issuer, options, session, useStage } from "../e2e/stage.ts";
import { gaveNothing, keychainOutside, logInAs, movedHome, poisons, real, toServer, writeKubeconfig } from "./poisoned-stage.ts";

useStage();

const evil = { server: "https://evil.example.com" };

describe("a stanza with the real issuer and client, and", () => {
  it.each(poisons)("%s, gets neither the cached token nor a fresh one [MK-02]", async (_, cluster) => {
    writeKubeconfig(options(), { prod: real });
    await logInAs("prod");
    // Twice: the second good call comes from the hot path, and must not open it for the bad one.
    for (const _ of [1, 2]) credentialOf(await home.run(session(), toServer(real)));
    const before = issuer.count("/token");
    const cached = await home.run(session(), toServer(cluster));
    expect([cached.status, errorCode(cached), gaveNothing(cached, before)], cached.stderr).toEqual([40, "SERVER_NOT_TRUSTED", true]);
    expect(cached.stderr.split("\n").length).toBeLessThanOrEqual(4);
    ageToken();
    const old = await home.run(session(), toServer(cluster));
    expect([errorCode(old), gaveNothing(old, before)]).toEqual(["SERVER_NOT_TRUSTED", true]);
    credentialOf(await home.run(session(), toServer(real)));
  });

  it("another server, gets nothing by --force-refresh, another audience, the access token, or `token` either [MK-02]", async () => {
    writeKubeconfig(options(), { prod: real, evil });
    await logInAs("prod");
    const before = issuer.count("/token");
    for (const args of [session("--force-refresh"), session("--oidc-audience=x"), session("--oidc-use-access-token"), session("--min-validity=1h"), ["token", "--context=evil"]]) {
      const ended = await home.run(args, toServer(evil));
      expect([errorCode(ended), gaveNothing(ended, before)], args.join(" ")).toEqual(["SERVER_NOT_TRUSTED", true]);
    }
  });

  it("another server, does not get into the list by the login that kubectl starts [MK-02]", async () => {
    writeKubeconfig(options(), { prod: real });
    await logInAs("prod");
    await home.run(["logout", "--context=prod"]);
    const before = issuer.count("/authorize");
    const ended = await home.run(session(), toServer(evil));
    expect([errorCode(ended), issuer.count("/authorize")]).toEqual(["SERVER_NOT_TRUSTED", before]);
    expect((await runWithBrowser(home, session(), toServer(real))).status).toBe(0);
  });

  it("says what differs when the address is known, and the command that would allow it", async () => {
    writeKubeconfig(options(), { prod: real, other: { ...real, "proxy-url": "http://proxy.example.com:3128" } });
    await logInAs("prod");
    const proxied = await home.run(session(), toServer({ ...real, "proxy-url": "http://proxy.example.com:3128" }));
    expect(proxied.stderr).toContain("https://k8s.example.com:6443, which now has another proxy");
    expect(proxied.stderr).toContain("if you trust that server, run: kubectl oidc trust add --context=other");
    const unknown = await home.run(session(), toServer(evil));
    expect(unknown.stderr).toContain(`run: kubectl oidc trust add https://evil.example.com --oidc-issuer-url=${issuer.url}`);
    const hostile = await home.run(session(), toServer({ server: "https://a$(id)`id`;b.example.com" }));
    expect(hostile.stderr).toMatch(/trust add 'https:\/\/a\$\(id\)`id`;b\.example\.com'/);
  });
});

describe("one audience for each cluster", () => {
  it("is one token for each, out of one session: what one cluster got does not open the other [MK-03]", async () => {
    expect((await runWithBrowser(home, session())).status).toBe(0);
    const tokens = new Set<string>();
    for (const audience of ["one", "other", "one"]) tokens.add(credentialOf(await home.run(session(`--oidc-audience=${audience}`))).status.token);
    const asked = issuer.seen.filter(({ form }) => form["grant_type"] === "refresh_token").map(({ form }) => form["resource"]);
    expect([asked, tokens.size]).toEqual([["one", "other"], 2]);
  });
});

describe("the list of servers", () => {
  it("lies with the refresh token: a home moved by the stanza's env does not forget it [ST-11, MK-01]", async () => {
    const { env, storage } = keychainOutside();
    const args = options().map((arg) => (arg.startsWith("--token-cache-storage") ? `--token-cache-storage=${storage}` : arg));
    writeKubeconfig(args, { prod: real });
    await logInAs("prod", env);
    const before = issuer.count("/token");
    const moved = { ...env, ...movedHome(), ...toServer(evil) };
    for (const more of [moved, { ...moved, KUBECACHEDIR: join(home.folder, "unpacked") }]) {
      const ended = await home.run(["get-token", ...args, "--non-interactive"], more);
      expect([ended.stdout, issuer.count("/token")], ended.stderr).toEqual(["", before]);
      if (!("KUBECACHEDIR" in more)) expect(errorCode(ended)).toBe("SERVER_NOT_TRUSTED");
    }
  });

  it("holds against a memo that was planted for the wrong server, in the real folder and in a moved one [MK-02]", async () => {
    writeKubeconfig(options(), { prod: real });
    await logInAs("prod");
    for (const _ of [1, 2]) credentialOf(await home.run(session(), toServer(real)));
    const name = readdirSync(join(home.data, "memo"))[0] ?? "";
    const memo = parseMemo(readFileSync(join(home.data, "memo", name), "utf8"));
    const version = memo?.inputs[0] ?? "";
    const before = issuer.count("/token");
    // The first is what an archive can hold: it cannot know the id. The second knows it, and lies in another folder than the token's.
    for (const [env, id] of [
      [{}, "0".repeat(32)],
      [movedHome(), "0".repeat(32)],
    ] as const) {
      const all = { ...home.env, ...env, ...toServer(evil) };
      const inputs = memoInputs(session(), all, version);
      const folder = join("XDG_DATA_HOME" in env ? env.XDG_DATA_HOME : join(home.folder, "data"), "kubectl-oidc");
      mkdirSync(join(folder, "memo"), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, "memo", memoName(inputs.open)), JSON.stringify({ ...memo, id, inputs: inputs.open, stamps: [] }), { mode: 0o600 });
      const ended = await home.run([...session()], { ...env, ...toServer(evil), CI: "true" });
      expect([ended.stdout, issuer.count("/token")], ended.stderr).toEqual(["", before]);
    }
  });

  it("is not helped by a whole store out of an archive: it holds the sender's tokens, never ours", async () => {
    writeKubeconfig(options(), { prod: real });
    await logInAs("prod");
    const ours = credentialOf(await home.run(session(), toServer(real))).status.token;
    const env = movedHome();
    cpSync(home.data, join(env.XDG_DATA_HOME, "kubectl-oidc"), { recursive: true });
    const folder = join(env.XDG_DATA_HOME, "kubectl-oidc", "credentials");
    for (const name of readdirSync(folder)) {
      const record = JSON.parse(readFileSync(join(folder, name), "utf8"));
      writeFileSync(join(folder, name), JSON.stringify({ ...record, servers: [], token: "planted.planted.planted" }), { mode: 0o600 });
    }
    expect((await home.run([...session()], { ...env, ...toServer(evil), CI: "true" })).stdout).not.toContain(ours);
  });

  it("a login that kubectl starts names issuer, client and server first [MK-07, DV-13]", async () => {
    for (const [args, next] of [
      [session(), openUrl],
      [session("--grant-type=device-code", "--account=bob"), /code/],
    ] as const) {
      const started = home.start(args, toServer(evil));
      await started.sees(next);
      started.child.kill("SIGINT");
      const { stderr } = await started.ended;
      expect(stderr.split("\n")[0]).toBe(`kubectl-oidc: logging in to ${issuer.url} as client kubernetes for https://evil.example.com`);
    }
  });
});
