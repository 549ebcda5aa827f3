import { describe, expect, it } from "vitest";
import { exitStatus, type Outcome, type Row, shownValue, statusOf } from "./rows.ts";

const row = (outcome: Outcome, bounds: { readonly target?: number; readonly limit?: number } = { target: 1.05, limit: 1.15 }): Row => ({
  id: "hot-20",
  group: "hot",
  title: "a cached token",
  unit: "x",
  outcome,
  ...bounds,
});
const measured = (value: number): Outcome => ({ kind: "measured", value, from: "", rounds: 3 });

describe("a row", () => {
  it.each([
    [1.05, "ok"],
    [1.051, "over target"],
    [1.15, "over target"],
    [1.151, "over limit"],
    [Number.NaN, "failed"],
  ])("of %s, wanted at most 1.05 and allowed 1.15, is %s", (value, status) => {
    expect(statusOf(row(measured(value)))).toBe(status);
  });

  it("without bounds is there for comparison; with a target alone it never fails", () => {
    expect(statusOf(row(measured(9), {}))).toBe("for comparison");
    expect(statusOf(row(measured(9), { target: 1.65 }))).toBe("over target");
    expect(exitStatus([row(measured(9), { target: 1.65 })])).toBe(0);
  });
});

describe("the exit status", () => {
  it("is 0 with rows over their targets and rows that were skipped", () => {
    expect(exitStatus([row(measured(1)), row(measured(1.1)), row({ kind: "skipped", why: "no Go" })])).toBe(0);
  });

  it("is 1 when one limit is passed, and when one row could not be measured for a reason of ours", () => {
    expect(exitStatus([row(measured(1)), row(measured(1.2))])).toBe(1);
    expect(exitStatus([row(measured(1)), row({ kind: "failed", why: "get-token ended with 50" })])).toBe(1);
  });
});

describe("a number", () => {
  it("is shown in its unit", () => {
    expect(shownValue(1.0666, "x")).toBe("1.07 x");
    expect(shownValue(0.0412, "x")).toBe("0.042 x");
    expect(shownValue(1.05, "x")).toBe("1.05 x");
    expect(shownValue(1.0501, "x")).toBe("1.06 x");
    expect(shownValue(47.31, "ms")).toBe("47.3 ms");
    expect(shownValue(312.4, "ms")).toBe("312 ms");
    expect(shownValue(2610, "ms")).toBe("2.61 s");
    expect(shownValue(1, "requests")).toBe("1");
  });
});
