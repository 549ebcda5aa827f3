import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import cleanEnvironment from "../clean-environment.ts";
import { hasProgram } from "../programs.ts";
import { crowds } from "./crowds.ts";
import type { Program } from "./home.ts";
import type { Seen } from "./judge.ts";
import { keyringPrograms } from "./keyring.ts";
import { type Lane, startLane } from "./lane.ts";
import { type Options, readOptions } from "./options.ts";
import { type Course, type Round, seededRound, type Storage, systematicRounds } from "./rounds.ts";
import { tally } from "./table.ts";

/** Rounds at the same time: each is one process with two CPUs' worth of siblings. */
const laneCount = 2;

const say = (line = "") => void process.stdout.write(`${line}\n`);

/** Gives the exit status. */
export async function main(argv: readonly string[], program: Program): Promise<number> {
  cleanEnvironment();
  const options = readOptions(argv);
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-faults-"));
  const lanes: Lane[] = [];
  const cleanUp = async () => {
    for (const lane of lanes.splice(0)) await lane.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  // Daemons and temporary homes must not outlive an interrupted run.
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => void cleanUp().then(() => process.exit(130)));
  try {
    const missing = keyringPrograms.filter((name) => !hasProgram(name));
    const storages = options.storages.filter((storage) => storage !== "keyring" || missing.length === 0);
    if (storages.length < options.storages.length) say(`without keyring: needs ${missing.join(", ")}`);
    for (let i = 0; i < laneCount; i++) lanes.push(await startLane(program, join(folder, `lane-${i}`)));
    const course = await courseOf(lanes, storages);
    if (options.replay !== undefined) return await replay(options.replay, course, lanes, storages);
    return await playAll(options, course, lanes, storages, program, folder);
  } finally {
    await cleanUp();
  }
}

async function courseOf([lane]: readonly Lane[], storages: readonly Storage[]): Promise<Course> {
  const course: Record<Storage, readonly string[]> = { disk: [], helper: [], keyring: [] };
  for (const storage of storages) course[storage] = (await lane!.operations(storage)).map((line) => line.split(" ")[1] ?? "");
  return course;
}

async function playAll(options: Options, course: Course, lanes: readonly Lane[], storages: readonly Storage[], program: Program, folder: string): Promise<number> {
  const started = performance.now();
  const systematic = options.systematic ? systematicRounds(course).filter(({ storage }) => storages.includes(storage)) : [];
  const seeded = options.seeds.flatMap((seed) => Array.from({ length: options.rounds }, (_, n) => seededRound(seed, n, course, storages)));
  say(
    `${systematic.length} systematic rounds and ${seeded.length} of seed ${options.seeds.join(", ")}; operations of one refresh: ${storages.map((name) => `${name} ${course[name].length}`).join(", ")}`,
  );
  const table = tally();
  const result = { passed: 0, failed: 0 };
  const queue = [...systematic, ...seeded];
  const work = async (lane: Lane) => {
    for (let round = queue.shift(); round !== undefined; round = queue.shift()) {
      const { verdict } = await lane.play(round);
      table.add(round, verdict);
      if (verdict.result !== "broken") result.passed++;
      else {
        result.failed++;
        say(`BROKEN ${describe(round)}: ${verdict.faults.join("; ")}\n       npm run test:faults -- --replay ${round.id}`);
      }
    }
  };
  await Promise.all(lanes.map(work));
  for (const line of table.lines(storages)) say(line);
  if (options.systematic) {
    for (const { name, faults } of await crowds(program, folder)) {
      say(`${name}: ${faults.length === 0 ? "as one" : `BROKEN: ${faults.join("; ")}`}`);
      if (faults.length === 0) result.passed++;
      else result.failed++;
    }
  }
  say(`seed ${options.seeds.join(", ")}; ${Math.round((performance.now() - started) / 1000)} s`);
  say(`${result.passed} passed, ${result.failed} failed`);
  return result.failed === 0 ? 0 : 1;
}

async function replay(id: string, course: Course, [lane]: readonly Lane[], storages: readonly Storage[]): Promise<number> {
  const [, seed, n] = /^(\d+):(\d+)$/.exec(id) ?? [];
  const round = seed === undefined ? systematicRounds(course).find((one) => one.id === id) : seededRound(Number(seed), Number(n), course, storages);
  if (round === undefined) throw new Error(`no such round: ${id}`);
  const { verdict, seen } = await lane!.play(round);
  say(describe(round));
  if (seen !== undefined) for (const line of story(seen)) say(line);
  say(verdict.result === "broken" ? `BROKEN: ${verdict.faults.join("; ")}` : verdict.result === "lost" ? `lost (${verdict.why})` : "kept");
  say(verdict.result === "broken" ? "0 passed, 1 failed" : "1 passed, 0 failed");
  return verdict.result === "broken" ? 1 : 0;
}

function story({ run, operations, asked, refreshes, next }: Seen): readonly string[] {
  const ending = ({ status, signal, ms, stderr }: Seen["run"]) => [`ended with ${status ?? signal} in ${Math.round(ms)} ms`, ...stderr.split("\n").filter(Boolean)];
  return [
    ...operations,
    `${asked} refresh requests: ${refreshes.join(", ") || "none looked at"}`,
    ...ending(run),
    ...next.flatMap((one) => [`next call: ${one.refreshes.join(", ") || "no refresh"}${one.isNewest ? ", the newest token" : ""}`, ...ending(one)]),
  ];
}

const describe = ({ id, storage, fault, grace, aged }: Round) =>
  `${id}: ${storage}, ${fault.where === "program" ? `${fault.store === undefined ? "" : `store: ${fault.store}, `}operation ${fault.at}: ` : fault.where === "issuer" ? `${fault.point}: ` : "mid-write: "}${fault.action}${grace ? ", issuer with grace" : ""}${aged ? ", cached token old" : ""}`;
