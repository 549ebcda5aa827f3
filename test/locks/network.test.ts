import * as realFs from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { leaseLocks } from "../../src/adapters/lease-locks.ts";
import { thisProcess } from "../../src/adapters/lock-owner.ts";

/** What a network file system's client does to us. */
const client = vi.hoisted(() => ({ cached: undefined as readonly string[] | undefined, loses: "nothing" as "nothing" | "answers" | "requests" }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof realFs>();
  return {
    ...fs,
    readdirSync: (path: string) => client.cached ?? fs.readdirSync(path),
    renameSync(from: string, to: string) {
      if (client.loses === "requests") throw Object.assign(new Error("EIO"), { code: "EIO" });
      fs.renameSync(from, to);
      // The request was sent again, and what it renames is gone.
      if (client.loses === "answers") throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
    },
  };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-network-"));
  path = join(folder, "refresh-a.lease");
});
afterEach(() => {
  client.cached = undefined;
  client.loses = "nothing";
  rmSync(folder, { recursive: true, force: true });
});

const times = { leaseMs: 300, renewMs: 30 };
const anotherHost = { ...thisProcess(), boot: "0123456789abcdef0123456789abcdef" };
const here = () => leaseLocks(thisProcess(), times);
const there = () => leaseLocks(anotherHost, times);

describe("a lease on a network file system", () => {
  it("is not taken from a holder that renews, by a client that sees an old listing for ever", async () => {
    const held = there().tryTake(path, "none");
    const leases = here();
    client.cached = realFs.readdirSync(path).map(String);
    for (let looks = 0; looks < 30; looks++) {
      expect(leases.tryTake(path, "none")).toBeUndefined();
      await sleep(30);
    }
    client.cached = undefined;
    held?.release();
    expect(leases.tryTake(path, "none")).toBeDefined();
  });

  it("that an old listing shows as free is had by one", () => {
    there().tryTake(path, "none")?.release();
    client.cached = realFs.readdirSync(path).map(String);
    expect(there().tryTake(path, "none")).toBeDefined();
    expect(here().tryTake(path, "none")).toBeUndefined();
  });

  it("that an old listing does not show at all is had by one", () => {
    expect(there().tryTake(path, "none")).toBeDefined();
    client.cached = [];
    expect(here().tryTake(path, "none")).toBeUndefined();
  });

  it("is held, renewed and released although every answer is lost", async () => {
    there().tryTake(path, "none")?.release();
    client.loses = "answers";
    const held = there().tryTake(path, "none");
    expect(held).toBeDefined();
    await sleep(times.leaseMs * 2);
    expect(here().tryTake(path, "none")).toBeUndefined();
    held?.release();
    client.loses = "nothing";
    expect(here().tryTake(path, "none")).toBeDefined();
  });

  it("is renewed again when the file server comes back", async () => {
    const held = there().tryTake(path, "none");
    client.loses = "requests";
    await sleep(times.renewMs * 4);
    client.loses = "nothing";
    await sleep(times.renewMs * 4);
    const leases = here();
    expect(leases.tryTake(path, "none")).toBeUndefined();
    held?.release();
    expect(leases.tryTake(path, "none")).toBeDefined();
  });
});
