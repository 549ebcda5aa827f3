import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelLocks } from "../../src/adapters/kernel-locks.ts";
import { type LockOwner, thisProcess } from "../../src/adapters/lock-owner.ts";
import { heldName, type KernelReach } from "../../src/adapters/lock-token.ts";
import { type Kind, optionsOf } from "./kinds.ts";
import { type Workplace, workplace } from "./processes.ts";

let place: Workplace;
beforeAll(async () => {
  place = await workplace();
});
afterAll(() => place.end());

const leaseTimes = { leaseMs: 1_000, renewMs: 100 };
const patience = 20_000;
const never = new AbortController().signal;
const aliveNow = thisProcess();
const otherBoot = "0123456789abcdef0123456789abcdef";

/** A store whose lock was left by this process of the past, in both forms. */
function leftBy(owner: LockOwner, reach: KernelReach): string {
  const store = place.store("past");
  const file = join(store, "locks", "refresh-a");
  mkdirSync(`${file}.lease`, { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify({ pid: owner.pid, since: Date.now(), boot: owner.boot, space: owner.space }), { mode: 0o600 });
  writeFileSync(join(`${file}.lease`, heldName({ nonce: "0123456789abcdef", reach, owner }, 7)), "", { mode: 0o600 });
  return store;
}

const locksIn = (kind: Kind, store: string) => kernelLocks(store, optionsOf(kind, store, leaseTimes));

/** Somebody whose number and start mean something here; nobody else has both. */
function stranger(): LockOwner {
  const text = readFileSync(`/proc/${process.ppid}/stat`, "latin1");
  return { ...aliveNow, pid: process.ppid, start: text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "" };
}

describe.skipIf(process.platform !== "linux")("a lock that the past left behind (/proc: Linux)", () => {
  it.each<[string, Kind, KernelReach]>([
    ["the kernel's", "kernel", "none"],
    ["of both, the kernel's at the file server", "both", "server"],
    ["a lease alone", "lease", "none"],
  ])("of another boot, naming a pid that another process has now, counts until its lease is over: it may live on another host (%s)", async (_, kind, reach) => {
    const locks = await locksIn(kind, leftBy({ ...stranger(), boot: otherBoot, start: "1" }, reach));
    const started = performance.now();
    const told: unknown[] = [];
    expect(await locks.take("refresh-a", patience, never, { onWait: (by) => told.push(by) })).toBeDefined();
    expect(performance.now() - started).toBeGreaterThanOrEqual(leaseTimes.leaseMs);
    // That pid means nothing here.
    expect(told).toEqual([undefined]);
  });

  it("of another boot, where only the kernel's lock counts, is free at once, whatever the file says", async () => {
    const store = place.store("past");
    mkdirSync(join(store, "locks"), { mode: 0o700 });
    writeFileSync(join(store, "locks", "refresh-a"), JSON.stringify({ pid: process.pid, since: 1, boot: otherBoot, space: "1-1" }), { mode: 0o600 });
    expect((await locksIn("kernel", store)).tryTake("refresh-a")).toBeDefined();
  });

  it.each<Kind>(["kernel", "lease", "both"])("by a process whose pid another one has now is free at once (%s)", async (kind) => {
    const reused = { ...stranger(), start: String(Number(stranger().start) + 1) };
    expect((await locksIn(kind, leftBy(reused, "none"))).tryTake("refresh-a")).toBeDefined();
  });

  it.each<Kind>(["lease", "both"])("by a process that lives, with its start, is held (%s)", async (kind) => {
    expect((await locksIn(kind, leftBy(stranger(), "none"))).tryTake("refresh-a")).toBeUndefined();
  });

  it.each<Kind>(["lease", "both"])("by a pid that nobody has is free at once (%s)", async (kind) => {
    const child = spawn("true");
    await new Promise((gone) => child.once("exit", gone));
    const dead = { ...aliveNow, pid: child.pid ?? 0, start: "1" };
    expect((await locksIn(kind, leftBy(dead, "none"))).tryTake("refresh-a")).toBeDefined();
  });

  it.each<Kind>(["kernel", "lease", "both"])("by a killed process that nobody reaps is free within a second (%s)", async (kind) => {
    const store = place.store("past");
    // The shell becomes a program that never asks for its child.
    const holder = await place.serve(kind, store, { leaseTimes: { leaseMs: patience, renewMs: 1_000 }, through: ["sh", "-c", 'exec 3<&0; "$0" "$@" <&3 & exec sleep 1000'] });
    expect(await holder.tryTake("refresh-a")).toBe(true);
    const locks = await kernelLocks(store, optionsOf(kind, store));
    expect(locks.tryTake("refresh-a")).toBeUndefined();
    process.kill(holder.pid, "SIGKILL");
    expect(await locks.take("refresh-a", 1_000, never)).toBeDefined();
    expect(readFileSync(`/proc/${holder.pid}/stat`, "latin1")).toContain(") Z ");
  });
});
