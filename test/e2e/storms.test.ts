import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { browse, credentialOf, errorCode, isStandalone, openUrl, preloaded, runWithBrowser, type Started } from "./program.ts";
import { ageToken, home, issuer, options, session, useStage, waitsForLock } from "./stage.ts";

useStage();

/** Starts so many calls; the issuer holds the first refresh until all others wait for it, then answers. */
async function whileOthersWait(calls: number, answer: "proper" | { readonly status: number; readonly body: unknown }): Promise<readonly Started[]> {
  const gate: { open?: () => void } = {};
  issuer.play.token = async (_, proper) => {
    if (gate.open === undefined)
      await new Promise<void>((resolve) => {
        gate.open = resolve;
      });
    return answer === "proper" ? proper() : answer;
  };
  const all = Array.from({ length: calls }, () => home.start(session("--non-interactive")));
  await expect.poll(() => gate.open !== undefined && all.filter(waitsForLock).length === calls - 1, { timeout: 20_000 }).toBe(true);
  gate.open?.();
  return all;
}

/** SIGHUP among the signals that the process catches; Node by itself catches SIGINT and SIGTERM. */
const listensToHangup = (pid = 0) => (Number.parseInt(/^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]?.slice(-1) ?? "0", 16) & 1) !== 0;

describe("many calls with an expired token", () => {
  it("wait for one refresh and are woken when it is done, not by a slow poll [ST-06, RT-06]", async () => {
    await runWithBrowser(home, session());
    ageToken(1);
    const before = issuer.count("/token");
    const all = await whileOthersWait(8, "proper");
    const since = performance.now();
    const ended = await Promise.all(all.map((one) => one.ended));
    expect(performance.now() - since).toBeLessThan(1_500);
    expect(new Set(ended.map((one) => credentialOf(one).status.token)).size).toBe(1);
    expect(issuer.count("/token") - before).toBe(1);
  });

  it.skipIf(isStandalone)("load no program to wait in: the first call does, the others look for its token (npm program)", async () => {
    await runWithBrowser(home, session());
    for (let i = 0; i < 2; i++) await home.run(session("--non-interactive"));
    ageToken();
    const probe = join(home.folder, "probe.cjs");
    // The whole program loads node:https; whoever waits does not.
    writeFileSync(
      probe,
      `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(home.folder)} + "/loaded-" + process.pid, String(process.moduleLoadList.includes("NativeModule https"))));`,
    );
    const gate: { open?: () => void } = {};
    issuer.play.token = (_, proper) =>
      new Promise<void>((open) => {
        gate.open = open;
      }).then(proper);
    const calls = [home.start(session("--non-interactive"), preloaded(probe))];
    await expect.poll(() => gate.open !== undefined, { timeout: 20_000 }).toBe(true);
    for (let i = 0; i < 5; i++) calls.push(home.start(session("--non-interactive"), preloaded(probe)));
    // A waiter listens to signals before its first look, so that one gets the whole program's answer.
    await expect.poll(() => calls.slice(1).every(({ child }) => listensToHangup(child.pid)), { timeout: 20_000 }).toBe(true);
    gate.open?.();
    const ended = await Promise.all(calls.map((call) => call.ended));
    expect(new Set(ended.map((one) => credentialOf(one).status.token)).size).toBe(1);
    const loaded = readdirSync(home.folder).filter((name) => name.startsWith("loaded-"));
    expect(loaded.map((name) => readFileSync(join(home.folder, name), "utf8")).sort()).toEqual(["false", "false", "false", "false", "false", "true"]);
  });

  /** Starts a call whose answer the issuer keeps back, and others that wait for it before they load the program; gives all, and what opens the issuer. */
  async function whileOthersLook(calls: number, answer: (proper: () => unknown) => unknown): Promise<{ readonly all: readonly Started[]; readonly open: () => void }> {
    await runWithBrowser(home, session());
    for (let i = 0; i < 2; i++) await home.run(session("--non-interactive"));
    ageToken();
    const gate: { open?: () => void } = {};
    issuer.play.token = (_, proper) =>
      new Promise<void>((open) => {
        gate.open = open;
      }).then(() => answer(proper) as ReturnType<typeof proper>);
    const all = [home.start(session("--non-interactive"))];
    await expect.poll(() => gate.open !== undefined, { timeout: 20_000 }).toBe(true);
    for (let i = 1; i < calls; i++) all.push(home.start(session("--non-interactive")));
    await expect.poll(() => all.slice(1).every(({ child }) => listensToHangup(child.pid)), { timeout: 20_000 }).toBe(true);
    return { all, open: () => gate.open?.() };
  }

  it.each(["SIGINT", "SIGTERM"] as const)("that look for its token end by %s as ever: 130, INTERRUPTED, nothing on stdout", async (signal) => {
    const { all, open } = await whileOthersLook(2, (proper) => proper());
    all[1]?.child.kill(signal);
    const ended = await all[1]?.ended;
    expect(ended).toMatchObject({ status: 130, stdout: "" });
    expect(ended === undefined ? "" : errorCode(ended)).toBe("INTERRUPTED");
    open();
    expect((await all[0]?.ended)?.status).toBe(0);
  });

  it.each([
    ["ISSUER_UNREACHABLE", { status: 503, body: {} }],
    ["SESSION_REVOKED", { status: 400, body: { error: "invalid_grant" } }],
  ])("that look for its token end as it does, with %s, and ask nobody", async (code, answer) => {
    const { all, open } = await whileOthersLook(5, () => answer);
    const before = issuer.count("/token");
    open();
    const ended = await Promise.all(all.map((one) => one.ended));
    expect(new Set(ended.map((one) => errorCode(one)))).toEqual(new Set([code]));
    expect(issuer.count("/token")).toBe(before);
  });

  it("of an issuer that is down ask it once, and all end with its fault; the session stays", async () => {
    await runWithBrowser(home, session());
    ageToken(1);
    const before = issuer.count("/token");
    const all = await whileOthersWait(6, { status: 503, body: "" });
    const ended = await Promise.all(all.map((one) => one.ended));
    expect(ended.map((one) => [one.status, errorCode(one), one.stdout])).toEqual(ended.map(() => [30, "ISSUER_UNREACHABLE", ""]));
    expect(issuer.count("/token") - before).toBe(1);
    delete issuer.play.token;
    expect((await home.run(session("--non-interactive"))).status).toBe(0);
  });

  it("of a session that was revoked ask once, and all say so", async () => {
    await runWithBrowser(home, session());
    ageToken(1);
    const before = issuer.count("/token");
    const all = await whileOthersWait(6, { status: 400, body: { error: "invalid_grant" } });
    const ended = await Promise.all(all.map((one) => one.ended));
    expect(ended.map((one) => [one.status, errorCode(one)])).toEqual(ended.map(() => [20, "SESSION_REVOKED"]));
    expect(issuer.count("/token") - before).toBe(1);
  });
});

describe("a fault of the issuer", () => {
  it("429 says when to try again; the session stays and no browser opens [RT-11]", async () => {
    await runWithBrowser(home, session());
    ageToken(1);
    issuer.play.token = () => ({ status: 429, body: { error: "slow_down" }, headers: { "retry-after": "7" } });
    const busy = await home.run(session());
    expect(busy).toMatchObject({ status: 30, stdout: "" });
    expect(busy.stderr).toMatch(/HTTP 429.*try again in 7 s/);
    expect(busy.stderr).not.toMatch(openUrl);
    delete issuer.play.token;
    expect((await home.run(session("--non-interactive"))).status).toBe(0);
  });

  it.each<[string, () => unknown]>([
    ["503", () => ({ status: 503, body: "" })],
    ["a reset", () => "reset"],
    ["a login page of the network", () => ({ status: 200, body: "<html>welcome to the hotel</html>" })],
  ])("%s does not matter while the token is good", async (_, answer) => {
    await runWithBrowser(home, session());
    ageToken(40);
    issuer.play.token = answer as NonNullable<typeof issuer.play.token>;
    const used = await home.run(session());
    expect(used, used.stderr).toMatchObject({ status: 0, stderr: "" });
    expect(Date.parse(credentialOf(used).status.expirationTimestamp)).toBeGreaterThan(Date.now() + 8_000);
  });

  it("that cuts the connection once, within its grace period, costs nothing: one retry at once [RT-01]", async () => {
    await runWithBrowser(home, session());
    let first = true;
    issuer.play.token = (_, proper) => {
      if (!first) return proper();
      first = false;
      return "reset";
    };
    const before = issuer.count("/token");
    expect((await home.run(session("--force-refresh", "--non-interactive"))).status).toBe(0);
    expect(issuer.count("/token") - before).toBe(2);
  });
});

describe("a login that is open", () => {
  it("holds up no refresh: the refresh lock is not held while a person thinks [ST-08]", async () => {
    await runWithBrowser(home, session());
    const login = home.start(["login", ...options()]);
    const [, url = ""] = await login.sees(openUrl);
    const refreshed = await home.run(session("--force-refresh", "--non-interactive"));
    expect(refreshed.status, refreshed.stderr).toBe(0);
    await browse(url);
    expect((await login.ended).status).toBe(0);
    expect((await home.run(session("--force-refresh", "--non-interactive"))).status).toBe(0);
  });

  it("and that fails later puts nothing back over a refresh that came meanwhile", async () => {
    await runWithBrowser(home, session());
    const login = home.start(["login", ...options()]);
    const [, url = ""] = await login.sees(openUrl);
    expect((await home.run(session("--force-refresh", "--non-interactive"))).status).toBe(0);
    issuer.play.claims = (proper) => ({ ...proper, aud: "somebody-else" });
    await browse(url);
    expect((await login.ended).status).not.toBe(0);
    delete issuer.play.claims;
    expect((await home.run(session("--force-refresh", "--non-interactive"))).status).toBe(0);
  });

  it("is waited for no longer than the waiter's own patience", async () => {
    const login = home.start(session());
    await login.sees(openUrl);
    const waiter = await home.run(session("--authentication-timeout-sec=1"));
    expect(waiter).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(waiter)).toBe("LOGIN_TIMED_OUT");
    login.child.kill("SIGINT");
    await login.ended;
  });

  it("one device code for many calls", async () => {
    const all = Array.from({ length: 5 }, () => home.start(session("--grant-type=device-code")));
    const ended = await Promise.all(all.map((one) => one.ended));
    expect(ended.map(({ status }) => status)).toEqual(ended.map(() => 0));
    expect(issuer.count("/device")).toBe(1);
    expect(ended.filter(({ stderr }) => /enter the code/.test(stderr)).length).toBe(1);
  });
});

describe("nothing opens a browser by itself", () => {
  it.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["when CI is set", [], { CI: "true" }],
    ["with --non-interactive", ["--non-interactive"], {}],
    ["in CI, whatever the grant", ["--grant-type=device-code"], { CI: "1" }],
  ])("%s", async (_, more, env) => {
    const ended = await home.run(session(...more), env);
    expect(ended).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(ended)).toBe("LOGIN_REQUIRED");
    expect(issuer.seen).toEqual([]);
  });

  it("when none can be reached: a device code takes its place, and that is said", async () => {
    const ended = await home.run(session().filter((arg) => arg !== "--skip-open-browser"));
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("no browser can be reached from here; a device code takes its place");
    expect(ended.stderr).not.toMatch(openUrl);
  });
});
