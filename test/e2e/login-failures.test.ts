import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { browse, type Ended, openUrl, runWithBrowser } from "./program.ts";
import { home, issuer, options, useStage } from "./stage.ts";

useStage();

const device = "--grant-type=device-code";

interface Failure {
  readonly args?: readonly string[];
  play?(): void;
  /** Plays the person's browser. */
  readonly browses?: true;
  readonly signal?: NodeJS.Signals;
  readonly status: number;
  readonly says: string;
}

/** Each way in which a typed login ends without one. */
const failures: Readonly<Record<string, Failure>> = {
  LOGIN_DENIED: {
    play: () => {
      issuer.play.authorize = (query) => new URLSearchParams({ error: "access_denied", error_description: "no", iss: issuer.url, state: query.get("state") ?? "" });
    },
    browses: true,
    status: 20,
    says: "the login was denied; nothing was changed",
  },
  LOGIN_TIMED_OUT: { args: ["--authentication-timeout-sec=1"], status: 20, says: "nobody finished the login within 1 s; nothing was changed" },
  DEVICE_CODE_EXPIRED: {
    args: [device],
    play: () => {
      issuer.play.polls = [{ status: 400, body: { error: "expired_token" } }];
    },
    status: 20,
    says: "the device code expired before it was confirmed; nothing was changed",
  },
  CLIENT_REJECTED: {
    play: () => {
      issuer.play.token = () => ({ status: 401, body: { error: "invalid_client" } });
    },
    browses: true,
    status: 30,
    says: "the issuer rejected client kubernetes or its request; nothing was changed",
  },
  ID_TOKEN_INVALID: {
    play: () => {
      issuer.play.claims = (claims) => ({ ...claims, nonce: "another" });
    },
    browses: true,
    status: 30,
    says: "nothing was changed",
  },
  INTERRUPTED: { signal: "SIGINT", status: 130, says: "cancelled; nothing was changed" },
};

async function fail(failure: Failure, ...more: readonly string[]): Promise<Ended> {
  failure.play?.();
  const started = home.start(["login", ...options(...(failure.args ?? []), ...more)]);
  const match = await started.sees(failure.args?.includes(device) ? /enter the code/ : openUrl);
  if (failure.browses) await browse(match[1] ?? "");
  if (failure.signal !== undefined) started.child.kill(failure.signal);
  return started.ended;
}

/** What is stored of sessions; the pause, locks and what was learned of the issuer are none of it. */
const stored = () =>
  readdirSync(home.data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?:refresh|sessions|credentials)$/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => [file, readFileSync(file, "utf8")]);

describe.each(Object.entries(failures))("a login that ends with %s", (code, failure) => {
  it("says so in its own words, and that nothing was changed; and nothing is stored", async () => {
    const ended = await fail(failure);
    expect([ended.status, ended.stdout], ended.stderr).toEqual([failure.status, ""]);
    expect(ended.stderr).toMatch(new RegExp(`^kubectl-oidc: error: [^\\n]*${failure.says} \\[${code}\\]$`, "m"));
    expect(stored()).toEqual([]);
  });

  it("leaves an earlier session as it was, says so, and that one works", async () => {
    await runWithBrowser(home, ["login", ...options()]);
    const before = stored();
    expect(before.length).toBeGreaterThan(1);
    const ended = await fail(failure);
    expect(ended.stderr).toContain(`nothing was changed; the session of ann@example.com stays as it was [${code}]`);
    expect(stored()).toEqual(before);
    issuer.play = {};
    const refreshed = await home.run(["token", ...options("--force-refresh")]);
    expect(refreshed.status, refreshed.stderr).toBe(0);
  });

  it("ends its events with an error, and holds nothing but events on stdout", async () => {
    const ended = await fail(failure, "-o", "json");
    const events = ended.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ event }) => event)).toEqual([failure.args?.includes(device) ? "code" : "url", "error"]);
    expect(events.at(-1)).toEqual({ event: "error", code, exit: failure.status });
    expect(JSON.parse(ended.stderr.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ code, exit: failure.status, detail: expect.stringContaining("nothing was changed") });
  });
});

it.each([
  ["FLAG_INVALID", ["--no-such-option"]],
  ["SETTINGS_INVALID", ["--profile=absent"]],
  ["CONTEXT_NOT_FOUND", ["--context=absent"]],
  ["LOGIN_REQUIRED", ["--non-interactive"]],
])("a login that never began ends its events with an error too: %s", async (code, args) => {
  if (code === "CONTEXT_NOT_FOUND") writeFileSync(join(home.folder, "kubeconfig"), "{apiVersion: v1, kind: Config}");
  const ended = await home.run(["login", ...options(...args), "-o", "json"]);
  expect(JSON.parse(ended.stdout)).toEqual({ event: "error", code, exit: ended.status });
});

it("a signal that comes while the code is exchanged ends the login after it is stored, and nobody says that nothing was changed", async () => {
  const gate: { open?: () => void } = {};
  issuer.play.token = async (_, proper) => {
    const answer = await proper();
    await new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    return answer;
  };
  const started = home.start(["login", ...options()]);
  const [, url = ""] = await started.sees(openUrl);
  const page = browse(url).catch(() => undefined);
  await expect.poll(() => gate.open !== undefined, { timeout: 15_000 }).toBe(true);
  started.child.kill("SIGTERM");
  gate.open?.();
  const ended = await started.ended;
  await page;
  expect([ended.status, ended.stdout]).toEqual([130, ""]);
  expect(ended.stderr).toContain("[INTERRUPTED]\n");
  expect(ended.stderr).not.toContain("nothing was changed");
  issuer.play = {};
  expect((await home.run(["token", ...options()])).status).toBe(0);
});

it("an answer that waits to be judged is not called nothing", async () => {
  issuer.play.jwks = () => ({ status: 503, body: {} });
  const started = home.start(["login", ...options()]);
  const [, url = ""] = await started.sees(openUrl);
  await browse(url);
  const ended = await started.ended;
  expect(ended.stderr).toContain("; the issuer's answer is stored, and checked at the next call [ISSUER_UNREACHABLE]\n");
  expect(ended.stderr).not.toContain("nothing was changed");
  expect(stored().length).toBe(1);
  issuer.play = {};
  expect((await home.run(["token", ...options()])).status).toBe(0);
});
