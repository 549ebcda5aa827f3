import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clockOff as clockOffIn } from "./clock-off.ts";
import { browse, credentialOf, errorCode, openUrl, runWithBrowser } from "./program.ts";
import { home, issuer, session, useStage } from "./stage.ts";

useStage();

const clockOff = (seconds: number) => clockOffIn(home.folder, seconds);

const refreshToken = () => {
  const folder = join(home.data, "refresh");
  const item = JSON.parse(JSON.parse(readFileSync(join(folder, readdirSync(folder)[0] ?? ""), "utf8")).value) as { refreshToken: string; pending?: { refreshToken: string } };
  return item.pending?.refreshToken ?? item.refreshToken;
};
const hours = 3600;

describe("a clock that is wrong is no logout", () => {
  it("set forward by hours: exit 30 with the clock as the cause; once it is right, the session works without a login", async () => {
    await runWithBrowser(home, session());
    const ahead = await home.run(session(), clockOff(3 * hours));
    expect(ahead).toMatchObject({ status: 30, stdout: "" });
    expect(errorCode(ahead)).toBe("ID_TOKEN_INVALID");
    expect(ahead.stderr).toContain("clock");
    expect(ahead.stderr).not.toMatch(openUrl);
    // The issuer rotated; what it sent is kept though it could not be judged.
    expect(refreshToken()).toBe([...issuer.live][0]);
    const right = await home.run(session("--non-interactive"));
    expect(right.status, right.stderr).toBe(0);
  });

  it("set back by hours: the token that is still good is used, no browser opens, and nothing is lost", async () => {
    await runWithBrowser(home, session());
    const behind = await home.run(session(), clockOff(-5 * hours));
    expect(behind.status, behind.stderr).toBe(0);
    const told = Date.parse(credentialOf(behind).status.expirationTimestamp) / 1000;
    expect(told - (Date.now() / 1000 - 5 * hours)).toBeLessThanOrEqual(300);
    expect(behind.stderr).not.toMatch(openUrl);
    const right = await home.run(session("--force-refresh", "--non-interactive"));
    expect(right.status, right.stderr).toBe(0);
  });

  it("that was ahead at the login and is right now: refreshed once, then used", async () => {
    issuer.play.claims = (proper) => ({ ...proper, iat: Number(proper.iat) + 2 * hours, exp: Number(proper.exp) + 2 * hours });
    const login = home.start(session(), clockOff(2 * hours));
    const [, url = ""] = await login.sees(openUrl);
    await browse(url);
    expect((await login.ended).status).toBe(0);
    delete issuer.play.claims;
    const before = issuer.count("/token");
    for (let i = 0; i < 3; i++) expect((await home.run(session("--non-interactive"))).status).toBe(0);
    expect(issuer.count("/token") - before).toBe(1);
  });
});

describe("a pause", () => {
  const deny = () => {
    issuer.play.authorize = (query) => new URLSearchParams({ error: "access_denied", state: query.get("state") ?? "", iss: issuer.url });
  };
  it.each([
    ["is over when the clock was set back by hours, instead of lasting for them", -5 * hours],
    ["is over when the computer slept through it", 11],
  ])("%s", async (_, off) => {
    deny();
    await runWithBrowser(home, session());
    expect(errorCode(await home.run(session()))).toBe("LOGIN_PAUSED");
    const later = home.start(session(), clockOff(off));
    await later.sees(openUrl);
    later.child.kill("SIGINT");
    await later.ended;
  });
});

describe("a token that lives for seconds", () => {
  it.each([30, 12])("%i s: the credential is never handed out past or about to pass, and not refreshed for every request", async (life) => {
    issuer.play.life = life;
    await runWithBrowser(home, session());
    const before = issuer.count("/token");
    const leftOf = async () => {
      const ended = await home.run(session("--non-interactive"));
      expect(ended.status, ended.stderr).toBe(0);
      return Date.parse(credentialOf(ended).status.expirationTimestamp) / 1000 - Date.now() / 1000;
    };
    const left = [await leftOf(), await leftOf(), await leftOf()];
    expect(Math.min(...left)).toBeGreaterThan(Math.min(5, life / 6) - 1.1);
    expect(Math.max(...left)).toBeLessThanOrEqual(life);
    expect(issuer.count("/token") - before).toBeLessThanOrEqual(1);
  });
});
