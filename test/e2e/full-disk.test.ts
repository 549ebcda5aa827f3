import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canMountHere } from "../programs.ts";
import { browse, credentialOf, errorCode, openUrl, runWithBrowser } from "./program.ts";
import { ageToken, home, issuer, session, useStage } from "./stage.ts";

useStage();

const fillUp = () => {
  const fd = openSync(join(home.data, "filler"), "w");
  try {
    for (;;) writeSync(fd, Buffer.alloc(512));
  } catch {
    closeSync(fd);
  }
};
const remount = (how: string) => execFileSync("mount", ["-o", `remount,${how}`, home.data]);

describe.skipIf(!canMountHere())("a disk that is full or read-only (needs the right to mount)", () => {
  beforeEach(() => {
    mkdirSync(home.data, { mode: 0o700 });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", home.data]);
  });
  afterEach(() => execFileSync("umount", [home.data]));

  const spoilers: readonly (readonly [string, () => void, () => void])[] = [
    ["full", fillUp, () => rmSync(join(home.data, "filler"))],
    ["read-only", () => remount("ro"), () => remount("rw")],
  ];

  const nowhereElse = { XDG_RUNTIME_DIR: "/proc/none", TMPDIR: "/proc/none" };

  it.each(spoilers)("%s: refreshes go on, the answers rest sealed elsewhere, and that is said; afterwards the session goes on", async (_, spoil, heal) => {
    await runWithBrowser(home, session());
    const before = issuer.count("/token");
    spoil();
    for (let i = 0; i < 3; i++) {
      const refreshed = await home.run(session("--force-refresh", "--non-interactive"));
      expect(refreshed.status, refreshed.stderr).toBe(0);
      expect(refreshed.stderr).toMatch(/rests in an encrypted file.*STORE_UNWRITABLE/);
    }
    const [live = ""] = [...issuer.live];
    const runtime = join(home.env["XDG_RUNTIME_DIR"] ?? "", "kubectl-oidc");
    const sealed = readdirSync(runtime, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(sealed.filter(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1").includes(live))).toEqual([]);
    heal();
    const well = await home.run(session("--force-refresh", "--non-interactive"));
    expect(well, well.stderr).toMatchObject({ status: 0, stderr: "" });
    expect(issuer.count("/token") - before).toBe(4);
  });

  it.each(spoilers)("%s, and no room anywhere: no refresh is asked for whose answer could not be kept; the session works again afterwards", async (_, spoil, heal) => {
    await runWithBrowser(home, session());
    ageToken();
    const before = issuer.count("/token");
    spoil();
    const stuck = await home.run(session("--non-interactive"), nowhereElse);
    expect(stuck).toMatchObject({ status: 50, stdout: "" });
    expect(errorCode(stuck)).toBe("STORE_UNWRITABLE");
    expect(issuer.count("/token")).toBe(before);
    heal();
    const well = await home.run(session("--non-interactive"));
    expect(well.status, well.stderr).toBe(0);
    expect(issuer.count("/token") - before).toBe(1);
  });

  it.each(spoilers)("%s, and no room anywhere: a token that is still good is used, and the fault is said", async (_, spoil) => {
    await runWithBrowser(home, session());
    ageToken(40);
    spoil();
    const used = await home.run(session("--non-interactive"), nowhereElse);
    expect(used.status, used.stderr).toBe(0);
    expect(credentialOf(used).status.token).not.toBe("");
    expect(used.stderr).toContain("STORE_UNWRITABLE");
  });

  it.each(spoilers)("%s: a login is not thrown away, the credential is printed (promise 9)", async (_, spoil) => {
    spoil();
    const login = home.start(session());
    const [, url = ""] = await login.sees(openUrl);
    await browse(url);
    const ended = await login.ended;
    expect(ended.status, ended.stderr).toBe(0);
    expect(credentialOf(ended).status.token).not.toBe("");
    expect(ended.stderr).toContain("STORE_UNWRITABLE");
  });
});

/** A helper that keeps items in files; `refuse` in its folder makes it take nothing more. */
function helper(): { readonly folder: string; readonly env: Readonly<Record<string, string>>; readonly refuse: (yes: boolean) => void } {
  const folder = join(home.folder, "helper");
  home.holdsSecrets("helper");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "docker-credential-files"),
    `#!/bin/sh
cd '${folder}' || exit 1
case "$1" in
store) [ -e refuse ] && exit 1
  if [ -e late ]; then cat > slow; touch storing; sleep 1.5; mv slow item; touch stored-late
  else cat > "new.$$" && mv "new.$$" item; fi ;;
get) cat > /dev/null; [ -e item ] && cat item || { echo "credentials not found in native keychain"; exit 1; } ;;
erase) rm -f item ;;
esac`,
  );
  chmodSync(join(folder, "docker-credential-files"), 0o755);
  return {
    folder,
    env: { PATH: `${folder}:${home.env["PATH"]}` },
    refuse: (yes) => (yes ? writeFileSync(join(folder, "refuse"), "") : rmSync(join(folder, "refuse"))),
  };
}

describe("a store that fails in mid-write", () => {
  it("that is late, while we are killed and the next call reads: the answer is found beside it, and no spent token is sent", async () => {
    const { env, folder } = helper();
    const args = session("--token-cache-storage=helper:files");
    await runWithBrowser(home, args, env);
    writeFileSync(join(folder, "late"), "");
    const killed = home.start([...args, "--force-refresh"], env);
    await expect.poll(() => existsSync(join(folder, "storing")), { timeout: 10_000, interval: 5 }).toBe(true);
    killed.child.kill("SIGKILL");
    await killed.ended;
    rmSync(join(folder, "late"));
    const next = await home.run([...args, "--force-refresh", "--non-interactive"], env);
    expect(next.status, next.stderr).toBe(0);
    // Now it puts an item in the place of a newer one.
    await expect.poll(() => existsSync(join(folder, "stored-late")), { timeout: 5_000 }).toBe(true);
    expect((await home.run([...args, "--force-refresh", "--non-interactive"], env)).status).toBe(0);
  });

  it("after the issuer has rotated: the new token rests encrypted, and the session goes on when the store is well", async () => {
    const { env, refuse } = helper();
    const args = session("--token-cache-storage=helper:files");
    await runWithBrowser(home, args, env);
    refuse(true);
    const refreshed = await home.run([...args, "--force-refresh"], env);
    expect(refreshed.status, refreshed.stderr).toBe(0);
    expect(refreshed.stderr).toMatch(/rests in an encrypted file.*KEYCHAIN_UNAVAILABLE/);
    const [live = ""] = [...issuer.live];
    const files = readdirSync(home.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.filter(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1").includes(live))).toEqual([]);
    refuse(false);
    const next = await home.run([...args, "--force-refresh", "--non-interactive"], env);
    expect(next, next.stderr).toMatchObject({ status: 0, stderr: "" });
    await home.run(["logout", ...args.slice(1)], env);
    expect(readdirSync(join(home.data, "journal"))).toEqual([]);
  });
});
