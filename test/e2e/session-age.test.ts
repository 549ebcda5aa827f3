import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { clockOff } from "./clock-off.ts";
import { browse, credentialOf, type Ended, errorCode, openUrl, runWithBrowser } from "./program.ts";
import { home, issuer, session, useStage } from "./stage.ts";

useStage();

const now = () => Math.floor(Date.now() / 1000);
const aged = (...more: string[]) => session("--session-max-age=1h", ...more);
const later = (seconds: number) => clockOff(home.folder, seconds);
const endOf = (ended: Ended) => Date.parse(credentialOf(ended).status.expirationTimestamp) / 1000;
/** The issuer's own clock follows, when the program's is set forward as time does. */
const issuerToo = (seconds: number) => {
  issuer.play.claims = (proper) => ({ ...proper, iat: Number(proper.iat) + seconds, exp: Number(proper.exp) + seconds, auth_time: now() + seconds });
};
const tokenRequests = () => issuer.count("/token");

beforeEach(() => {
  issuer.play.claims = (proper) => ({ ...proper, auth_time: now() });
});

describe("a session older than --session-max-age", () => {
  it("is refreshed as long as it is young, and then not any more: LOGIN_REQUIRED, without a request, and with the reason", async () => {
    credentialOf(await runWithBrowser(home, aged()));
    issuer.play.claims = (proper) => ({ ...proper, iat: now() + 1800, exp: now() + 2100 });
    credentialOf(await home.run(aged("--non-interactive"), later(1800)));
    const requests = tokenRequests();
    const refused = await home.run(aged("--non-interactive"), later(3600));
    expect(refused).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(refused)).toBe("LOGIN_REQUIRED");
    expect(refused.stderr).toContain("older than --session-max-age allows");
    expect(tokenRequests()).toBe(requests);
    // Nothing was taken from who sets no such limit.
    issuer.play.claims = (proper) => ({ ...proper, iat: now() + 3600, exp: now() + 3900 });
    credentialOf(await home.run(session("--non-interactive"), later(3600)));
  });

  it("has the person asked, who begins a new one", async () => {
    credentialOf(await runWithBrowser(home, aged()));
    issuerToo(4000);
    const login = home.start(aged(), later(4000));
    const [, url = ""] = await login.sees(openUrl);
    expect(new URL(url).searchParams.get("max_age")).toBe("3240");
    await browse(url);
    expect((await login.ended).status).toBe(0);
    issuer.play.claims = (proper) => ({ ...proper, iat: now() + 6000, exp: now() + 6300 });
    credentialOf(await home.run(aged("--non-interactive"), later(6000)));
  });

  it("counts from the authentication: a login by a browser that was logged in already is as old as that", async () => {
    issuer.play.claims = (proper) => ({ ...proper, auth_time: now() - 3000 });
    credentialOf(await runWithBrowser(home, aged()));
    expect(errorCode(await home.run(aged("--non-interactive"), later(590)))).toBe("LOGIN_REQUIRED");
  });

  it.each([
    ["has no known beginning", (item: { login?: object }) => ({ ...item, login: undefined })],
    ["was stored by an earlier version, without that", (item: { login?: object }) => ({ ...item, login: { iat: now() } })],
  ])("is what every session is that %s", async (_, change) => {
    credentialOf(await runWithBrowser(home, session()));
    const file = join(home.data, "refresh", readdirSync(join(home.data, "refresh"))[0] ?? "");
    const stored = JSON.parse(readFileSync(file, "utf8")) as { value: string };
    writeFileSync(file, JSON.stringify({ ...stored, value: JSON.stringify(change(JSON.parse(stored.value))) }), { mode: 0o600 });
    const refused = await home.run(aged("--non-interactive"));
    expect(errorCode(refused)).toBe("LOGIN_REQUIRED");
    expect(refused.stderr).toContain("not known when the stored session began");
    credentialOf(await home.run(session("--non-interactive")));
  });

  it("a clock that is set back makes none younger", async () => {
    credentialOf(await runWithBrowser(home, aged()));
    const back = await home.run(aged("--non-interactive", "--force-refresh"), later(-5 * 3600));
    expect(back).toMatchObject({ status: 20, stdout: "" });
    expect(back.stderr).toMatch(/future.*check the clock/);
    // By less than the login's age: the issuer's own time says how late it is.
    issuer.play.claims = (proper) => ({ ...proper, iat: now() + 3500, exp: now() + 3800 });
    const requests = tokenRequests();
    expect(errorCode(await home.run(aged("--non-interactive", "--force-refresh"), later(600)))).toBe("ID_TOKEN_INVALID");
    expect(tokenRequests()).toBe(requests + 1);
  });
});

describe("a machine's grant", () => {
  it("has no session, and so no age: --session-max-age of a shared profile does not stand in its way", async () => {
    issuer.play.life = 3600;
    const ended = await home.run(aged("--grant-type=client-credentials", "--oidc-use-access-token", "--credential-ttl=1h"));
    expect(endOf(ended)).toBeGreaterThan(now() + 3000);
  });
});

describe("a token of a session with --session-max-age", () => {
  it("is handed out until the session's end and no longer, by the hot path too, however long the issuer made it", async () => {
    issuer.play.life = 24 * 3600;
    const authTime = now();
    issuer.play.claims = (proper) => ({ ...proper, auth_time: authTime });
    const options = ["--session-max-age=5m", "--credential-ttl=1h", "--non-interactive"];
    const login = now();
    expect(endOf(await runWithBrowser(home, session(...options.slice(0, 2))))).toBeLessThanOrEqual(login + 301);
    const kept = await home.run(session(...options));
    expect(endOf(kept)).toBeLessThanOrEqual(login + 301);
    const hot = await home.run(session(...options));
    expect(hot.stderr).toBe("");
    expect(endOf(hot)).toBeLessThanOrEqual(login + 301);
    expect(errorCode(await home.run(session(...options), later(301)))).toBe("LOGIN_REQUIRED");
    // Without the limit the session and a token of its own go on.
    const free = await home.run(session("--credential-ttl=1h", "--non-interactive"));
    expect(endOf(free)).toBeGreaterThan(login + 3000);
    expect(errorCode(await home.run(session(...options), later(301)))).toBe("LOGIN_REQUIRED");
  });
});
