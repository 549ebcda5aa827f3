import { describe, expect, it } from "vitest";
import { covered, ownTime, splitRun } from "./spans.ts";

const run = { from: 100, to: 200 };

describe("the time that others needed", () => {
  it("is counted once where they overlap, and only while the run lasted", () => {
    const spans = [
      { from: 120, to: 140 },
      { from: 130, to: 150 },
      { from: 190, to: 230 },
      { from: 20, to: 90 },
    ];
    expect(covered(spans, run)).toBe(40);
    expect(ownTime(run, spans)).toBe(60);
  });

  it("is nothing when nobody else was asked", () => {
    expect(ownTime(run, [])).toBe(100);
    expect(splitRun(run, [])).toEqual({ before: 100, others: 0, between: 0, after: 0 });
  });
});

describe("a run", () => {
  it("is split into before, others, between and after, which add up to it", () => {
    const parts = splitRun(run, [
      { from: 150, to: 160 },
      { from: 110, to: 130 },
    ]);
    expect(parts).toEqual({ before: 10, others: 30, between: 20, after: 40 });
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(100);
  });
});
