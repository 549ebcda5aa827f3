import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Kind } from "./kinds.ts";
import { type Worker, type Workplace, workplace } from "./processes.ts";

let place: Workplace;
beforeAll(async () => {
  place = await workplace();
});
afterAll(() => place.end());

const another = ["unshare", "--pid", "--fork", "--mount-proc"];
const works = spawnSync(another[0] ?? "", [...another.slice(1), "true"]).status === 0;

const leaseTimes = { leaseMs: 1_500, renewMs: 150 };
const patience = 20_000;

/** Milliseconds from the kill to the next holder. */
async function handover(holder: Worker, next: Worker): Promise<number> {
  const waiting = next.take("refresh-a", patience);
  const killed = performance.now();
  await holder.kill();
  expect(await waiting).toBe(true);
  return performance.now() - killed;
}

describe.skipIf(!works).concurrent(`in another pid namespace${works ? "" : " (skipped: unshare(1) may not make one here; root can)"}`, () => {
  const inAndOut = async (kind: Kind) => {
    const store = place.store("namespaces");
    return Promise.all([place.serve(kind, store, { leaseTimes, through: another }), place.serve(kind, store, { leaseTimes })]);
  };

  it.each<[Kind, number]>([
    ["kernel", 1_000],
    ["both", 1_000],
    // Its process cannot be seen from outside, nor the other way round: the lease runs out.
    ["lease", patience],
  ])("a holder excludes those outside, and they it; kill -9 frees (%s: within %i ms)", async (kind, most) => {
    const [inside, outside] = await inAndOut(kind);
    expect(await inside.tryTake("refresh-a")).toBe(true);
    expect(await outside.tryTake("refresh-a")).toBe(false);
    expect(await inside.release("refresh-a")).toBe(true);
    expect(await outside.tryTake("refresh-a")).toBe(true);
    expect(await inside.take("refresh-a", 300)).toBe(false);
    const fromOutside = await handover(outside, inside);
    expect(fromOutside).toBeLessThan(most);
    if (kind === "lease") expect(fromOutside).toBeGreaterThan(leaseTimes.leaseMs - leaseTimes.renewMs);
  });

  it.each<[Kind, number]>([
    ["kernel", 1_000],
    ["both", 1_000],
    ["lease", patience],
  ])("a holder inside that is killed frees it for those outside (%s: within %i ms)", async (kind, most) => {
    const [inside, outside] = await inAndOut(kind);
    expect(await inside.tryTake("refresh-a")).toBe(true);
    expect(await handover(inside, outside)).toBeLessThan(most);
  });

  it("with the /proc of the one outside, no process is taken for another: the lease runs out", async () => {
    const store = place.store("namespaces");
    const holder = await place.serve("lease", store, { leaseTimes, through: ["unshare", "--pid", "--fork"] });
    const beside = await place.serve("lease", store, { leaseTimes, through: ["nsenter", "--target", String(holder.pid), "--pid"] });
    expect(await holder.tryTake("refresh-a")).toBe(true);
    expect(await beside.take("refresh-a", leaseTimes.leaseMs * 2)).toBe(false);
  });
});
