import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Workplace, workplace } from "./processes.ts";

let place: Workplace;
beforeAll(async () => {
  place = await workplace();
});
afterAll(() => place.end());

const leaseTimes = { leaseMs: 1_500, renewMs: 150 };
const manyLeases = 4_000;
const patience = 20_000;

describe.concurrent("a holder that is frozen", () => {
  it.each(["kernel", "both"] as const)("keeps the lock for as long as it is frozen, and passes it on when it goes on (%s)", async (kind) => {
    const store = place.store("frozen");
    const [holder, next] = await Promise.all([place.serve(kind, store, { leaseTimes }), place.serve(kind, store, { leaseTimes })]);
    expect(await holder.tryTake("refresh-a")).toBe(true);
    holder.signal("SIGSTOP");
    expect(await next.take("refresh-a", manyLeases)).toBe(false);
    holder.signal("SIGCONT");
    const waiting = next.take("refresh-a", patience);
    expect(await holder.release("refresh-a")).toBe(true);
    expect(await waiting).toBe(true);
  });

  it("past its lease, where that is all there is, is the one case of two holders: the next one gets it then and not before, and keeps it", async () => {
    const store = place.store("frozen");
    const [holder, next, third] = await Promise.all([1, 2, 3].map(() => place.serve("lease", store, { leaseTimes })));
    if (holder === undefined || next === undefined || third === undefined) throw new Error("too few");
    expect(await holder.tryTake("login-a")).toBe(true);
    holder.signal("SIGSTOP");
    const frozen = performance.now();
    expect(await next.take("login-a", patience)).toBe(true);
    expect(performance.now() - frozen).toBeGreaterThanOrEqual(leaseTimes.leaseMs);
    // It wakes, renews what it no longer has, and releases it: nothing of that touches the next one's lease.
    holder.signal("SIGCONT");
    await sleep(leaseTimes.renewMs * 3);
    expect(await holder.release("login-a")).toBe(true);
    expect(await third.take("login-a", manyLeases)).toBe(false);
    expect(await next.release("login-a")).toBe(true);
    expect(await third.take("login-a", patience)).toBe(true);
  });

  it("together with a waiter loses nothing: the waiter does not count its own pause", async () => {
    const store = place.store("frozen");
    const [holder, next] = await Promise.all([place.serve("lease", store, { leaseTimes }), place.serve("lease", store, { leaseTimes })]);
    expect(await holder.tryTake("refresh-a")).toBe(true);
    const waiting = next.take("refresh-a", manyLeases);
    await sleep(300);
    // Ctrl-Z on the shell's job, then fg: the waiter runs first.
    holder.signal("SIGSTOP");
    next.signal("SIGSTOP");
    await sleep(leaseTimes.leaseMs * 2);
    next.signal("SIGCONT");
    await sleep(300);
    holder.signal("SIGCONT");
    expect(await waiting).toBe(false);
    expect(await holder.release("refresh-a")).toBe(true);
    expect(await next.take("refresh-a", patience)).toBe(true);
  });
});
