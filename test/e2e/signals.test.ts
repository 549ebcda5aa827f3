import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { browse, errorCode, openUrl, runWithBrowser, type Started } from "./program.ts";
import { home, issuer, session, useStage, waitsForLock } from "./stage.ts";

useStage();

/** The issuer's token endpoint answers when the gate opens. */
function holdToken(): { readonly asked: () => boolean; open(): void } {
  const gate: { open?: () => void } = {};
  issuer.play.token = async (_, proper) => {
    const answer = await proper();
    await new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    return answer;
  };
  return { asked: () => gate.open !== undefined, open: () => gate.open?.() };
}

const everything = () => readdirSync(home.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const halfWritten = () => everything().filter(({ name }) => name.endsWith(".tmp"));
const storedToken = () => {
  const folder = join(home.data, "refresh");
  return JSON.parse(JSON.parse(readFileSync(join(folder, readdirSync(folder)[0] ?? ""), "utf8")).value).refreshToken as string;
};
async function timeToEnd(started: Started): Promise<number> {
  const since = performance.now();
  await started.ended;
  return performance.now() - since;
}

describe("a signal while a refresh token is being replaced", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s, once or five times, waits for the answer and its storing [RT-05]", async (signal) => {
    await runWithBrowser(home, session());
    const gate = holdToken();
    const started = home.start(session("--force-refresh"));
    await expect.poll(gate.asked, { timeout: 10_000 }).toBe(true);
    for (let i = 0; i < 5; i++) {
      started.child.kill(signal);
      await new Promise((done) => setTimeout(done, 120));
    }
    expect(started.child.exitCode).toBeNull();
    gate.open();
    expect(await started.ended).toMatchObject({ status: 130, stdout: "" });
    expect(storedToken()).toBe([...issuer.live][0]);
    delete issuer.play.token;
    expect((await home.run(session("--force-refresh", "--non-interactive"))).status).toBe(0);
  });

  it("while a code is exchanged: the login is kept (M14)", async () => {
    const gate = holdToken();
    const started = home.start(session());
    const [, url = ""] = await started.sees(openUrl);
    const page = browse(url).catch(() => undefined);
    await expect.poll(gate.asked, { timeout: 10_000 }).toBe(true);
    started.child.kill("SIGTERM");
    started.child.kill("SIGTERM");
    gate.open();
    expect(await started.ended).toMatchObject({ status: 130, stdout: "" });
    await page;
    delete issuer.play.token;
    expect((await home.run(session("--non-interactive"))).status).toBe(0);
  });
});

describe("a signal at any other time ends us within a second and leaves nothing", () => {
  const flows: readonly (readonly [string, RegExp, readonly string[]])[] = [
    ["a browser is waited for", openUrl, []],
    ["a device code is shown", /enter the code/, ["--grant-type=device-code"]],
  ];
  it.each(flows)("while %s [LB-14]", async (_, shown, more) => {
    issuer.play.token = () => ({ status: 400, body: { error: "authorization_pending" } });
    const started = home.start(session(...more));
    await started.sees(shown);
    started.child.kill("SIGINT");
    expect(await timeToEnd(started)).toBeLessThan(1_000);
    expect((await started.ended).status).toBe(130);
    expect(halfWritten()).toEqual([]);
    // No lock is left: a typed login begins at once.
    delete issuer.play.token;
    const next = home.start(["login", ...session().slice(1)]);
    await next.sees(openUrl);
    next.child.kill("SIGINT");
    expect((await next.ended).stderr).not.toContain("waiting for the login");
  });

  it("while another login is waited for", async () => {
    const first = home.start(session());
    await first.sees(openUrl);
    const waiter = home.start(session());
    const [line] = await waiter.sees(/waiting for the login that is open already.*/);
    expect(line).toMatch(new RegExp(`process ${first.child.pid}, since \\d\\d:\\d\\d:\\d\\d UTC`));
    waiter.child.kill("SIGINT");
    expect(await timeToEnd(waiter)).toBeLessThan(1_000);
    expect(await waiter.ended).toMatchObject({ status: 130, stdout: "" });
    first.child.kill("SIGINT");
    await first.ended;
  });

  it("while another refresh is waited for", async () => {
    await runWithBrowser(home, session());
    const gate = holdToken();
    const first = home.start(session("--force-refresh"));
    await expect.poll(gate.asked, { timeout: 10_000 }).toBe(true);
    const waiter = home.start(session("--force-refresh"));
    await expect.poll(() => waitsForLock(waiter), { timeout: 10_000 }).toBe(true);
    waiter.child.kill("SIGINT");
    expect(await timeToEnd(waiter)).toBeLessThan(1_000);
    gate.open();
    expect((await first.ended).status).toBe(0);
  });

  it("while a credential helper hangs: it ends with us, and what it started too", async () => {
    const folder = join(home.folder, "helper");
    mkdirSync(folder);
    writeFileSync(join(folder, "docker-credential-hangs"), `#!/bin/sh\nsleep 600 & echo "$$ $!" > '${folder}/pids'; wait\n`, { mode: 0o755 });
    const started = home.start(session("--token-cache-storage=helper:hangs", "--non-interactive"), { PATH: `${folder}:${home.env["PATH"]}` });
    const pids = () => (existsSync(join(folder, "pids")) ? readFileSync(join(folder, "pids"), "utf8").trim().split(" ").map(Number) : []);
    await expect.poll(() => pids().length, { timeout: 10_000 }).toBe(2);
    started.child.kill("SIGTERM");
    expect(await timeToEnd(started)).toBeLessThan(1_000);
    await expect.poll(() => pids().filter(runs), { timeout: 2_000 }).toEqual([]);
  });

  it("while the writer of a pipe in a secret file's place says nothing", async () => {
    const pipe = join(home.folder, "pipe");
    execFileSync("mkfifo", ["-m", "600", pipe]);
    const writer = openSync(pipe, "r+");
    const started = home.start(session(`--oidc-client-secret-file=${pipe}`));
    const opened = () => readdirSync(`/proc/${started.child.pid}/fd`).filter((fd) => readlinkSync(`/proc/${started.child.pid}/fd/${fd}`) === pipe);
    await expect.poll(opened, { timeout: 10_000 }).toHaveLength(1);
    started.child.kill("SIGINT");
    expect(await timeToEnd(started)).toBeLessThan(1_000);
    expect([(await started.ended).status, errorCode(await started.ended)]).toEqual([130, "INTERRUPTED"]);
    closeSync(writer);
  });

  it("while the issuer is looked up", async () => {
    await runWithBrowser(home, session());
    issuer.play.discovery = () => "hang";
    rmSync(join(home.data, "issuers"), { recursive: true });
    const started = home.start(session("--force-refresh"));
    await expect.poll(() => issuer.count("/.well-known/openid-configuration"), { timeout: 10_000 }).toBeGreaterThan(1);
    started.child.kill("SIGTERM");
    expect(await timeToEnd(started)).toBeLessThan(1_000);
    expect(errorCode(await started.ended)).toBe("INTERRUPTED");
    expect(halfWritten()).toEqual([]);
  });
});

/** Neither gone nor a zombie that nobody has collected yet. */
function runs(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
