import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import cleanEnvironment from "../clean-environment.ts";
import { hasProgram } from "../programs.ts";
import { crowds } from "./crowds.ts";
import type { Program } from "./home.ts";
import { keyringPrograms } from "./keyring.ts";
import { type Lane, startLane } from "./lane.ts";
import { type Options, readOptions } from "./options.ts";
import { replay } from "./replay.ts";
import { describe, isBoundRound, type Round, seededRound, type Storage, systematicRounds } from "./rounds.ts";
import { tally } from "./table.ts";

/** What the parts of one run share. */
interface Ring {
  readonly program: Program;
  readonly folder: string;
  /** Two at the same time: of sessions that are bound to no key, and of those that are. */
  readonly lanes: Lane[];
  readonly storages: readonly Storage[];
  interrupted: boolean;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Gives the exit status. */
export async function main(argv: readonly string[], program: Program): Promise<number> {
  cleanEnvironment();
  const options = readOptions(argv);
  const missing = keyringPrograms.filter((name) => !hasProgram(name));
  const storages = options.storages.filter((storage) => storage !== "keyring" || missing.length === 0);
  if (storages.length < options.storages.length) say(`skipped: keyring (needs ${missing.join(", ")})`);
  const ring: Ring = { program, folder: mkdtempSync(join(tmpdir(), "kubectl-oidc-faults-")), lanes: [], storages, interrupted: false };
  // The rounds that run are finished: their daemons and homes must not outlive us.
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      ring.interrupted = true;
    });
  }
  try {
    const open = async (isBound: boolean) => {
      const lane = await startLane(program, join(ring.folder, isBound ? "bound" : "unbound"), isBound);
      ring.lanes.push(lane);
      return lane;
    };
    const both = [await open(false), await open(true)] as const;
    if (options.replay !== undefined) return await replay(options.replay, both, say);
    return await playAll(options, ring);
  } finally {
    for (const lane of ring.lanes) await lane.stop();
    rmSync(ring.folder, { recursive: true, force: true });
  }
}

async function playAll(options: Options, ring: Ring): Promise<number> {
  const started = performance.now();
  const { storages } = ring;
  const course: Record<Storage, readonly string[]> = { disk: [], helper: [], keyring: [] };
  for (const storage of storages) course[storage] = await ring.lanes[0]!.course(storage);
  const systematic = options.systematic ? systematicRounds(course) : [];
  const seeded = options.seeds.flatMap((seed) => Array.from({ length: options.rounds }, (_, n) => seededRound(seed, n, storages[n % storages.length] ?? "disk", course)));
  say(
    `${systematic.length} systematic rounds and ${seeded.length} of seed ${options.seeds.join(", ") || "none"}; operations of one refresh: ${storages.map((name) => `${name} ${course[name].length}`).join(", ")}`,
  );
  const result = { passed: 0, failed: 0 };
  await playRounds([...systematic, ...seeded], ring, result);
  if (options.crowds && !ring.interrupted) {
    for (const { name, faults } of await crowds(ring.program, ring.folder)) {
      say(`${name}: ${faults.length === 0 ? "as one" : `BROKEN: ${faults.join("; ")}`}`);
      result[faults.length === 0 ? "passed" : "failed"]++;
    }
  }
  say(`seed ${options.seeds.join(", ") || "none"}; ${Math.round((performance.now() - started) / 1000)} s${ring.interrupted ? "; interrupted" : ""}`);
  say(`${result.passed} passed, ${result.failed} failed`);
  return ring.interrupted ? 130 : result.failed === 0 ? 0 : 1;
}

async function playRounds(rounds: readonly Round[], ring: Ring, result: { passed: number; failed: number }): Promise<void> {
  const table = tally();
  const work = async (lane: Lane, i: number) => {
    const queue = rounds.filter((round) => isBoundRound(round) === (i === 1));
    for (let round = queue.shift(); round !== undefined && !ring.interrupted; round = queue.shift()) {
      const { verdict } = await lane.play(round);
      table.add(round, verdict);
      result[verdict.result === "broken" ? "failed" : "passed"]++;
      if (verdict.result === "broken") say(`BROKEN ${describe(round)}: ${verdict.faults.join("; ")}\n       npm run test:faults -- --replay ${round.id}`);
    }
  };
  await Promise.all(ring.lanes.map(work));
  for (const line of table.lines(ring.storages)) say(line);
}
