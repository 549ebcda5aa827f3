import { describe, expect, it } from "vitest";
import type { Sample, Samples } from "./interleaved.ts";
import type { Issuer } from "./parts/issuer.ts";
import type { Stage } from "./parts/stage.ts";
import { statusOf } from "./rows.ts";
import type { Ran } from "./starter.ts";
import type { Candidate } from "./starts/candidates.ts";
import { type Effort, isDecided, measureStarts, outcomeOf } from "./starts/measure.ts";
import type { Figure, StartPlan } from "./starts/plans.ts";

const plan = (figure: Figure = "time", limit = 1.15): StartPlan => ({
  id: "hot",
  group: "hot",
  title: "a cached token",
  of: "own",
  to: "base",
  figure,
  unit: "x",
  target: 1.05,
  limit,
});
const samples = (own: readonly Partial<Sample>[], base: readonly Partial<Sample>[]): Samples =>
  new Map(Object.entries({ own, base }).map(([id, all]) => [id, all.map((one) => ({ ms: 1, cpu: undefined, kib: undefined, ...one }))]));
const times = (ms: readonly number[]) => ms.map((one) => ({ ms: one }));

describe("what a row says", () => {
  it("is the median of the rounds' ratios, with the medians that it comes from", () => {
    const outcome = outcomeOf(plan(), new Map(), samples(times([22, 44, 21]), times([20, 40, 20])));
    expect(outcome).toEqual({ kind: "measured", value: 1.1, from: "22.0 ms / 20.0 ms", rounds: 3 });
  });

  it("of memory is in MiB, and skipped where one child's cannot be told", () => {
    const of = (kib: number | undefined) => outcomeOf(plan("memory"), new Map(), samples([{ kib }], [{ kib: 40_960 }]));
    expect(of(43_008)).toMatchObject({ value: 1.05, from: "42.0 MiB / 40.0 MiB" });
    expect(of(undefined)).toMatchObject({ kind: "skipped", why: expect.stringContaining("Python") });
  });

  it.each(["own", "base"])("is why it was skipped when %s is not here", (id) => {
    expect(outcomeOf(plan(), new Map([[id, { missing: "no Go" }]]), new Map())).toEqual({ kind: "skipped", why: "no Go" });
  });

  it("in the gate is the smaller of wall and processor time, each by itself", () => {
    const busy = samples([{ ms: 90, cpu: 31 }], [{ ms: 30, cpu: 30 }]);
    expect(outcomeOf(plan("steady"), new Map(), busy)).toMatchObject({ value: 31 / 30, from: "31.0 ms cpu / 30.0 ms cpu" });
    expect(outcomeOf(plan("time"), new Map(), busy)).toMatchObject({ value: 3 });
    const threads = samples([{ ms: 30, cpu: 90 }], [{ ms: 30, cpu: 30 }]);
    expect(outcomeOf(plan("steady"), new Map(), threads)).toMatchObject({ value: 1 });
  });
});

describe("a row is decided", () => {
  const around = (ratio: number, rounds: number) => {
    const wobbling = Array.from({ length: rounds }, (_, i) => 100 * (ratio + ((i * 7) % 11) / 100 - 0.05));
    return samples(times(wobbling), times(wobbling.map(() => 100)));
  };

  it("when it is clearly below its limit or clearly above", () => {
    expect(isDecided(plan(), around(1.02, 45))).toBe(true);
    expect(isDecided(plan(), around(1.4, 45))).toBe(true);
  });

  it("not when chance alone could have put it on this side, nor from a few rounds", () => {
    expect(isDecided(plan(), around(1.15, 45))).toBe(false);
    expect(isDecided(plan(), around(1.02, 5))).toBe(false);
  });

  it("at once when it has no limit", () => {
    const { limit: _, ...free } = plan();
    expect(isDecided(free, around(1.15, 5))).toBe(true);
  });
});

describe("a measurement", () => {
  const issuer = { requests: [] } as unknown as Issuer;
  /** A machine where each run takes what `cost` says. */
  const stageOf = (cost: (id: string, run: number) => number) => {
    const counts = new Map<string, number>();
    const told: string[] = [];
    const run = async ({ args: [id = ""] }: { readonly args: readonly string[] }): Promise<Ran> => {
      const count = (counts.get(id) ?? -1) + 1;
      counts.set(id, count);
      return { started: 0, ended: cost(id, count), cpu: undefined, kib: undefined, status: 0, output: '{"status":{"token":"t"}}' };
    };
    return { stage: { starter: { run }, tell: (what: string) => told.push(what) } as unknown as Stage, counts, told };
  };
  const make = async (id: string): Promise<Candidate> => ({ id, name: id, kind: "ours", answers: true, args: [id], env: {} });
  const measure = (stage: Stage, effort: Effort) => measureStarts(stage, [plan()], make, issuer, effort);

  it("of the gate ends early for a row that is far from its limit", async () => {
    const { stage, counts } = stageOf((id) => (id === "own" ? 21 : 20));
    const { rows, processes } = await measure(stage, { batch: 15, most: 150 });
    expect(rows[0]?.outcome).toMatchObject({ value: 1.05, rounds: 15 });
    // One that shows that it answers, one that does not count.
    expect(counts.get("own")).toBe(16);
    expect(processes.map(({ id, ms }) => [id, ms])).toEqual([
      ["base", 20],
      ["own", 21],
    ]);
  });

  it("of the gate goes on while a row is near to its limit, and an end is set to it", async () => {
    const { stage, told } = stageOf((id, count) => (id === "own" ? 20 + (count % 7) : 20));
    const { rows } = await measure(stage, { batch: 15, most: 60 });
    expect(rows[0]?.outcome).toMatchObject({ rounds: 60 });
    expect(statusOf(rows[0] ?? { outcome: { kind: "failed", why: "" } })).toBe("over target");
    expect(told.length).toBeGreaterThan(1);
  });

  it("fails when what should have been a hit asked the issuer", async () => {
    const asked: object[] = [];
    const { stage } = stageOf((id) => (id === "own" ? asked.push({}) : 1));
    await expect(measureStarts(stage, [plan()], make, { requests: asked } as unknown as Issuer, { rounds: 2 })).rejects.toThrow("asked the issuer");
  });

  it("leaves out what is missing and measures the rest", async () => {
    const { stage } = stageOf(() => 5);
    const makeMost = async (id: string) => (id === "kubelogin" ? { missing: "no kubelogin" } : make(id));
    const against = { ...plan(), id: "peer", to: "kubelogin" };
    const { rows } = await measureStarts(stage, [plan(), against], makeMost, issuer, { rounds: 3 });
    expect(rows.map(({ outcome }) => outcome.kind)).toEqual(["measured", "skipped"]);
  });
});
