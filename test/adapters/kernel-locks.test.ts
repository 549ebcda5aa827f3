import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kernelLocks } from "../../src/adapters/kernel-locks.ts";
import { codeOfPromise } from "../fakes/codes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-locks-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const soon = () => Date.now() + 5_000;

/** Another process that takes the lock on the same file and says so. */
async function holder(name: string): Promise<{ kill(): Promise<void> }> {
  const program = join(folder, "holder.cjs");
  const binding = createRequire(import.meta.url).resolve("fs-native-extensions");
  writeFileSync(
    program,
    `const fs = require("node:fs"); const fd = fs.openSync(process.argv[2], "r+"); if (!require(${JSON.stringify(binding)}).tryLock(fd)) process.exit(1); console.log("held"); setInterval(() => {}, 1000);`,
  );
  const locks = await kernelLocks(folder);
  locks.tryTake(name)?.release();
  const child = spawn(process.execPath, [program, join(folder, "locks", name)], { stdio: ["ignore", "pipe", "ignore"] });
  await new Promise<void>((held, failed) => {
    child.stdout.once("data", () => held());
    child.once("exit", () => failed(new Error("the other process did not get the lock")));
  });
  return {
    kill: () =>
      new Promise((gone) => {
        child.once("exit", () => gone());
        child.kill("SIGKILL");
      }),
  };
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

  it("excludes other processes, and dies with its holder at kill -9", async () => {
    const other = await holder("login-a");
    const locks = await kernelLocks(folder);
    expect(locks.tryTake("login-a")).toBeUndefined();
    let waited = false;
    const taken = locks.take("login-a", soon(), never, () => {
      waited = true;
    });
    await other.kill();
    expect(await taken).toBeDefined();
    expect(waited).toBe(true);
  });

  it("is not inherited by children of its holder", async () => {
    const locks = await kernelLocks(folder);
    const held = locks.tryTake("refresh-a");
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
    try {
      held?.release();
      expect(locks.tryTake("refresh-a")).toBeDefined();
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("is waited for until the deadline, and no longer", async () => {
    const locks = await kernelLocks(folder);
    locks.tryTake("refresh-a");
    const started = Date.now();
    expect(await locks.take("refresh-a", started + 150, never)).toBeUndefined();
    expect(Date.now() - started).toBeGreaterThanOrEqual(149);
  });

  it("a wait ends when the signal says so", async () => {
    const locks = await kernelLocks(folder);
    locks.tryTake("refresh-a");
    const stop = new AbortController();
    const waiting = codeOfPromise(locks.take("refresh-a", soon(), stop.signal));
    stop.abort();
    expect(await waiting).toBe("INTERRUPTED");
  });

  it("tells waiters who holds it", async () => {
    const locks = await kernelLocks(folder);
    locks.tryTake("login-a");
    const told: unknown[] = [];
    await locks.take("login-a", Date.now(), never, (by) => told.push(by));
    expect(told).toEqual([{ pid: process.pid, since: expect.any(Number) }]);
    expect(JSON.parse(readFileSync(join(folder, "locks", "login-a"), "utf8"))).toMatchObject({ pid: process.pid });
  });

  it("many at once: one after the other", async () => {
    const locks = await kernelLocks(folder);
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const held = await locks.take("refresh-a", Date.now() + 20_000, never);
        inside++;
        most = Math.max(most, inside);
        await new Promise((done) => setImmediate(done));
        inside--;
        held?.release();
      }),
    );
    expect(most).toBe(1);
  });
});
