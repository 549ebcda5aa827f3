import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Behaviour, type Misbehaving, startMisbehaving } from "../issuer/misbehaving.ts";
import { callbacks, devices, discoveries, invalidGrantBehindChallenge, onlyFor, tokenFaults } from "../issuer/misbehaviours.ts";
import { browse, credentialOf, type Ended, errorCode, type Home, newHome, openUrl, runWithBrowser } from "./program.ts";

let issuer: Misbehaving;
let home: Home;
const session = (...more: string[]) => [
  "get-token",
  `--oidc-issuer-url=${issuer.issuer}`,
  "--oidc-client-id=kubernetes",
  "--token-cache-storage=disk",
  "--listen-address=127.0.0.1:0",
  "--skip-open-browser",
  "-v8",
  ...more,
];

beforeAll(async () => {
  issuer = await startMisbehaving();
});
afterAll(() => issuer.stop());
beforeEach(() => {
  home = newHome();
});
afterEach(() => home.remove());

/** A refusal is whole: nothing on stdout, one code, three lines of error, no secret, no raw bytes, nothing stored. */
function expectRefusal(ended: Ended, ...codes: readonly string[]): void {
  expect(ended.stdout).toBe("");
  expect(codes, ended.stderr).toContain(errorCode(ended));
  expect(ended.stderr.split("\n").filter((line) => /^kubectl-oidc: (error|cause|hint):/.test(line)).length).toBeLessThanOrEqual(3);
  expectNoSecret(ended);
}

function expectNoSecret(ended: Ended): void {
  for (const secret of issuer.secrets) expect(ended.stderr.includes(secret), "a secret on stderr").toBe(false);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
  expect(ended.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(ended.stderr).not.toMatch(/\n\s+at .*\.[cm]?[jt]s:\d+/);
}

const entries = <T extends Readonly<Record<string, Behaviour>>>(table: T) => Object.entries(table) as [string, Behaviour][];

describe("discovery is refused", () => {
  const expected: Readonly<Record<string, string>> = {
    "of another issuer": "ISSUER_MISMATCH",
    "with a slash more in the issuer": "ISSUER_MISMATCH",
    "that is broken": "ISSUER_UNREACHABLE",
    "that is huge": "ISSUER_UNREACHABLE",
  };
  it.each(entries(discoveries))("%s", async (name, behaviour) => {
    issuer.become(behaviour);
    // The plain http endpoints are a fault of an https issuer only; this one is http on loopback, and they are elsewhere.
    const ended = await home.run(session("--authentication-timeout-sec=5"));
    expectRefusal(ended, expected[name] ?? "DISCOVERY_INVALID");
    expect(ended.status).toBe(30);
  });
});

describe("a callback is no login", () => {
  it.each(entries(callbacks).filter(([name]) => !/ state$/.test(name)))("%s", async (name, behaviour) => {
    issuer.become(behaviour);
    const ended = await runWithBrowser(home, session());
    expectRefusal(ended, ...(name === "that says no" ? ["LOGIN_DENIED"] : ["ISSUER_MISMATCH", "ID_TOKEN_INVALID", "CLIENT_REJECTED", "ISSUER_UNREACHABLE"]));
    expect(issuer.received("token", "authorization_code").length, "no code is sent").toBe(sentBefore);
  });

  it.each(entries(callbacks).filter(([name]) => / state$/.test(name)))("%s, and the wait goes on for the right one", async (_, behaviour) => {
    issuer.become(behaviour);
    const started = home.start(session());
    const [, url = ""] = await started.sees(openUrl);
    expect((await browse(url)).status).toBe(400);
    issuer.become({});
    expect((await browse(url)).status).toBe(200);
    expect((await started.ended).status).toBe(0);
  });

  let sentBefore = 0;
  beforeEach(() => {
    sentBefore = issuer.received("token", "authorization_code").length;
  });
});

describe("a refresh meets a fault: the session stays, no browser opens", () => {
  it.each(entries(tokenFaults))("the issuer %s", async (_, behaviour) => {
    issuer.become({ lifetime: 20 });
    credentialOf(await runWithBrowser(home, session()));
    issuer.become(behaviour);
    // The token is still usable, so it is handed out; with a longer demand nothing else changes.
    const ended = await home.run(session("--force-refresh"));
    expectNoSecret(ended);
    expect(ended.stderr).not.toContain("open this URL");
    issuer.become({});
    const healed = await home.run(session("--force-refresh", "--non-interactive"));
    // An issuer that cut the line after it rotated may have ended the session; then it says so, and we do not loop.
    expect([0, 20], healed.stderr).toContain(healed.status);
    if (!/reset/.test(_)) expect(healed.status, healed.stderr).toBe(0);
  });

  it("invalid_grant behind a WWW-Authenticate header", async () => {
    issuer.become({});
    await runWithBrowser(home, session());
    issuer.become({ token: onlyFor("refresh_token", invalidGrantBehindChallenge) });
    const ended = await home.run(session("--force-refresh", "--non-interactive"));
    expectRefusal(ended, "SESSION_REVOKED");
  });
});

describe("a device answer", () => {
  it.each(["opens a script", "opens a file"] as const)("that %s is refused [DV-14]", async (name) => {
    issuer.become(devices[name]);
    expectRefusal(await home.run(session("--grant-type=device-code")), "DISCOVERY_INVALID");
  });
  it("that moves the cursor is shown as plain text [DV-15]", async () => {
    issuer.become(devices["moves the cursor"]);
    const ended = await home.run(session("--grant-type=device-code"));
    expectNoSecret(ended);
    expect(ended.stderr).toContain("AAAA");
  });
});
