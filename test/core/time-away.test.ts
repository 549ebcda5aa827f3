import { describe, expect, it } from "vitest";
import { isTooShort } from "../../src/core/exec-credential.ts";
import { timeAway } from "../../src/core/time-away.ts";

describe("a time beside its distance", () => {
  it.each([
    [0, "now"],
    [0.9, "now"],
    [1, "in 1 s"],
    [119, "in 119 s"],
    [120, "in 2 min"],
    [42 * 60 + 59, "in 42 min"],
    [7_199, "in 119 min"],
    [7_200, "in 2 h"],
    [2 * 86_400 - 1, "in 47 h"],
    [2 * 86_400, "in 2 d"],
    [-42 * 60, "42 min ago"],
    [-4 * 3_600, "4 h ago"],
    [Number.NaN, "now"],
  ])("of %d s is %s", (seconds, text) => expect(timeAway(seconds)).toBe(text));
});

describe("a token for a script that asks for a validity", () => {
  const hour = { receivedAt: 0, expiresAt: 3_600 };
  const short = { receivedAt: 0, expiresAt: 300 };
  it.each([
    ["has it", hour, 600, 3_000, false],
    ["has less", hour, 600, 3_001, true],
    ["was asked for nothing", hour, 0, 3_599, false],
    ["lives shorter than that, and is new", short, 600, 59, false],
    ["lives shorter than that, and a fifth of it is gone", short, 600, 61, true],
    ["has lived", short, 0, 301, true],
  ] as const)("that %s", (_, token, wanted, now, expected) => expect(isTooShort(token, wanted, now)).toBe(expected));
});
