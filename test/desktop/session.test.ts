import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { credentialOf, errorCode, execInfo, type Home, isStandalone, newHome, preloaded, runWithBrowser } from "../e2e/program.ts";
import { type ScriptedIssuer, startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { hasProgram } from "../programs.ts";
import { type SecretService, type ServiceKind, startSecretService } from "./secret-service.ts";

const missing = ["dbus-daemon", "gnome-keyring-daemon", "dbus-send"].filter((name) => !hasProgram(name));
const title = (text: string) => (missing.length === 0 ? text : `${text} (needs ${missing.join(", ")})`);

let issuer: ScriptedIssuer;
beforeAll(async () => {
  issuer = await startScriptedIssuer();
});
afterAll(() => issuer.stop());

const session = (...more: string[]) => [
  "get-token",
  `--oidc-issuer-url=${issuer.url}`,
  "--oidc-client-id=kubernetes",
  "--listen-address=127.0.0.1:0",
  "--skip-open-browser",
  ...more,
];

/** The built program in a private session; the store's folder is the home's own, so that a session can outlive a keyring. */
function desktop(kind: ServiceKind): { readonly home: () => Home; readonly bus: () => Record<string, string>; service(): SecretService } {
  const state: { home?: Home; service?: SecretService } = {};
  beforeAll(async () => {
    state.home = newHome();
    state.service = await startSecretService(kind);
  });
  afterAll(async () => {
    state.home?.remove();
    await state.service?.stop();
  });
  return {
    home: () => state.home as Home,
    service: () => state.service as SecretService,
    bus: () => ({ DBUS_SESSION_BUS_ADDRESS: state.service?.env["DBUS_SESSION_BUS_ADDRESS"] ?? "" }),
  };
}

describe.skipIf(missing.length > 0)(title("a session in gnome-keyring"), () => {
  const { home, bus, service } = desktop("normal");
  const lookUp = () => {
    try {
      return execFileSync("secret-tool", ["lookup", "service", "kubectl-oidc", "username", `${issuer.url}#kubernetes`], { env: { ...service().env }, encoding: "utf8" });
    } catch {
      return "";
    }
  };

  it("logs in, refreshes from the keyring, and is gone from it after logout", async () => {
    const first = await runWithBrowser(home(), session(), bus());
    expect(first.status, first.stderr).toBe(0);
    const [token = ""] = [...issuer.live];
    expect(lookUp()).toContain(token);
    const second = await home().run(session("--force-refresh"), bus());
    expect(second.status, second.stderr).toBe(0);
    expect(credentialOf(second).status.token).not.toBe(credentialOf(first).status.token);
    expect(lookUp()).toContain([...issuer.live][0]);
    expect(lookUp()).not.toContain(token);
    const out = await home().run(["logout", ...session().slice(1)], bus());
    expect(out.status, out.stderr).toBe(0);
    expect(issuer.live.size).toBe(0);
    expect(lookUp()).toBe("");
  });

  it.skipIf(isStandalone)("a call that renews its token starts the keychain's program before it loads the rest of ours, and starts no other (npm program)", async () => {
    const probe = join(home().folder, "order.cjs");
    // What is loaded of ours, in order, and what is started.
    writeFileSync(
      probe,
      `const Module = require("node:module"); const seen = []; const load = Module._load;
       Module._load = function (request, ...rest) { if (/^\\.\\/\\w+\\.cjs$/.test(request) && !seen.includes(request)) seen.push(request); return load.call(this, request, ...rest); };
       const { ChildProcess } = require("node:child_process"); const spawn = ChildProcess.prototype.spawn;
       ChildProcess.prototype.spawn = function (options) { seen.push("start " + options.args.slice(1).map((arg) => arg.slice(arg.lastIndexOf("/") + 1))); return spawn.call(this, options); };
       process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(join(home().folder, "order.json"))}, JSON.stringify(seen)));`,
    );
    const first = await runWithBrowser(home(), session(), bus());
    // Remembers the call.
    await home().run(session(), bus());
    const [name = ""] = readdirSync(join(home().data, "credentials"));
    const file = join(home().data, "credentials", name);
    const now = Date.now() / 1000;
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), receivedAt: now - 299, expiresAt: now + 1 }), { mode: 0o600 });
    const renewed = await home().run(session(), { ...bus(), ...preloaded(probe) });
    expect(credentialOf(renewed).status.token).not.toBe(credentialOf(first).status.token);
    const order = JSON.parse(readFileSync(join(home().folder, "order.json"), "utf8")) as readonly string[];
    expect(order).toEqual(["./compiled.cjs", "./start.cjs", "start keychain-child.cjs", "./cli.cjs", "./work.cjs", "./keychain.cjs", "./oidc.cjs"]);
    credentialOf(await home().run(session(), { ...bus(), ...preloaded(probe) }));
    // A token that is still good starts nothing.
    expect(readFileSync(join(home().folder, "order.json"), "utf8")).toBe("[]");
    await home().run(["logout", "--all"], bus());
  });

  it("keeps the list of trusted servers with the refresh token: another home does not forget it", async () => {
    const server = { ...bus(), KUBERNETES_EXEC_INFO: execInfo({ server: "https://k8s.example.com" }) };
    await runWithBrowser(home(), session(), server);
    const evil = { ...bus(), KUBERNETES_EXEC_INFO: execInfo({ server: "https://evil.example.com" }), HOME: home().folder, XDG_DATA_HOME: join(home().folder, "elsewhere") };
    const refused = await home().run(session("--non-interactive"), evil);
    expect(errorCode(refused), refused.stderr).toBe("SERVER_NOT_TRUSTED");
    expect(refused.stdout).toBe("");
    await home().run(["logout", "--all"], bus());
  });

  it("keeps the short-lived token there too when asked", async () => {
    const args = session("--id-token-cache=keyring");
    const first = await runWithBrowser(home(), args, bus());
    expect((await home().run(args, bus())).stdout).toContain(credentialOf(first).status.token);
    rmSync(join(home().data, "credentials"), { recursive: true, force: true });
    expect((await home().run(args, bus())).stdout).toContain(credentialOf(first).status.token);
    await home().run(["logout", ...args.slice(1)], bus());
  });
});

describe.skipIf(missing.length > 0)(title("a keyring that was locked since the login"), () => {
  const { home, bus, service } = desktop("normal");
  it("is KEYCHAIN_LOCKED with its cure, within five seconds; no login starts, nothing is lost", async () => {
    const first = await runWithBrowser(home(), session(), bus());
    expect(first.status, first.stderr).toBe(0);
    execFileSync(
      "dbus-send",
      [
        "--session",
        "--print-reply",
        "--dest=org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.Lock",
        "array:objpath:/org/freedesktop/secrets/collection/login",
      ],
      { env: { ...service().env } },
    );
    const started = Date.now();
    const locked = await home().run(session("--force-refresh"), bus());
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(locked).toMatchObject({ status: 50, stdout: "" });
    expect(errorCode(locked)).toBe("KEYCHAIN_LOCKED");
    expect(locked.stderr).toContain("hint:");
    expect(locked.stderr).not.toContain("open this URL");
    const doctor = await home().run(["doctor", "-o", "json", ...session().slice(1)], bus());
    const found = (JSON.parse(doctor.stdout) as { readonly checks: readonly { readonly id: string }[] }).checks.filter(({ id }) => id === "D-15" || id === "D-16");
    expect(found, doctor.stdout).toMatchObject([
      { id: "D-15", status: "fail", detail: expect.stringContaining("locked") },
      { id: "D-16", status: "fail", detail: expect.stringMatching(/^the OS keychain is locked: /), cure: expect.stringContaining("unlock the keychain") },
    ]);
    expect(doctor.status).toBe(50);
    const text = await home().run(["doctor", ...session().slice(1)], bus());
    expect(text.stdout).toContain("most likely: D-16 where the session is stored: the OS keychain is locked");
    const out = await home().run(["logout", ...session().slice(1)], bus());
    expect(out.status).toBe(50);
    // The cached token needs no keychain.
    expect((await home().run(session(), bus())).status).toBe(0);
  });
});

describe.skipIf(missing.length > 0).each([
  ["locked", "KEYCHAIN_LOCKED"],
  ["absent", "KEYCHAIN_UNAVAILABLE"],
  ["frozen", "KEYCHAIN_TIMED_OUT"],
] as const)(title("a keychain that is %s, with no session recorded"), (kind, code) => {
  const { home, bus } = desktop(kind);
  afterEach(() => rmSync(home().data, { recursive: true, force: true }));

  it(`get-token logs in, prints the credential, keeps no refresh token in a file, and names ${code} with its cure [ST-22, ST-23]`, async () => {
    const started = Date.now();
    const ended = await runWithBrowser(home(), session(), bus());
    expect(ended.status, ended.stderr).toBe(0);
    expect(Date.now() - started).toBeLessThan(7_000);
    expect(credentialOf(ended).status.token).toMatch(/^ey/);
    expect(ended.stderr).toContain(`[${code}];`);
    const files = readdirSync(home().data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.filter(({ parentPath }) => basename(parentPath) === "refresh")).toEqual([]);
  });

  it(`login probes first and ends with ${code} before any browser [ST-22]`, async () => {
    const ended = await home().run(["login", ...session().slice(1)], bus());
    expect(ended).toMatchObject({ status: 50, stdout: "" });
    expect(errorCode(ended)).toBe(code);
    expect(ended.stderr).not.toContain("open this URL");
  });

  it("doctor finds it, and says it first of all that follows from it", async () => {
    const found = await home().run(["doctor", ...session().slice(1)], bus());
    expect(found.stdout).toMatch(/^FAIL {2}D-16 {2}where the session is stored: the OS keychain /m);
    expect(found.stdout).toMatch(/^most likely: D-16 /m);
    expect(found.status).toBe(20);
  });

  it("token and status end within five seconds", async () => {
    for (const command of [["token", ...session().slice(1)], ["status"]]) {
      const started = Date.now();
      await home().run(command, bus());
      expect(Date.now() - started).toBeLessThan(5_000);
    }
  });
});
