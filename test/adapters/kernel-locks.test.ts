import { spawn } from "node:child_process";
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kernelLocks } from "../../src/adapters/kernel-locks.ts";
import { codeOf, codeOfPromise } from "../fakes/codes.ts";
import { mountOf, optionsOf } from "../locks/kinds.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-locks-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const soon = 5_000;

/** Another process with our adapter: it takes the lock, then starts a child that outlives it. */
async function holder(name: string): Promise<{ readonly pid: number; readonly childPid: number; kill(): Promise<void> }> {
  const program = join(folder, "holder.cjs");
  const contents = `import { spawn } from "node:child_process";
    import { kernelLocks } from ${JSON.stringify(resolve(root, "src/adapters/kernel-locks.ts"))};
    kernelLocks(process.argv[2]).then((locks) => {
      if (locks.tryTake(process.argv[3]) === undefined) process.exit(1);
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
      child.once("spawn", () => console.log(child.pid));
      setInterval(() => {}, 1000);
    });`;
  const binding = createRequire(import.meta.url).resolve("fs-native-extensions");
  await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile: program,
    logLevel: "error",
    alias: { "fs-native-extensions": binding },
    external: [binding],
    supported: { "dynamic-import": false },
  });
  const child = spawn(process.execPath, [program, folder, name], { stdio: ["ignore", "pipe", "inherit"] });
  const childPid = await new Promise<number>((held, failed) => {
    child.stdout.once("data", (text) => held(Number(text)));
    child.once("exit", () => failed(new Error("the other process did not get the lock")));
  });
  return {
    pid: child.pid ?? 0,
    childPid,
    kill: () =>
      new Promise((gone) => {
        child.once("exit", () => gone());
        child.kill("SIGKILL");
      }),
  };
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a lock that the kernel holds", () => {
  it("excludes a second take, in this process too, until it is released", async () => {
    const locks = await kernelLocks(folder);
    const first = locks.tryTake("refresh-a");
    expect(first).toBeDefined();
    expect(locks.tryTake("refresh-a")).toBeUndefined();
    expect((await kernelLocks(folder)).tryTake("refresh-a")).toBeUndefined();
    expect(locks.tryTake("refresh-b")).toBeDefined();
    first?.release();
    first?.release();
    expect(locks.tryTake("refresh-a")).toBeDefined();
  });

  it("excludes other processes, and dies with its holder at kill -9 [ST-05]", async () => {
    const other = await holder("login-a");
    try {
      const locks = await kernelLocks(folder);
      expect(locks.tryTake("login-a")).toBeUndefined();
      const told: unknown[] = [];
      const taken = locks.take("login-a", soon, never, { onWait: (by) => told.push(by) });
      await other.kill();
      expect(await taken).toBeDefined();
      expect(told).toEqual([{ pid: other.pid, since: expect.any(Number) }]);
    } finally {
      process.kill(other.childPid, "SIGKILL");
    }
  });

  it("is not inherited by children of its holder: it is free when the holder is killed and the child lives on", async () => {
    const other = await holder("refresh-a");
    try {
      await other.kill();
      expect(runs(other.childPid)).toBe(true);
      const lock = await (await kernelLocks(folder)).take("refresh-a", soon, never);
      expect(lock).toBeDefined();
      lock?.release();
    } finally {
      process.kill(other.childPid, "SIGKILL");
    }
  });

  it("is waited for until the deadline, and no longer [ST-07]", async () => {
    const locks = await kernelLocks(folder);
    locks.tryTake("refresh-a");
    const started = Date.now();
    expect(await locks.take("refresh-a", 150, never)).toBeUndefined();
    expect(Date.now() - started).toBeGreaterThanOrEqual(149);
  });

  it("a waiter is woken at the release, not by its poll, and leaves when what it waits for is there", async () => {
    const locks = await kernelLocks(folder);
    const waits: number[] = [];
    for (let round = 0; round < 8; round++) {
      const first = locks.tryTake("refresh-a");
      const waiting = locks.take("refresh-a", soon, never);
      // By then the waiter polls every 100 ms.
      await new Promise((done) => setTimeout(done, 350));
      const released = performance.now();
      first?.release();
      (await waiting)?.release();
      waits.push(performance.now() - released);
    }
    expect(waits.sort((a, b) => a - b)[3]).toBeLessThan(25);
    locks.tryTake("refresh-a");
    let there = false;
    const leaving = locks.take("refresh-a", soon, never, { unless: async () => there });
    there = true;
    expect(await leaving).toBeUndefined();
  });

  it("a wait ends when the signal says so", async () => {
    const locks = await kernelLocks(folder);
    locks.tryTake("refresh-a");
    const stop = new AbortController();
    const waiting = codeOfPromise(locks.take("refresh-a", soon, stop.signal));
    stop.abort();
    expect(await waiting).toBe("INTERRUPTED");
  });

  it("tells waiters who holds it", async () => {
    const locks = await kernelLocks(folder);
    locks.tryTake("login-a");
    const told: unknown[] = [];
    await locks.take("login-a", 0, never, { onWait: (by) => told.push(by) });
    expect(told).toEqual([{ pid: process.pid, since: expect.any(Number) }]);
    expect(JSON.parse(readFileSync(join(folder, "locks", "login-a"), "utf8"))).toMatchObject({ pid: process.pid });
  });

  it("many at once: one after the other", async () => {
    const locks = await kernelLocks(folder);
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const held = await locks.take("refresh-a", 20_000, new AbortController().signal);
        inside++;
        most = Math.max(most, inside);
        await new Promise((done) => setImmediate(done));
        inside--;
        held?.release();
      }),
    );
    expect(most).toBe(1);
  });

  it("lies in a 0600 file of a 0700 folder, which stays when the lock is released [ST-04]", async () => {
    (await kernelLocks(folder)).tryTake("refresh-a")?.release();
    expect(statSync(join(folder, "locks")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "locks", "refresh-a")).mode & 0o777).toBe(0o600);
  });

  it.each<[string, (lockFile: string, victim: string) => void]>([
    ["a link to another file of ours", (lockFile, victim) => symlinkSync(victim, lockFile)],
    ["a second name of another file of ours", (lockFile, victim) => linkSync(victim, lockFile)],
    ["in a folder that others may write", (lockFile) => chmodSync(resolve(lockFile, ".."), 0o777)],
  ])("is refused when its file is %s, which is not written to", async (_, plant) => {
    const victim = join(folder, "victim");
    writeFileSync(victim, "precious");
    mkdirSync(join(folder, "locks"), { mode: 0o700 });
    plant(join(folder, "locks", "refresh-a"), victim);
    const locks = await kernelLocks(folder);
    expect(codeOf(() => locks.tryTake("refresh-a"))).toBe("STORE_UNSAFE");
    expect(readFileSync(victim, "utf8")).toBe("precious");
  });

  it("that cannot have a file is STORE_UNWRITABLE", async () => {
    mkdirSync(join(folder, "locks", "refresh-a"), { recursive: true, mode: 0o700 });
    const locks = await kernelLocks(folder);
    expect(codeOf(() => locks.tryTake("refresh-a"))).toBe("STORE_UNWRITABLE");
    expect(await codeOfPromise(locks.take("refresh-a", soon, never))).toBe("STORE_UNWRITABLE");
  });
});

describe("where the file system has no kernel locks, or shares them with nobody", () => {
  const refusing = (code: string) => {
    const refuse = () => {
      throw Object.assign(new Error(code), { code });
    };
    return { binding: { tryLock: refuse, unlock: refuse } };
  };
  const leaseFolder = () => join(folder, "locks", "refresh-a.lease");

  it.each(["ENOLCK", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EINVAL"])("a lease takes their place when the kernel says %s", async (code) => {
    const [one, two] = await Promise.all([kernelLocks(folder, refusing(code)), kernelLocks(folder, refusing(code))]);
    const held = one.tryTake("refresh-a");
    expect(held).toBeDefined();
    expect(two.tryTake("refresh-a")).toBeUndefined();
    expect(one.tryTake("refresh-b")).toBeDefined();
    const told: unknown[] = [];
    const waiting = two.take("refresh-a", soon, never, { onWait: (by) => told.push(by) });
    held?.release();
    expect(await waiting).toBeDefined();
    expect(told).toEqual([{ pid: process.pid, since: expect.any(Number) }]);
  });

  it("any other answer is STORE_UNWRITABLE, and EACCES says that somebody holds it", async () => {
    expect(await codeOfPromise(kernelLocks(folder, refusing("EIO")).then((locks) => locks.tryTake("refresh-a")))).toBe("STORE_UNWRITABLE");
    expect((await kernelLocks(folder, refusing("EACCES"))).tryTake("refresh-a")).toBeUndefined();
    expect(existsSync(leaseFolder())).toBe(false);
  });

  it.each<[string, string, boolean]>([
    ["nfs", "rw,vers=3,nolock,local_lock=all", true],
    ["nfs4", "rw,vers=4.2", true],
    ["ext4", "rw", false],
  ])("on %s (%s) a lease is taken besides the kernel's lock: %s [ST-09]", async (type, options, isLeased) => {
    const locks = await kernelLocks(folder, { mountinfo: () => mountOf(folder, type, options) });
    const held = locks.tryTake("refresh-a");
    expect(existsSync(leaseFolder())).toBe(isLeased);
    expect((await kernelLocks(folder, { mountinfo: () => "" })).tryTake("refresh-a")).toBeUndefined();
    held?.release();
    expect(locks.tryTake("refresh-a")).toBeDefined();
  });

  it("one that has kernel locks and one that has none exclude each other, once a lease was there", async () => {
    const withKernel = await kernelLocks(folder, optionsOf("kernel", folder));
    const without = await kernelLocks(folder, optionsOf("lease", folder));
    without.tryTake("refresh-a")?.release();
    const held = withKernel.tryTake("refresh-a");
    expect(held).toBeDefined();
    expect(without.tryTake("refresh-a")).toBeUndefined();
    held?.release();
    const next = without.tryTake("refresh-a");
    expect(next).toBeDefined();
    expect(withKernel.tryTake("refresh-a")).toBeUndefined();
    next?.release();
    expect(withKernel.tryTake("refresh-a")).toBeDefined();
  });

  it("a try that the lease refuses gives the kernel's lock back", async () => {
    const shared = await kernelLocks(folder, optionsOf("both", folder));
    const held = (await kernelLocks(folder, optionsOf("lease", folder))).tryTake("refresh-a");
    expect(shared.tryTake("refresh-a")).toBeUndefined();
    const kernelOnly = await kernelLocks(folder, optionsOf("kernel", folder));
    expect(kernelOnly.tryTake("refresh-a")).toBeUndefined();
    held?.release();
    expect(shared.tryTake("refresh-a")).toBeDefined();
  });
});
