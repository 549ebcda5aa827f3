import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialOf, type Ended, preloaded } from "../e2e/program.ts";
import { type LyingStage, onStage } from "./lying-stage.ts";

/** Code that runs inside the program, before it. */
function preload({ home }: LyingStage, code: string): Readonly<Record<string, string>> {
  const file = join(home.folder, "preload.cjs");
  writeFileSync(file, code);
  return preloaded(file);
}

describe("what nobody caught", () => {
  const secret = "QXZJ-a-token-in-an-error-0123456789";
  const faults: readonly (readonly [string, string])[] = [
    ["an exception", `throw Object.assign(new Error("bad " + secret), { cause: { body: secret }, code: secret });`],
    ["a rejection", `Promise.reject(Object.assign(new TypeError(secret), { response: { headers: { authorization: secret } } }));`],
    ["a thrown text", `throw secret;`],
    ["a thrown object", `throw { toString() { return secret; }, message: secret };`],
    ["a message that looks like a stack", `throw new Error("x\\n    at " + secret + " (x.cjs:1:1)\\n    at QXZJ (x.cjs:2:2)");`],
    ["an error whose name and stack are planted", `throw Object.assign(new Error("x"), { name: secret, stack: secret + "\\n    at " + secret + " (x.cjs:1:1)" });`],
  ];
  it.concurrent.each(faults.flatMap(([what, code]) => [[], ["-v8"]].map((more) => [`${what}${more.length === 0 ? "" : ", at -v8"}`, code, more] as const)))(
    "%s prints a code and no more: UNEXPECTED, exit 1 [SE-03, SE-04]",
    (_, code, more) =>
      onStage(async (stage) => {
        const written = preload(stage, `const secret = ${JSON.stringify(secret)}; setTimeout(() => { ${code} }, 150);`);
        const ended = await stage.home.run(stage.session("--grant-type=device-code", ...more), written);
        expect(ended).toMatchObject({ status: 1, stdout: "" });
        expect(ended.stderr).toContain("[UNEXPECTED]");
        expect(ended.stderr).not.toContain("QXZJ");
        expect(ended.stderr).not.toMatch(/triggerUncaughtException|Node\.js v/);
      }),
  );
  it.concurrent("with -o json is one JSON object, and no more [SE-04]", () =>
    onStage(async (stage) => {
      const written = preload(stage, `setTimeout(() => { throw new Error(${JSON.stringify(secret)}); }, 150);`);
      const ended = await stage.home.run(
        [
          "login",
          "-o",
          "json",
          "--grant-type=device-code",
          ...stage
            .session()
            .slice(1)
            .filter((arg) => arg !== "-v8"),
        ],
        written,
      );
      expect(ended.status).toBe(1);
      expect(JSON.parse(ended.stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({ code: "UNEXPECTED", exit: 1 });
      expect(`${ended.stdout}${ended.stderr}`).not.toContain("QXZJ");
    }));
});

describe("a whole session", () => {
  /** Login, refresh, and every command that looks at it, to its end. */
  async function play({ home, session, logIn }: LyingStage, env: Readonly<Record<string, string>>): Promise<readonly (readonly [command: string, ended: Ended])[]> {
    const told: [string, Ended][] = [["login", await logIn()]];
    for (const command of ["get-token", "token", "status", "whoami", "doctor", "trust", "logout", "version", "help"]) {
      const args =
        command === "get-token"
          ? session("--non-interactive", "--force-refresh")
          : ["status", "version", "help"].includes(command)
            ? [command]
            : [command, ...(command === "trust" ? ["list"] : []), ...session().slice(1)];
      told.push([command, await home.run(args, env)]);
    }
    return told;
  }

  it.concurrent("says its tokens on stdout of get-token and token, and nowhere else at -v8 [SE-02, SE-07]", () =>
    onStage(async (stage) => {
      const told = await play(stage, {});
      for (const [command, { stdout, stderr, status }] of told) {
        const mayTell = command === "login" || command === "get-token" || command === "token";
        for (const secret of stage.issuer.secrets) expect(stderr.includes(secret), `stderr of ${command}`).toBe(false);
        expect(/ey[\w-]{10,}\.[\w-]+\.[\w-]+/.test(stderr), `stderr of ${command}`).toBe(false);
        expect(/ey[\w-]{10,}\.[\w-]+\.[\w-]+/.test(stdout), `stdout of ${command}`).toBe(mayTell && status === 0);
      }
      credentialOf(told[0]?.[1] as Ended);
    }));

  it.concurrent("talks to its issuer and to nobody else: no telemetry, no look for updates [SE-08]", () =>
    onStage(async (stage) => {
      const log = join(stage.home.folder, "connections");
      writeFileSync(log, "");
      const env = preload(
        stage,
        `const { appendFileSync } = require("node:fs");
         const note = (what) => appendFileSync(${JSON.stringify(log)}, what + "\\n");
         const net = require("node:net");
         const { connect } = net.Socket.prototype;
         net.Socket.prototype.connect = function (...args) { const options = Array.isArray(args[0]) ? args[0][0] : args[0]; note("tcp " + (options.path ?? options.host + ":" + options.port)); return connect.apply(this, args); };
         const dns = require("node:dns");
         for (const name of ["lookup", "resolve", "resolve4", "resolve6", "resolveTxt"]) { const original = dns[name]; dns[name] = (host, ...rest) => { note("dns " + host); return original(host, ...rest); }; }
         const dgram = require("node:dgram"); const { createSocket } = dgram; dgram.createSocket = (...args) => { note("udp"); return createSocket(...args); };
         const child = require("node:child_process"); const { spawn } = child.ChildProcess.prototype; child.ChildProcess.prototype.spawn = function (options) { note("child " + options.file); return spawn.call(this, options); };`,
      );
      for (const [command, { status, stderr }] of await play(stage, env)) expect(status, `${command}: ${stderr}`).toBeLessThan(51);
      const { port } = new URL(stage.issuer.issuer);
      const seen = new Set(readFileSync(log, "utf8").split("\n").filter(Boolean));
      expect(seen).toContain(`tcp localhost:${port}`);
      const others = [...seen].filter((line) => line !== `tcp localhost:${port}` && !/^dns (localhost|127\.0\.0\.1|::1)$/.test(line) && !/^child .*\/kubectl$/.test(line));
      expect(others).toEqual([]);
    }));
});

describe("a secret on the command line", () => {
  it.concurrent("is warned about when it is used, and goes to no child; a file of it is not warned about [SE-01]", () =>
    onStage(async ({ issuer, home, session }) => {
      const secret = "CLSQ-0123456789abcdefghij";
      const seen = join(home.folder, "seen");
      const browser = `--browser-command=/bin/sh -c 'env > ${seen}; tr "\\\\0" " " < /proc/$PPID/cmdline > /dev/null'`;
      const args = session("--grant-type=device-code", `--oidc-client-secret=${secret}`, browser).filter((arg) => arg !== "--skip-open-browser");
      const ended = await home.run(args, { KUBECTL_OIDC_PASSWORD: "PWSQ-0123456789abcdefghij", DISPLAY: ":9" });
      expect(ended.status, ended.stderr).toBe(0);
      expect(ended.stderr).toContain("--oidc-client-secret can be read by other users of this computer; use --oidc-client-secret-file");
      expect(ended.stderr).not.toContain(secret);
      expect(readFileSync(seen, "utf8")).not.toMatch(/CLSQ|PWSQ/);
      expect(issuer.received("token")[0]?.headers.authorization).toMatch(/^Basic /);
      const file = join(home.folder, "secret");
      writeFileSync(file, secret, { mode: 0o600 });
      home.holdsSecrets("secret");
      const quiet = await home.run(session("--force-refresh", `--oidc-client-secret-file=${file}`));
      expect(quiet.status, quiet.stderr).toBe(0);
      expect(quiet.stderr).not.toContain("can be read by other");
    }));
});
