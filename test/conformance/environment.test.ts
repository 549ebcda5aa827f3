import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialOf, errorCode, runWithBrowser } from "../e2e/program.ts";
import { ageToken, home, issuer, options, session, useStage } from "../e2e/stage.ts";
import { toServer, real } from "./poisoned-stage.ts";

useStage();

describe("an environment that weakens or leaks", () => {
  it.each([
    ["certificate checks switched off", { NODE_TLS_REJECT_UNAUTHORIZED: "0" }],
    ["Node told to print requests", { NODE_DEBUG: "http" }],
    ["Node told to print everything", { NODE_DEBUG: "*" }],
  ])("%s is ENVIRONMENT_UNSAFE in every command that makes requests, before any [SE-05]", async (_, env) => {
    for (const command of [session(), ["login", ...options()], ["token", ...options()], ["logout", ...options()]]) {
      const ended = await home.run(command, env);
      expect([ended.status, errorCode(ended), ended.stdout], ended.stderr).toEqual([50, "ENVIRONMENT_UNSAFE", ""]);
    }
    expect(issuer.seen).toEqual([]);
  });

  it("certificate checks switched off gets no answer from the hot path either", async () => {
    await runWithBrowser(home, session(), toServer(real));
    for (const _ of [1, 2]) credentialOf(await home.run(session(), toServer(real)));
    expect(errorCode(await home.run(session(), { ...toServer(real), NODE_TLS_REJECT_UNAUTHORIZED: "0" }))).toBe("ENVIRONMENT_UNSAFE");
  });

  it("other values of it switch nothing off, and what people need is not refused", async () => {
    const harmless = {
      NODE_TLS_REJECT_UNAUTHORIZED: "1",
      NODE_OPTIONS: "--max-old-space-size=512",
      NODE_EXTRA_CA_CERTS: "/nonexistent.pem",
      NODE_NO_WARNINGS: "1",
      NODE_ENV: "production",
    };
    const first = await runWithBrowser(home, session(), harmless);
    expect(first.status, first.stderr).toBe(0);
    ageToken();
    credentialOf(await home.run(session(), harmless));
  });

  it("reports and coverage of Node hold no secret: the watch over this home would find one [SE-05]", async () => {
    const env = { NODE_V8_COVERAGE: join(home.folder, "coverage"), NODE_OPTIONS: `--report-on-signal --report-signal=SIGUSR2 --report-directory=${home.folder}` };
    await runWithBrowser(home, session());
    ageToken();
    credentialOf(await home.run(session("--oidc-client-secret-file=/dev/null/none").slice(0, -1), env));
  });
});

describe("homes that are no homes [ST-11]", () => {
  it.each([
    ["empty", ""],
    ["relative", "somewhere"],
    ["a file", "/etc/passwd"],
    ["absent", "/nonexistent/home"],
    ["a device", "/dev/null"],
    ["with a line break", "/tmp/a\nb"],
    ["with a way up", "/tmp/../nonexistent/.."],
    ["of ten thousand characters", `/${"x".repeat(10_000)}`],
  ])("%s: one credential or a named error, in bounded time [ST-11]", async (_, folder) => {
    const env = { HOME: folder, XDG_DATA_HOME: folder === "" ? "" : `${folder}/data`, XDG_CONFIG_HOME: `${folder}/config`, XDG_RUNTIME_DIR: folder };
    const ended = await home.run(session("--non-interactive"), env);
    expect(ended.stdout).toBe("");
    expect(["LOGIN_REQUIRED", "STORE_UNSAFE", "STORE_UNREADABLE", "STORE_UNWRITABLE", "SETTINGS_INVALID", "UNEXPECTED"], ended.stderr).toContain(errorCode(ended));
    expect(ended.stderr.trim().split("\n").length).toBeLessThanOrEqual(3);
  });
});
