import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { askAgainAt, isFresh } from "../../src/core/exec-credential.ts";

/**
 * A client as client-go is: it keeps a credential in memory, uses it as long as the clock is not past the expirationTimestamp it was told
 * (no margin of its own, protocol.md EC-41), and runs the plugin again after that. `requests`: seconds between its requests.
 */
function clientOverTime(call: { readonly life: number; readonly minValidity: number; readonly ttl: number; readonly requests: readonly number[] }) {
  const runs: number[] = [];
  const left: number[] = [];
  let now = 1_000_000.4;
  let token = { receivedAt: now, expiresAt: Math.floor(now) + call.life };
  let until = Number.NEGATIVE_INFINITY;
  for (const pause of call.requests) {
    now += pause;
    if (now > until) {
      runs.push(now);
      if (!isFresh(token, call.minValidity, now)) token = { receivedAt: now, expiresAt: Math.floor(now) + call.life };
      until = askAgainAt(token, call.minValidity, call.ttl, now);
    }
    left.push(token.expiresAt - now);
  }
  return { runs, left };
}

describe("a client that runs for hours", () => {
  const call = fc.record({
    life: fc.integer({ min: 30, max: 7200 }),
    minValidity: fc.integer({ min: 0, max: 600 }),
    ttl: fc.integer({ min: 10, max: 7200 }),
    requests: fc.array(fc.double({ min: 0, max: 90, noNaN: true }), { minLength: 1, maxLength: 200 }),
  });

  it("never sends a token that has expired, and not one that is about to", () => {
    fc.assert(
      fc.property(call, (c) => {
        const { left } = clientOverTime(c);
        // Between 5 s and a fifth of its life; the margin is the person's choice and may be nothing.
        expect(Math.min(...left)).toBeGreaterThanOrEqual(c.minValidity === 0 ? 0 : Math.min(c.minValidity, 5) - 1);
      }),
      { numRuns: 2_000 },
    );
  });

  it("does not run the plugin for every request: seconds lie between two runs, also with tokens that live 30 seconds", () => {
    fc.assert(
      fc.property(call, (c) => {
        const { runs } = clientOverTime(c);
        for (let i = 1; i < runs.length; i++) expect((runs[i] ?? 0) - (runs[i - 1] ?? 0)).toBeGreaterThanOrEqual(4);
      }),
      { numRuns: 2_000 },
    );
  });

  it("comes back within the credential's ttl, before the token dies", () => {
    const { runs } = clientOverTime({ life: 3600, minValidity: 60, ttl: 300, requests: Array.from({ length: 7200 }, () => 1) });
    const gaps = runs.slice(1).map((time, i) => time - (runs[i] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(301);
  });
});
