// A process of its own with our locks. `loop`: takes one lock again and again and logs when it is inside. `serve`: does what stdin says.
import { openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { kernelLocks } from "../../src/adapters/kernel-locks.ts";
import type { HeldLock, Locks } from "../../src/ports.ts";
import { type Kind, optionsOf } from "./kinds.ts";
import { randomFrom } from "../random.ts";

const never = new AbortController().signal;

interface Work {
  readonly mode: "loop" | "serve";
  readonly kind: Kind;
  readonly folder: string;
  readonly id: number;
  readonly seed: number;
  readonly leaseTimes?: { readonly leaseMs: number; readonly renewMs: number };
}

async function loop(locks: Locks, { folder, id, seed }: Work): Promise<void> {
  const log = openSync(join(folder, "log"), "a");
  const say = (event: string) => writeSync(log, `${event} ${id} ${process.hrtime.bigint()}\n`);
  const inside = join(folder, "inside");
  const counter = join(folder, "counter");
  const random = randomFrom(seed);
  for (;;) {
    const held = await locks.take("refresh-a", 60_000, never);
    if (held === undefined) return void say("timeout");
    say("enter");
    writeFileSync(inside, String(id).padStart(8));
    const count = Number(readFileSync(counter, "utf8"));
    // Mostly an instant; now and then long enough to be killed in.
    if (random() < 0.04) await sleep(random() * 25);
    for (const until = performance.now() + random(); performance.now() < until; );
    if (Number(readFileSync(inside, "utf8")) !== id || Number(readFileSync(counter, "utf8")) !== count) say("violation");
    writeInPlace(counter, String(count + 1).padStart(8));
    say("leave");
    held.release();
    await new Promise((next) => setImmediate(next));
  }
}

/** Without a moment in which the file is empty: that would be a kill's doing, not the lock's. */
function writeInPlace(path: string, text: string): void {
  writeFileSync(path, text, { flag: "r+" });
}

/** Each line is `NUMBER COMMAND NAME [WAIT]`, each answer `[NUMBER, VALUE]`; the first answer tells the pid. */
function serve(locks: Locks): void {
  const answer = (number: number, value: number | boolean): void => void process.stdout.write(`${JSON.stringify([number, value])}\n`);
  const held = new Map<string, HeldLock>();
  const keep = (name: string, lock: HeldLock | undefined) => {
    if (lock !== undefined) held.set(name, lock);
    return lock !== undefined;
  };
  createInterface({ input: process.stdin }).on("line", async (line) => {
    const [number = "", command = "", name = "", waitMs = "0"] = line.split(" ");
    if (command === "tryTake") answer(Number(number), keep(name, locks.tryTake(name)));
    else if (command === "take") answer(Number(number), keep(name, await locks.take(name, Number(waitMs), never)));
    else {
      held.get(name)?.release();
      answer(Number(number), held.delete(name));
    }
  });
  answer(0, process.pid);
}

const work: Work = JSON.parse(process.argv[2] ?? "");
kernelLocks(work.folder, optionsOf(work.kind, work.folder, work.leaseTimes)).then((locks) => (work.mode === "loop" ? loop(locks, work) : serve(locks)));
