import { describe, expect, it } from "vitest";
import { stormPlans } from "./plans.ts";
import { type Storm, stormOutcome } from "./storm.ts";

const storm = (wall: number, more: Partial<Storm> = {}): Storm => ({
  wall,
  times: [wall],
  peak: undefined,
  requests: 0,
  refreshes: 0,
  failures: [],
  tokens: new Set(["t"]),
  ...more,
});
const plan = (id: string) => {
  const found = stormPlans(200).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no row ${id}`);
  return found;
};
const storms = { hits: [storm(2000), storm(2400), storm(2200)], misses: [storm(3000, { refreshes: 1 }), storm(3000, { refreshes: 1 }), storm(3300, { refreshes: 1 })] };

describe("a storm", () => {
  it("of hits is the median of its rounds; of misses it is held against the hits of the same round", () => {
    expect(stormOutcome(plan("storm-hits"), storms, undefined, 200)).toMatchObject({ value: 2200 });
    expect(stormOutcome(plan("storm-misses"), storms, undefined, 200)).toMatchObject({ value: 1.5, from: "3.00 s / 2.20 s" });
  });

  it("that made two refreshes in one of its rounds made two", () => {
    const twice = { ...storms, misses: [...storms.misses, storm(3000, { refreshes: 2 })] };
    expect(stormOutcome(plan("storm-refreshes"), twice, undefined, 200)).toMatchObject({ value: 2 });
    expect(plan("storm-refreshes").limit).toBe(1);
  });

  it("fails when a call of ours failed, or when different tokens were handed out", () => {
    const broken = { ...storms, hits: [storm(2000, { failures: [{ status: 50, stderr: "keychain\n" }] })] };
    expect(stormOutcome(plan("storm-hits"), broken, undefined, 200)).toMatchObject({ kind: "failed", why: "1 of 200 failed, the first with exit status 50: keychain" });
    const mixed = { ...storms, misses: [storm(2000, { tokens: new Set(["a", "b"]) })] };
    expect(stormOutcome(plan("storm-misses"), mixed, undefined, 200)).toMatchObject({ kind: "failed", why: "2 different tokens were handed out" });
    expect(stormOutcome(plan("storm-hits"), storms, undefined, 200, "the session at a rotating issuer is lost")).toMatchObject({ kind: "failed" });
  });

  it("of somebody else's program fails nothing of ours", () => {
    const broken = { ...storms, hits: [storm(2000, { failures: [{ status: 1, stderr: "" }] })] };
    expect(stormOutcome(plan("storm-hits-kubelogin"), broken, undefined, 200)).toMatchObject({ kind: "measured", value: 2000 });
  });

  it("of fewer calls has as much less time", () => {
    const small = stormPlans(20).find(({ id }) => id === "storm-hits");
    expect([small?.target, small?.limit]).toEqual([300, 450]);
  });
});
