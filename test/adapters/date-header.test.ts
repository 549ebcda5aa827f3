import { expect, it } from "vitest";
import { offsetOf } from "../../src/adapters/date-header.ts";

const at = Date.parse("2026-01-01T12:00:00Z");
const header = new Date(at).toUTCString();

it.each([
  ["in the same second", at + 100, at + 300, 0],
  ["cut off: our clock is later in that second", at + 900, at + 950, 0],
  ["a request that took long, with the truth in between", at - 4_000, at + 4_000, 0],
  ["ours is five minutes ahead", at + 300_000, at + 300_000, -299.001],
  ["ours is five minutes behind", at - 300_000, at - 300_000, 300],
])("%s", (_, asked, answered, expected) => expect(offsetOf(header, asked, answered)).toBeCloseTo(expected, 2));

it("nothing said, or nonsense", () => expect([offsetOf(null, at, at), offsetOf("soon", at, at)]).toEqual([undefined, undefined]));
