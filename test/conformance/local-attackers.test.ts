import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialOf, errorCode, openUrl, programCommand, runWithBrowser } from "../e2e/program.ts";
import { ageToken, home, issuer, session, useStage } from "../e2e/stage.ts";
import { real, toServer } from "./poisoned-stage.ts";

useStage();

const isRoot = process.geteuid?.() === 0;
const stranger = 12_345;

/** Every file of the store after a login, a refresh and an answer of the hot path, relative to it. */
async function filledStore(): Promise<readonly string[]> {
  expect((await runWithBrowser(home, session(), toServer(real))).status).toBe(0);
  for (const _ of [1, 2]) credentialOf(await home.run(session(), toServer(real)));
  return readdirSync(home.data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.data.length + 1));
}

/** What somebody can put in a file's place. `bait` is a file of ours that must stay as it is. */
const plants: Readonly<Record<string, (path: string, bait: string) => void>> = {
  "a link": (path, bait) => symlinkSync(bait, path),
  "a second name": (path, bait) => linkSync(bait, path),
  "a pipe": (path) => void execFileSync("mkfifo", [path]),
  "a folder": (path) => void mkdirSync(path),
  "a device": (path) => symlinkSync("/dev/zero", path),
  "a file that others can read": (path) => writeFileSync(path, "{}", { mode: 0o644 }),
};

describe("planted in the place of every file of the store", () => {
  it.each(Object.entries(plants))(
    "%s: never followed, never emptied, a named error or a fresh start, no hang [ST-02]",
    async (_, plant) => {
      const bait = join(home.folder, "bait");
      writeFileSync(bait, "precious", { mode: 0o600 });
      for (const name of await filledStore()) {
        const path = join(home.data, name);
        const before = readFileSync(path);
        rmSync(path);
        plant(path, bait);
        const started = Date.now();
        for (const args of [session("--non-interactive"), session("--non-interactive", "--force-refresh")]) {
          const ended = await home.run(args, toServer(real));
          expect([0, 20, 50], `${name}: ${ended.stderr}`).toContain(ended.status);
          if (ended.status === 0) credentialOf(ended);
          else
            expect([ended.stdout, ["STORE_UNSAFE", "STORE_UNREADABLE", "STORE_UNWRITABLE", "LOGIN_REQUIRED", "SESSION_REVOKED"]], name).toEqual([
              "",
              expect.arrayContaining([errorCode(ended)]),
            ]);
        }
        expect(Date.now() - started, name).toBeLessThan(10_000);
        expect([readFileSync(bait, "utf8"), lstatSync(bait).mode & 0o777], name).toEqual(["precious", 0o600]);
        rmSync(path, { recursive: true, force: true });
        writeFileSync(path, before, { mode: 0o600 });
      }
    },
    120_000,
  );
});

describe("a store in a place that others can exchange", () => {
  it("is refused before anything is made, read or asked there [ST-02]", async () => {
    chmodSync(join(home.folder, "data"), 0o777);
    for (const args of [session(), ["status"], session("--non-interactive")]) {
      const ended = await home.run(args);
      expect([ended.status, errorCode(ended), ended.stdout], ended.stderr).toEqual([50, "STORE_UNSAFE", ""]);
    }
    expect([readdirSync(join(home.folder, "data")), issuer.seen]).toEqual([[], []]);
  });

  it.skipIf(!isRoot)("root with another's HOME (sudo) leaves no file there that the other could not use (needs root) [ST-14]", async () => {
    for (const name of ["home", "data", "config"]) chownSync(join(home.folder, name), stranger, stranger);
    const ended = await home.run(session());
    expect([ended.status, errorCode(ended)], ended.stderr).toEqual([50, "STORE_UNSAFE"]);
    expect(ended.stderr).toContain("--token-cache-dir");
    const left = ["home", "data", "config"].flatMap((name) => readdirSync(join(home.folder, name)));
    expect(left).toEqual([]);
  });
});

describe.skipIf(!isRoot)("another user of this computer (needs root)", () => {
  /** Runs a command as the stranger. */
  const asStranger = async (...command: readonly [string, ...string[]]) => {
    const child = spawn(command[0], command.slice(1), { uid: stranger, gid: stranger, stdio: "ignore" });
    return (await once(child, "close"))[0] as number;
  };

  it("can neither read nor list what is stored", async () => {
    chmodSync(home.folder, 0o755);
    for (const name of await filledStore()) expect(await asStranger("cat", join(home.data, name)), name).not.toBe(0);
    expect(await asStranger("ls", home.data)).not.toBe(0);
  });

  it("who made our shared places in /tmp first does not lock us out, slow us down, or get anything", async () => {
    // A temporary folder of this test, as open as /tmp.
    const shared = join(home.folder, "tmp");
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const place = join(shared, `kubectl-oidc-${process.geteuid?.()}`);
    mkdirSync(place, { mode: 0o777 });
    chmodSync(place, 0o777);
    chownSync(place, stranger, stranger);
    const env = { TMPDIR: shared, XDG_RUNTIME_DIR: "" };
    expect((await runWithBrowser(home, session(), env)).status).toBe(0);
    ageToken();
    const started = Date.now();
    credentialOf(await home.run(session(), env));
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(readdirSync(place)).toEqual([]);
  });
});

describe("who may debug or watch us", () => {
  it("SIGUSR1 does not open Node's debugger [SE-05]", async () => {
    const started = home.start(session());
    await started.sees(openUrl);
    started.child.kill("SIGUSR1");
    // The next signal is handled after the one before.
    started.child.kill("SIGINT");
    expect((await started.ended).stderr).not.toMatch(/debugger|inspector/i);
  });

  it("files are 0600 in folders of 0700, whatever the umask [ST-01]", async () => {
    const args = ["-c", `umask 000; exec ${programCommand.join(" ")} "$@"`, "sh", ...session("--grant-type=device-code")];
    await once(spawn("sh", args, { env: { ...home.env }, stdio: "ignore", cwd: home.folder }), "close");
    expect(existsSync(home.data)).toBe(true);
    for (const entry of readdirSync(home.data, { recursive: true, withFileTypes: true })) {
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
      expect(mode, entry.name).toBe(entry.isDirectory() ? 0o700 : 0o600);
    }
    expect(issuer.count("/token")).toBe(1);
  });
});
