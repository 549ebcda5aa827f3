import { randomInt } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Kind, kinds } from "./kinds.ts";
import { type Workplace, workplace } from "./processes.ts";
import { randomFrom } from "../random.ts";

/** Per kind. LOCK_ROUNDS=100000 for a night. */
const rounds = Number(process.env["LOCK_ROUNDS"] ?? 1_500);
/** Rounds between two kills, at random up to this: starting a process costs more than many rounds. */
const mostBetweenKills = 25;
const seed = Number(process.env["LOCK_SEED"] ?? randomInt(2 ** 31));
const workers = 6;
const second = 1_000_000_000n;

let place: Workplace;
beforeAll(async () => {
  place = await workplace();
});
afterAll(() => place.end());

interface Entry {
  readonly event: string;
  readonly id: number;
  readonly at: bigint;
}

const entriesOf = (log: string): readonly Entry[] =>
  readFileSync(log, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [event = "", id = "", at = "0"] = line.split(" ");
      return { event, id: Number(id), at: BigInt(at) };
    });

/** How long, between two times, the machine let even this process wait for a processor: a timer's delays. That is not the lock's doing. Nanoseconds. */
function metronome(): { readonly stalled: (from: bigint, to: bigint) => bigint; readonly end: () => void } {
  const periodMs = 20;
  const period = BigInt(periodMs) * 1_000_000n;
  const ticks: bigint[] = [];
  const timer = setInterval(() => ticks.push(process.hrtime.bigint()), periodMs);
  const stalled = (from: bigint, to: bigint) => {
    let sum = 0n;
    for (const [index, tick] of ticks.entries()) {
      const since = ticks[index - 1] ?? tick;
      const [begin, end] = [since > from ? since : from, tick < to ? tick : to];
      if (end - begin > period) sum += end - begin - period;
    }
    return sum;
  };
  return { stalled, end: () => clearInterval(timer) };
}

/** Processes take the lock in turn while others of them are killed and replaced, until so many were inside. */
async function storm(kind: Kind, store: string): Promise<ReadonlyMap<number, bigint>> {
  const random = randomFrom(seed);
  const log = join(store, "log");
  const alive = new Map<number, { readonly kill: () => void }>();
  const killed = new Map<number, bigint>();
  let lastId = 0;
  const start = () => {
    const id = ++lastId;
    const child = place.loop(kind, store, id, Math.floor(random() * 2 ** 31));
    alive.set(id, { kill: () => child.kill("SIGKILL") });
  };
  while (alive.size < workers) start();
  for (let next = 0; ; ) {
    await sleep(random() * 12);
    const entries = existsSync(log) ? entriesOf(log) : [];
    if (entries.length >= rounds * 2 || entries.some(({ event }) => event === "violation" || event === "timeout")) break;
    if (entries.length < next) continue;
    next = entries.length + 2 * Math.floor(random() * mostBetweenKills);
    const last = entries.at(-1);
    // The one inside when there is one: that is the kill that counts.
    const [anybody = 0] = [...alive.keys()].slice(Math.floor(random() * alive.size));
    const victim = last?.event === "enter" && alive.has(last.id) ? last.id : anybody;
    killed.set(victim, process.hrtime.bigint());
    alive.get(victim)?.kill();
    alive.delete(victim);
    start();
  }
  for (const { kill } of alive.values()) kill();
  return killed;
}

it.each(kinds)("thousands of rounds with kill -9 at random: never two holders, and the next one within a second (%s)", { timeout: 120_000 + rounds * 40 }, async (kind) => {
  const store = place.store("stress");
  writeFileSync(join(store, "counter"), "0".padStart(8));
  const started = performance.now();
  const machine = metronome();
  const killed = await storm(kind, store);
  machine.end();
  const entries = entriesOf(join(store, "log"));
  const context = `seed ${seed}`;
  expect(
    entries.filter(({ event }) => event === "violation" || event === "timeout"),
    context,
  ).toEqual([]);

  let killedInside = 0;
  let longest = 0n;
  let longestOfLock = 0n;
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1];
    if (entry.event === "leave") expect(before, context).toMatchObject({ event: "enter", id: entry.id });
    if (entry.event !== "enter" || before?.event !== "enter") continue;
    const killedAt = killed.get(before.id);
    // Whoever was inside and did not leave was killed, and before the next one came in.
    expect(killedAt, context).toBeDefined();
    if (killedAt === undefined) continue;
    expect(entry.at > killedAt, context).toBe(true);
    killedInside++;
    const waited = entry.at - killedAt;
    if (waited > longest) longest = waited;
    if (waited - machine.stalled(killedAt, entry.at) > longestOfLock) longestOfLock = waited - machine.stalled(killedAt, entry.at);
  }
  const count = Number(readFileSync(join(store, "counter"), "utf8"));
  const left = entries.filter(({ event }) => event === "leave").length;
  expect(count, context).toBeGreaterThanOrEqual(left);
  expect(count, context).toBeLessThanOrEqual(left + killedInside + workers);
  expect(killedInside, context).toBeGreaterThan(rounds / 400);
  expect(longestOfLock < second, `${context}: the next holder came after ${longest} ns`).toBe(true);
  const took = Math.round(performance.now() - started);
  process.stdout.write(
    `${kind}: ${context}, ${left} rounds, ${killed.size} kills (${killedInside} of the holder), longest wait for the next ${longest / 1_000_000n} ms; ${took} ms\n`,
  );
});
