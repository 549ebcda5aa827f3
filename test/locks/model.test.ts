import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Kind, kinds } from "./kinds.ts";
import { type Worker, type Workplace, workplace } from "./processes.ts";

/** Schedules per kind. */
const runs = Math.ceil(Number(process.env["LOCK_ROUNDS"] ?? 1_500) / 50);
const crew = [0, 1, 2] as const;
const patience = 30_000;

let place: Workplace;
beforeAll(async () => {
  place = await workplace();
});
afterAll(() => place.end());

/** What must be true: at most one holder, and whoever waits gets it when it is free. */
interface Model {
  holder: number | undefined;
  readonly waiting: Set<number>;
  readonly frozen: Set<number>;
}

/** The processes. Each schedule has a lock of its own. */
interface Real {
  readonly lock: string;
  readonly workers: Worker[];
  readonly waits: Map<number, Promise<boolean>>;
  /** A new process in the place of one that was killed. */
  readonly hire: () => Promise<Worker>;
}

type Command = fc.AsyncCommand<Model, Real>;

const isIdle = (model: Readonly<Model>, who: number) => !model.waiting.has(who) && !model.frozen.has(who);
const workerOf = (real: Real, who: number): Worker => real.workers[who] ?? expect.fail(`no worker ${who}`);

/** After the lock became free: one of those who wait has it, and nobody else. */
async function passOn(model: Model, real: Real): Promise<void> {
  const awake = [...model.waiting].filter((who) => !model.frozen.has(who));
  if (model.holder !== undefined || awake.length === 0) return;
  const next = await Promise.race(awake.map(async (who) => ((await real.waits.get(who)) === true ? who : expect.fail(`${who} gave up`))));
  model.holder = next;
  model.waiting.delete(next);
  real.waits.delete(next);
}

const tryTake = (who: number): Command => ({
  check: (model) => isIdle(model, who),
  async run(model, real) {
    expect(await workerOf(real, who).tryTake(real.lock)).toBe(model.holder === undefined);
    model.holder ??= who;
  },
  toString: () => `${who} tries`,
});

const wait = (who: number): Command => ({
  check: (model) => isIdle(model, who) && model.holder !== who,
  async run(model, real) {
    real.waits.set(who, workerOf(real, who).take(real.lock, patience));
    model.waiting.add(who);
    await passOn(model, real);
  },
  toString: () => `${who} waits`,
});

const release = (who: number): Command => ({
  check: (model) => isIdle(model, who) && model.holder === who,
  async run(model, real) {
    expect(await workerOf(real, who).release(real.lock)).toBe(true);
    model.holder = undefined;
    await passOn(model, real);
  },
  toString: () => `${who} releases`,
});

const kill = (who: number): Command => ({
  check: () => true,
  async run(model, real) {
    await workerOf(real, who).kill();
    model.waiting.delete(who);
    model.frozen.delete(who);
    real.waits.delete(who);
    if (model.holder === who) model.holder = undefined;
    const hired = real.hire();
    await passOn(model, real);
    real.workers[who] = await hired;
  },
  toString: () => `${who} is killed`,
});

/** Never a waiting one: the lock may be passed to it although it cannot say so. */
const freeze = (who: number): Command => ({
  check: (model) => isIdle(model, who),
  async run(model, real) {
    workerOf(real, who).signal("SIGSTOP");
    model.frozen.add(who);
  },
  toString: () => `${who} is frozen`,
});

const thaw = (who: number): Command => ({
  check: (model) => model.frozen.has(who),
  async run(model, real) {
    workerOf(real, who).signal("SIGCONT");
    model.frozen.delete(who);
  },
  toString: () => `${who} goes on`,
});

/** Everybody back to work without a lock, for the next schedule. */
async function tidy(model: Model, real: Real): Promise<void> {
  for (const who of crew) {
    if (!model.waiting.has(who) && !model.frozen.has(who)) await workerOf(real, who).release(real.lock);
    else {
      await workerOf(real, who).kill();
      real.workers[who] = await real.hire();
    }
  }
}

const schedules = fc.commands(
  [tryTake, wait, release, kill, freeze, thaw].map((make) => fc.constantFrom(...crew).map(make)),
  { size: "+1", maxCommands: 30 },
);

it.each(kinds)("any schedule of three processes that take, wait, release, freeze, and are killed goes as the model says (%s)", { timeout: 300_000 }, async (kind: Kind) => {
  const store = place.store("model");
  const hire = () => place.serve(kind, store);
  const workers = await Promise.all(crew.map(hire));
  let schedule = 0;
  await fc.assert(
    fc.asyncProperty(schedules, async (commands) => {
      const model: Model = { holder: undefined, waiting: new Set(), frozen: new Set() };
      const real: Real = { lock: `refresh-${schedule++}`, workers, waits: new Map(), hire };
      try {
        await fc.asyncModelRun(() => ({ model, real }), commands);
      } finally {
        await tidy(model, real);
      }
    }),
    { numRuns: runs, endOnFailure: false },
  );
});
