import { spawn } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { browse, credentialOf, errorCode, openUrl, isStandalone, programCommand, programPath, runWithBrowser } from "./program.ts";
import { ageToken, home, issuer, session, useStage } from "./stage.ts";

const storedItem = () => {
  const folder = join(home.data, "refresh");
  return JSON.parse(JSON.parse(readFileSync(join(folder, readdirSync(folder)[0] ?? ""), "utf8")).value) as { refreshToken?: string; pending?: { refreshToken?: string } };
};
/** Forgets what is known of the issuer, so that its keys are fetched again. */
const forgetKeys = () => rmSync(join(home.data, "issuers"), { recursive: true });

useStage();

describe("a refresh token that came is not lost", () => {
  it("when the keys cannot be fetched: it is stored, and judged later without a new refresh [RT-02, RT-04]", async () => {
    await runWithBrowser(home, session());
    forgetKeys();
    issuer.play.jwks = () => ({ status: 503, body: "" });
    await home.run(session("--force-refresh"));
    const [live = ""] = [...issuer.live];
    expect(storedItem().pending?.refreshToken).toBe(live);
    delete issuer.play.jwks;
    ageToken();
    const before = issuer.count("/token");
    const healed = await home.run(session("--non-interactive"));
    expect(healed.status, healed.stderr).toBe(0);
    expect(issuer.count("/token")).toBe(before);
    expect(storedItem()).toMatchObject({ refreshToken: live });
    expect(storedItem().pending).toBeUndefined();
  });

  it("when we are killed between the answer and its judgement [RT-02, RT-03]", async () => {
    await runWithBrowser(home, session());
    forgetKeys();
    issuer.play.jwks = () => "hang";
    const started = home.start(session("--force-refresh"));
    await expect.poll(() => issuer.count("/jwks"), { timeout: 10_000 }).toBeGreaterThan(1);
    started.child.kill("SIGKILL");
    await started.ended;
    expect(storedItem().pending?.refreshToken).toBe([...issuer.live][0]);
    delete issuer.play.jwks;
    expect((await home.run(session("--force-refresh", "--non-interactive"))).status).toBe(0);
  });

  it("when we are killed while the issuer thinks: the old one is still there [RT-01, RT-10]", async () => {
    await runWithBrowser(home, session());
    const [token] = [...issuer.live];
    issuer.play.token = () => "hang";
    const before = issuer.count("/token");
    const started = home.start(session("--force-refresh"));
    await expect.poll(() => issuer.count("/token"), { timeout: 10_000 }).toBeGreaterThan(before);
    started.child.kill("SIGKILL");
    await started.ended;
    expect(storedItem().refreshToken).toBe(token);
    delete issuer.play.token;
    expect((await home.run(session("--force-refresh", "--non-interactive"))).status).toBe(0);
  });

  it("when Ctrl-C comes while the issuer answers: the answer is stored first [RT-05]", async () => {
    await runWithBrowser(home, session());
    const gate: { open?: () => void } = {};
    issuer.play.token = async (_, proper) => {
      await new Promise<void>((resolve) => {
        gate.open = resolve;
      });
      return proper();
    };
    const started = home.start(session("--force-refresh"));
    await expect.poll(() => gate.open !== undefined, { timeout: 10_000 }).toBe(true);
    started.child.kill("SIGINT");
    gate.open?.();
    expect(await started.ended).toMatchObject({ status: 130, stdout: "" });
    expect(storedItem().refreshToken).toBe([...issuer.live][0]);
  });
});

describe("keys that are known", () => {
  it("are fetched anew when the issuer signs with another one, and an unknown one is refused", async () => {
    await runWithBrowser(home, session());
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    issuer.play.idToken = (claims) => new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "k2" }).sign(privateKey);
    const before = issuer.count("/jwks");
    const unknown = await home.run(session("--force-refresh", "-v1"));
    expect(unknown.stderr).toContain("refresh failed");
    expect(issuer.count("/jwks")).toBe(before + 1);
    const jwk = { ...(await exportJWK(publicKey)), kid: "k2", alg: "ES256", use: "sig" };
    issuer.play.jwks = (proper) => (typeof proper === "object" ? { ...proper, body: { keys: [...(proper.body as { keys: object[] }).keys, jwk] } } : proper);
    const rotated = await home.run(session("--force-refresh"));
    expect(rotated, rotated.stderr).toMatchObject({ status: 0, stderr: "" });
    const requests = issuer.seen.length;
    expect((await home.run(session("--force-refresh"))).status).toBe(0);
    // The new key is known now: one request again.
    expect(issuer.seen.slice(requests).map(({ path }) => path)).toEqual(["/token"]);
  });
});

describe("parallel calls", () => {
  it("make one refresh, and all get its token [ST-06]", async () => {
    await runWithBrowser(home, session());
    const before = issuer.count("/token");
    ageToken();
    const all = await Promise.all(Array.from({ length: 12 }, () => home.run(session("--non-interactive"))));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 0));
    expect(new Set(all.map((ended) => credentialOf(ended).status.token)).size).toBe(1);
    expect(issuer.count("/token") - before).toBe(1);
  });

  it("make one login window, and all get its token", async () => {
    const all = Array.from({ length: 6 }, () => home.start(session()));
    const url = await Promise.race(all.map(async (started) => (await started.sees(openUrl))[1] ?? ""));
    await Promise.all(all.map((started) => started.sees(/open this URL|waiting for the login/)));
    await browse(url);
    const ended = await Promise.all(all.map((started) => started.ended));
    expect(ended.map(({ status }) => status)).toEqual(ended.map(() => 0));
    expect(ended.filter(({ stderr }) => openUrl.test(stderr)).length).toBe(1);
    expect(issuer.count("/token")).toBe(1);
  });

  it("end as the login ended that they waited for", async () => {
    issuer.play.authorize = (query) => new URLSearchParams({ error: "access_denied", state: query.get("state") ?? "", iss: issuer.url });
    const all = Array.from({ length: 4 }, () => home.start(session()));
    const url = await Promise.race(all.map(async (started) => (await started.sees(openUrl))[1] ?? ""));
    await Promise.all(all.map((started) => started.sees(/open this URL|waiting for the login/)));
    await browse(url);
    const ended = await Promise.all(all.map((started) => started.ended));
    expect(ended.map((one) => errorCode(one))).toEqual(ended.map(() => "LOGIN_DENIED"));
    expect(ended.filter(({ stderr }) => openUrl.test(stderr)).length).toBe(1);
  });
});

describe.skipIf(isStandalone)("without a lock binding for this platform (musl), npm program only", () => {
  it("parallel calls still make one refresh, by a lease that dies with its holder [ST-09]", async () => {
    await runWithBrowser(home, session());
    const alone = join(home.folder, "alone");
    cpSync(dirname(programPath), alone, { recursive: true });
    const start = (...more: string[]) => {
      const child = spawn(process.execPath, [join(alone, "kubectl-oidc.cjs"), ...session("--non-interactive", ...more)], {
        env: { ...home.env },
        stdio: ["ignore", "pipe", "ignore"],
      });
      let stdout = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        stdout += chunk;
      });
      return { child, ended: new Promise<string>((done) => child.once("close", () => done(stdout))) };
    };
    issuer.play.token = () => "hang";
    const killed = start("--force-refresh");
    await expect.poll(() => issuer.count("/token"), { timeout: 10_000 }).toBe(2);
    killed.child.kill("SIGKILL");
    await killed.ended;
    delete issuer.play.token;
    ageToken();
    const since = performance.now();
    const all = await Promise.all(Array.from({ length: 6 }, () => start().ended));
    expect(performance.now() - since).toBeLessThan(10_000);
    expect(new Set(all.map((text) => JSON.parse(text).status.token)).size).toBe(1);
    expect(issuer.count("/token")).toBe(3);
    expect(readdirSync(join(home.data, "locks")).some((name) => name.endsWith(".lease"))).toBe(true);
  });
});

describe("the end of things", () => {
  it("a refresh under weaker TLS trust than the login's is refused", async () => {
    await runWithBrowser(home, session());
    const weaker = await home.run(session("--insecure-skip-tls-verify", "--force-refresh", "--non-interactive"));
    expect(weaker).toMatchObject({ status: 40, stdout: "" });
    expect(errorCode(weaker)).toBe("SETTINGS_INVALID");
  });

  it("a login that nobody finishes ends at its deadline [LB-14]", async () => {
    const ended = await home.run(session("--authentication-timeout-sec=1"));
    expect(ended).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(ended)).toBe("LOGIN_TIMED_OUT");
  });

  it("when kubectl dies, we do within a second or two, and the port is free [LB-14]", async () => {
    const parent = spawn(
      process.execPath,
      [
        "-e",
        "const { spawn } = require('node:child_process'); const c = spawn(process.argv[1], process.argv.slice(2), { stdio: ['ignore', 'pipe', 'pipe'] }); c.stderr.pipe(process.stdout); console.log(c.pid);",
        ...programCommand,
        ...session(),
      ],
      {
        env: { ...home.env },
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    let text = "";
    parent.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    await expect.poll(() => openUrl.test(text), { timeout: 10_000 }).toBe(true);
    const pid = Number(/^(\d+)$/m.exec(text)?.[1]);
    const redirect = new URL(new URL(openUrl.exec(text)?.[1] ?? "").searchParams.get("redirect_uri") ?? "");
    parent.kill("SIGKILL");
    const isGone = () => {
      try {
        process.kill(pid, 0);
        return /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
      } catch {
        return true;
      }
    };
    await expect.poll(isGone, { timeout: 5_000 }).toBe(true);
    await expect(fetch(redirect)).rejects.toThrow();
  });
});
