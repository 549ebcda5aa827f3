import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accounts } from "../issuer/accounts.ts";
import { credentialOf, errorCode, runWithBrowser } from "./program.ts";
import { hasKubectl, type ProviderStage, startProviderStage } from "./provider-stage.ts";
import { home, issuer, session, useStage } from "./stage.ts";

let stage: ProviderStage;
beforeAll(async () => {
  stage = await startProviderStage();
  stage.writeContexts({ alice: { options: ["--account=alice@example.com"] }, bob: { options: ["--account=bob@example.com"] } });
});
afterAll(() => stage.stop());

const who = async (context: string, more: Readonly<Record<string, string>> = {}) => {
  const ran = await stage.kubectl(["--context", context, "auth", "whoami", "-o", "json"], more);
  expect(ran.status, ran.stderr).toBe(0);
  return (JSON.parse(ran.stdout) as { status: { userInfo: { username: string } } }).status.userInfo.username;
};
const logins = () => stage.provider.count("token", "authorization_code");
const refreshes = () => stage.provider.count("token", "refresh_token");

describe.skipIf(!hasKubectl)(`two accounts at one issuer, a context for each${hasKubectl ? "" : " (kubectl is not on the PATH)"}`, () => {
  it("log in side by side, each person by the hint, and each context is its own person from then on", async () => {
    expect(await Promise.all([who("alice"), who("bob")])).toEqual(["oidc:alice", "oidc:bob"]);
    expect(logins()).toBe(2);
    const both = Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? "alice" : "bob"));
    expect(await Promise.all(both.map((context) => who(context)))).toEqual(both.map((name) => `oidc:${name}`));
    expect(logins()).toBe(2);
    expect(
      stage
        .items()
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual(["alice", "bob"]);
  });

  it("are refreshed side by side with their own refresh tokens", async () => {
    const before = refreshes();
    const tokens = await Promise.all(["alice", "bob"].map((name) => stage.home.run(["token", `--context=${name}`, "--force-refresh", "-o", "json"])));
    expect(tokens.map(({ stdout }) => (JSON.parse(stdout) as { subject: string }).subject)).toEqual(["alice", "bob"]);
    expect(refreshes() - before).toBe(2);
    expect(logins()).toBe(2);
  });

  it("stand in status with the context of each", async () => {
    const { sessions } = JSON.parse((await stage.home.run(["status", "-o", "json"])).stdout) as { sessions: { account: string; subject: string; contexts: string[] }[] };
    expect(sessions.map(({ account, subject, contexts }) => [account, subject, contexts]).sort()).toEqual([
      ["alice@example.com", "alice", ["alice"]],
      ["bob@example.com", "bob", ["bob"]],
    ]);
  });

  it("need a name where neither is meant: SETTINGS_INCOMPLETE, with both", async () => {
    const ended = await stage.home.run(["token", ...stage.options]);
    expect(errorCode(ended)).toBe("SETTINGS_INCOMPLETE");
    expect(ended.stderr).toContain("alice@example.com, bob@example.com");
  });

  it("a browser that is logged in as somebody else changes nothing: ACCOUNT_MISMATCH, and both sessions are what they were", async () => {
    const before = stage.items();
    const asBob = { DEMO_ACCOUNT: "bob", DEMO_PASSWORD: accounts.bob.password, DEMO_CA_FILE: stage.caFile };
    const ended = await stage.home.run(["login", "--context=alice"], asBob);
    expect(errorCode(ended), ended.stderr).toBe("ACCOUNT_MISMATCH");
    expect(ended.stderr).toMatch(/logged in as bob@example\.com, but --account asks for alice@example\.com/);
    expect(stage.items()).toEqual(before);
    expect(await Promise.all([who("alice"), who("bob")])).toEqual(["oidc:alice", "oidc:bob"]);
  });

  it("logout of one ends that one: the other works on without a login", async () => {
    const out = await stage.home.run(["logout", ...stage.options.slice(0, 5), "--account=alice@example.com"]);
    expect(out.status, out.stderr).toBe(0);
    const before = logins();
    expect(await who("bob")).toBe("oidc:bob");
    const bob = await stage.home.run(["token", "--context=bob", "--force-refresh"]);
    expect(bob.status, bob.stderr).toBe(0);
    const alice = await stage.home.run(["token", "--context=alice"]);
    expect(errorCode(alice)).toBe("LOGIN_REQUIRED");
    expect(logins()).toBe(before);
    expect(stage.items().flatMap(({ refreshToken, subject }) => (refreshToken === undefined ? [] : [subject]))).toEqual(["bob"]);
  });
});

describe("an ID token that names nobody", () => {
  useStage();
  const nameless = () => {
    issuer.play.claims = (proper) => ({ ...proper, email: undefined });
  };

  it("cannot be compared with --account: the login holds, and that is said; the subject is held to from then on", async () => {
    nameless();
    const login = await runWithBrowser(home, session("--account=ann@example.com"));
    credentialOf(login);
    expect(login.stderr).toMatch(/warning: the ID token names no account, so that ann@example\.com logged in could not be checked; try --oidc-extra-scope=email/);
    issuer.play.claims = (proper) => ({ ...proper, email: undefined, sub: "user-2" });
    expect(errorCode(await home.run(session("--account=ann@example.com", "--force-refresh", "--non-interactive")))).toBe("ACCOUNT_MISMATCH");
  });

  it("is compared by its subject, when that is what --account says", async () => {
    nameless();
    const login = await runWithBrowser(home, session("--account=user-1"));
    credentialOf(login);
    expect(login.stderr).not.toContain("could not be checked");
  });
});

describe("a stanza without --account whose only session has one", () => {
  useStage();
  it("has that account suggested at the next login, and takes nobody else", async () => {
    credentialOf(await runWithBrowser(home, session("--account=ann@example.com")));
    issuer.live.clear();
    issuer.play.claims = (proper) => ({ ...proper, email: "eve@example.com", sub: "user-2" });
    const again = await runWithBrowser(home, session("--force-refresh"));
    expect(new URL(again.url).searchParams.get("login_hint")).toBe("ann@example.com");
    expect(errorCode(again)).toBe("ACCOUNT_MISMATCH");
  });
});
