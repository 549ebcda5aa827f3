import { describe, expect, it } from "vitest";
import { interleaved, orderOf, type Sample } from "./interleaved.ts";
import { median, medianBounds, pairedRatios, quartiles } from "./statistics.ts";

const sample = (ms: number): Sample => ({ ms, cpu: undefined, kib: undefined });

describe("a ratio", () => {
  it("is taken round by round, so that a machine that is slow for some rounds changes nothing", () => {
    const [own, base] = [
      [20, 200, 20, 220, 21],
      [19, 190, 19, 209, 20],
    ];
    expect(median(pairedRatios(own, base))).toBeCloseTo(1.0526, 3);
  });

  it("of nothing is no number", () => {
    expect(median([])).toBeNaN();
    expect(quartiles([])).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("where the true median lies", () => {
  it("is not known from a few values", () => {
    expect(medianBounds([1, 1, 1, 1])).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it("gets narrower with more of them, and leaves the outliers out", () => {
    const values = Array.from({ length: 101 }, (_, i) => 1 + i / 1000);
    const [least, most] = medianBounds([...values.slice(0, 100), 50]);
    expect(least).toBeGreaterThan(1.03);
    expect(most).toBeLessThan(1.07);
    const [few, many] = [medianBounds(values.slice(0, 20)), medianBounds(values)];
    expect((few[1] - few[0]) / 20).toBeGreaterThan((many[1] - many[0]) / 101);
  });
});

describe("rounds", () => {
  it("run each candidate once, after one run that does not count", async () => {
    const ran: string[] = [];
    const samples = await interleaved(["a", "b", "c"], 4, async (name) => sample(ran.push(name)));
    expect(ran.slice(0, 3)).toEqual(["a", "b", "c"]);
    for (let round = 0; round < 4; round++) expect(ran.slice(3 + round * 3, 6 + round * 3).sort()).toEqual(["a", "b", "c"]);
    expect([...samples.values()].map((all) => all.length)).toEqual([4, 4, 4]);
    expect(samples.get("a")?.[0]?.ms).toBe(4);
  });

  it("put nobody always first or always after the same one", () => {
    const orders = Array.from({ length: 6 }, (_, round) => orderOf(["a", "b", "c"], round).join(""));
    expect(new Set(orders.map((order) => order[0]))).toEqual(new Set(["a", "b", "c"]));
    expect(orders).toEqual(expect.arrayContaining(["abc", "cba"]));
    expect(orderOf([], 3)).toEqual([]);
  });

  it("go on where earlier ones ended", async () => {
    const count = { runs: 0 };
    const run = async () => sample(++count.runs);
    const first = await interleaved(["a", "b"], 2, run);
    const both = await interleaved(["a", "b"], 3, run, first);
    expect(both.get("a")).toHaveLength(5);
    expect(both.get("a")?.slice(0, 2)).toEqual(first.get("a"));
    // Two that do not count, ten that do.
    expect(count.runs).toBe(12);
  });
});
