import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { getToken } from "../../src/app/get-token.ts";
import type { Run } from "../../src/app/world.ts";
import { isOidcError } from "../../src/errors/oidc-error.ts";
import { type IssuerMove, type SharedMachine, sharedMachine } from "../fakes/shared-machine.ts";

/** The gate runs the same schedules each time; MODEL_SEED and MODEL_ROUNDS try others, and a failure prints its own seed and path. */
const parameters = { numRuns: Number(process.env["MODEL_ROUNDS"] ?? 500), seed: Number(process.env["MODEL_SEED"] ?? 20_261_123) };

/** The token, or the code that it ended with. */
const resultOf = (run: Run, interactive: boolean) =>
  getToken(run, { interactive, wasRefused: false, origin: { command: "get-token", mayPrompt: false } }).then(
    ({ token }) => token,
    (error: unknown) => {
      if (isOidcError(error)) return error.code;
      throw error;
    },
  );

const isToken = (result: string) => result.startsWith("e30.");

/** Nobody else runs, nobody is killed: how the next call ends. */
async function nextCall(machine: SharedMachine, s: fc.Scheduler): Promise<string> {
  const call = resultOf(machine.start(), false);
  await s.waitFor(call);
  return call;
}

const killAt = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const moves = fc.array(fc.constantFrom<IssuerMove>("answers", "answers", "is down", "lost"), { maxLength: 4 });

describe("any schedule of several processes with an expired token, an issuer that rotates and a kill at any step", () => {
  it("without kills and faults makes one request, and all get its token [RT-06]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 6 }), async (s, processes) => {
        const machine = sharedMachine({ gate: (label) => s.schedule(Promise.resolve(), label).then(() => undefined), moves: [], hasSession: true });
        const calls = Array.from({ length: processes }, () => resultOf(machine.start(), false));
        const results = await s.waitFor(Promise.all(calls));
        expect(results.every(isToken)).toBe(true);
        expect([new Set(results).size, machine.requests, machine.stolen]).toEqual([1, 1, false]);
      }),
      parameters,
    );
  });

  it("never sends a spent token, and the next call works, but for the one window [B-04, RT-10]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(killAt, { minLength: 1, maxLength: 5 }), moves, async (s, kills, planned) => {
        const plan = [...planned];
        const machine = sharedMachine({ gate: (label) => s.schedule(Promise.resolve(), label).then(() => undefined), moves: plan, hasSession: true });
        const survivors = kills.map((kill) => ({ kill, call: resultOf(machine.start(kill), false) })).filter(({ kill }) => kill === undefined);
        const results = await s.waitFor(Promise.all(survivors.map(({ call }) => call)));
        await s.waitIdle();
        if (machine.windowHit) return;
        expect(machine.stolen).toBe(false);
        expect(results.filter((result) => !isToken(result) && result !== "ISSUER_UNREACHABLE")).toEqual([]);
        plan.length = 0;
        expect(isToken(await nextCall(machine, s))).toBe(true);
        expect(machine.stolen).toBe(false);
      }),
      parameters,
    );
  });

  it("asks an issuer that is down once for all who wait, not once for each", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (s) => {
        const gate = (label: string) => s.schedule(Promise.resolve(), label).then(() => undefined);
        const machine = sharedMachine({ gate, moves: Array.from({ length: 9 }, () => "is down" as const), hasSession: true });
        const calls = Array.from({ length: 5 }, () => resultOf(machine.start(), false));
        const results = await s.waitFor(Promise.all(calls));
        expect(new Set(results)).toEqual(new Set(["ISSUER_UNREACHABLE"]));
        // A call that starts when the first has failed asks for itself; one that waited, or was about to, does not.
        expect(machine.requests + machine.waited).toBeLessThanOrEqual(5);
        expect(JSON.parse([...machine.items.values()][0] ?? "{}")).toMatchObject({ refreshToken: "refresh-0" });
      }),
      parameters,
    );
  });
});

describe("any schedule of several first calls", () => {
  it("opens one window, and all get its token", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 5 }), async (s, processes) => {
        const machine = sharedMachine({ gate: (label) => s.schedule(Promise.resolve(), label).then(() => undefined), moves: [], hasSession: false });
        const calls = Array.from({ length: processes }, () => resultOf(machine.start(), true));
        const results = await s.waitFor(Promise.all(calls));
        expect(results.every(isToken)).toBe(true);
        expect([new Set(results).size, machine.windows]).toEqual([1, 1]);
      }),
      parameters,
    );
  });

  it("opens one window also when nobody logs in: the others end as it did, or are told to wait", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 5 }), async (s, processes) => {
        const gate = (label: string) => s.schedule(Promise.resolve(), label).then(() => undefined);
        const machine = sharedMachine({ gate, moves: [], hasSession: false, deniesLogin: true });
        const calls = Array.from({ length: processes }, () => resultOf(machine.start(), true));
        const results = await s.waitFor(Promise.all(calls));
        expect(results.filter((result) => result !== "LOGIN_DENIED" && result !== "LOGIN_PAUSED")).toEqual([]);
        expect(results).toContain("LOGIN_DENIED");
        expect(machine.windows).toBe(1);
      }),
      parameters,
    );
  });
});
