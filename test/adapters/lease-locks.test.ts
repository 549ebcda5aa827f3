import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { leaseLocks, usualLeaseTimes } from "../../src/adapters/lease-locks.ts";
import { type LockOwner, thisProcess } from "../../src/adapters/lock-owner.ts";
import { freeName, heldName, type KernelReach, parseToken } from "../../src/adapters/lock-token.ts";
import { codeOf } from "../fakes/codes.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-lease-"));
  path = join(folder, "refresh-a.lease");
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

const me = thisProcess();
/** A process that cannot be checked from here. */
const elsewhere: LockOwner = { boot: "0123456789abcdef0123456789abcdef", space: "1-1", pid: 1, start: "1" };
const times = { leaseMs: 300, renewMs: 30 };
const first = "0123456789abcdef";
const second = "fedcba9876543210";
const heldBy = (owner: LockOwner, nonce: string, reach: KernelReach = "none") => heldName({ nonce, reach, owner }, 3);

function plant(...names: readonly string[]): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const name of names) writeFileSync(join(path, name), "", { mode: 0o600 });
}

describe("a lease", () => {
  it("excludes a second take until it is released, and leaves one file, which says so", () => {
    const leases = leaseLocks(me);
    const held = leases.tryTake(path, "none");
    expect(held).toBeDefined();
    expect(leases.tryTake(path, "none")).toBeUndefined();
    expect(leaseLocks(me).tryTake(path, "none")).toBeUndefined();
    expect(readdirSync(path).map((name) => parseToken(name))).toMatchObject([{ kind: "held", holder: { reach: "none", owner: me } }]);
    held?.release();
    held?.release();
    expect(readdirSync(path).map((name) => parseToken(name).kind)).toEqual(["free"]);
    const names = new Set(readdirSync(path));
    for (let round = 0; round < 20; round++) {
      leases.tryTake(path, "none")?.release();
      for (const name of readdirSync(path)) names.add(name);
    }
    // No name twice: one that was seen long ago can neither be taken nor removed by mistake.
    expect(names.size).toBe(21);
    expect(readdirSync(path).map((name) => parseToken(name).kind)).toEqual(["free"]);
    expect(readdirSync(folder)).toEqual(["refresh-a.lease"]);
  });

  it("lies in a 0600 file of a 0700 folder", () => {
    leaseLocks(me).tryTake(path, "none");
    expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(path)) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
  });

  it("is renewed under names that never come again, so that it outlasts many of its times", async () => {
    const holder = leaseLocks(me, { leaseMs: 1_000, renewMs: 20 }).tryTake(path, "none");
    const other = leaseLocks({ ...me, start: "-" }, { leaseMs: 1_000, renewMs: 20 });
    const names = new Set<string>();
    const started = performance.now();
    while (performance.now() - started < 2_500) {
      expect(other.tryTake(path, "none")).toBeUndefined();
      for (const name of readdirSync(path)) names.add(name);
      await sleep(15);
    }
    expect(names.size).toBeGreaterThan(10);
    holder?.release();
    expect(other.tryTake(path, "none")).toBeDefined();
  });

  it("of somebody who cannot be checked is over after 30 seconds of silence, not before; a holder renews every 5 [ST-05]", () => {
    expect(usualLeaseTimes).toEqual({ leaseMs: 30_000, renewMs: 5_000 });
    vi.useFakeTimers({ toFake: ["hrtime", "setInterval", "clearInterval"] });
    plant(heldBy(elsewhere, first));
    const leases = leaseLocks(me);
    for (let ms = 0; ms < 30_000; ms += 100) {
      expect(leases.tryTake(path, "none")).toBeUndefined();
      vi.advanceTimersByTime(100);
    }
    expect(leases.tryTake(path, "none")).toBeDefined();
    const [taken = ""] = readdirSync(path);
    vi.advanceTimersByTime(4_999);
    expect(readdirSync(path)).toEqual([taken]);
    vi.advanceTimersByTime(1);
    expect(readdirSync(path)).not.toEqual([taken]);
  });

  it("a single renewal starts the silence anew", () => {
    vi.useFakeTimers({ toFake: ["hrtime", "setInterval", "clearInterval"] });
    plant(heldBy(elsewhere, first));
    const leases = leaseLocks(me, times);
    const pass = (ms: number) => {
      for (let passed = 0; passed < ms; passed += 10) {
        expect(leases.tryTake(path, "none")).toBeUndefined();
        vi.advanceTimersByTime(10);
      }
    };
    pass(290);
    renameSync(join(path, heldBy(elsewhere, first)), join(path, heldName({ nonce: first, reach: "none", owner: elsewhere }, 4)));
    pass(300);
    expect(leases.tryTake(path, "none")).toBeDefined();
  });

  it("time that passes unseen counts as one renewal, not as silence", () => {
    vi.useFakeTimers({ toFake: ["hrtime", "setInterval", "clearInterval"] });
    plant(heldBy(elsewhere, first));
    const leases = leaseLocks(me);
    for (let look = 0; look < 6; look++) {
      expect(leases.tryTake(path, "none")).toBeUndefined();
      vi.advanceTimersByTime(3_600_000);
    }
    expect(leases.tryTake(path, "none")).toBeDefined();
  });
});

describe("the kernel lock that a holder has besides", () => {
  const sameBoot = { ...elsewhere, boot: me.boot };
  it.each<[string, LockOwner, KernelReach, KernelReach, boolean]>([
    ["held at the file server, and ours now", elsewhere, "server", "server", true],
    ["held on the same mount of this boot, and ours now", sameBoot, "host-7", "host-7", true],
    ["held on the same device number of another boot", elsewhere, "host-7", "host-7", false],
    ["held on another mount of this boot", sameBoot, "host-7", "host-8", false],
    ["held on this host alone, while ours reaches the server", sameBoot, "host-7", "server", false],
    ["held at the server, while ours ends at this host", elsewhere, "server", "host-7", false],
    ["none, as we have none", sameBoot, "none", "none", false],
    ["held by somebody who does not know its boot, as we do not", { ...elsewhere, boot: "-" }, "host-7", "host-7", false],
  ])("%s: free at once or not", (_, owner, theirs, ours, isFree) => {
    plant(heldBy(owner, first, theirs));
    expect(leaseLocks(owner.boot === "-" ? { ...me, boot: "-" } : me).tryTake(path, ours) !== undefined).toBe(isFree);
  });
});

describe("a lease's folder that is not as we left it", () => {
  const junk = [
    "held",
    "free.xyz",
    "held.0123456789abcdef.0.none.-.-.0.-",
    `held.${"0".repeat(200)}`,
    ".nfs0000000000000001",
    "\u001b[31m",
    "held.0123456789abcdef.0.host-.x.y.z.w",
  ];

  it.each(junk)("with %j alone has an unknown holder: 30 s", (name) => {
    vi.useFakeTimers({ toFake: ["hrtime", "setInterval", "clearInterval"] });
    plant(name);
    const leases = leaseLocks(me);
    for (let ms = 0; ms < 30_000; ms += 1_000) {
      expect(leases.tryTake(path, "server")).toBeUndefined();
      vi.advanceTimersByTime(1_000);
    }
    expect(leases.tryTake(path, "server")).toBeDefined();
  });

  it("with such names besides a free one is free", () => {
    plant(...junk, freeName(first));
    expect(leaseLocks(me).tryTake(path, "none")).toBeDefined();
  });

  it("empty is taken, by one of two", () => {
    mkdirSync(path, { mode: 0o700 });
    expect(leaseLocks(me).tryTake(path, "none")).toBeDefined();
    expect(leaseLocks(me).tryTake(path, "none")).toBeUndefined();
  });

  it("with a folder in it in place of a file is taken all the same", () => {
    mkdirSync(join(path, freeName(first)), { recursive: true, mode: 0o700 });
    const held = leaseLocks(me).tryTake(path, "none");
    expect(held).toBeDefined();
    held?.release();
    expect(leaseLocks(me).tryTake(path, "none")).toBeDefined();
  });

  it("with two free files, after a restore say, is taken once, and has one file then", () => {
    plant(freeName(first), freeName(second));
    expect(leaseLocks(me).tryTake(path, "none")).toBeDefined();
    expect(readdirSync(path)).toHaveLength(1);
    expect(leaseLocks(me).tryTake(path, "none")).toBeUndefined();
  });

  it("with a free file and one of somebody who lives is held", () => {
    plant(freeName(first), heldBy(me, second));
    expect(leaseLocks(me).tryTake(path, "none")).toBeUndefined();
  });

  it("gone while it is held: the release is quiet, and the next one makes it anew", async () => {
    const held = leaseLocks(me, times).tryTake(path, "none");
    rmSync(path, { recursive: true });
    await sleep(times.renewMs * 3);
    held?.release();
    expect(leaseLocks(me).tryTake(path, "none")).toBeDefined();
  });

  it("taken over: the old holder's renewals and its release change nothing", async () => {
    const old = leaseLocks(me, times).tryTake(path, "none");
    const [name = ""] = readdirSync(path);
    const next = heldBy(elsewhere, second);
    renameSync(join(path, name), join(path, next));
    await sleep(times.renewMs * 3);
    old?.release();
    expect(readdirSync(path)).toEqual([next]);
  });

  it.each<[string, () => void]>([
    ["a link", () => symlinkSync(tmpdir(), path)],
    ["a file", () => writeFileSync(path, "")],
    [
      "open to others",
      () => {
        plant(freeName(first));
        chmodSync(path, 0o777);
      },
    ],
  ])("%s is STORE_UNSAFE", (_, make) => {
    make();
    expect(codeOf(() => leaseLocks(me).tryTake(path, "none"))).toBe("STORE_UNSAFE");
  });
});
