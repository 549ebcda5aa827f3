import { describe, expect, it } from "vitest";
import { timeLeft } from "../../src/core/time-left.ts";

describe("what is left of a wait", () => {
  it.each([
    [180_000, "3:00"],
    [179_999, "3:00"],
    [179_000, "2:59"],
    [61_000, "1:01"],
    [1, "0:01"],
    [0, "0:00"],
    [-5, "0:00"],
    [1_800_000, "30:00"],
  ])("%i ms is %s", (ms, text) => expect(timeLeft(ms)).toBe(text));
});
