import type { Ended } from "./home.ts";
import type { Seen } from "./judge.ts";
import type { Lane } from "./lane.ts";
import { type Course, describe, isBoundRound, isStorage, type Round, seededRound, type Storage, systematicRounds } from "./rounds.ts";

/** Plays one round again, by the name that a run gave it, and tells what happened. Gives the exit status. */
export async function replay(id: string, [unbound, bound]: readonly [Lane, Lane], say: (line: string) => void): Promise<number> {
  const round = await roundOf(id, unbound);
  const { verdict, seen } = await (isBoundRound(round) ? bound : unbound).play(round);
  say(describe(round));
  if (seen !== undefined) for (const line of story(seen)) say(line);
  say(verdict.result === "broken" ? `BROKEN: ${verdict.faults.join("; ")}` : verdict.result === "lost" ? "lost (window)" : "kept");
  say(verdict.result === "broken" ? "0 passed, 1 failed" : "1 passed, 0 failed");
  return verdict.result === "broken" ? 1 : 0;
}

async function roundOf(id: string, lane: Lane): Promise<Round> {
  const [, storage, seed, n] = /^([a-z]+)\/(?:(\d+):(\d+))?/.exec(id) ?? [];
  if (!isStorage(storage)) throw new Error(`no such round: ${id}`);
  const course: Course = { disk: [], helper: [], keyring: [], [storage satisfies Storage]: await lane.course(storage) };
  const round = seed === undefined ? systematicRounds(course).find((one) => one.id === id) : seededRound(Number(seed), Number(n), storage, course);
  if (round === undefined) throw new Error(`no such round: ${id}`);
  return round;
}

function story({ run, operations, asked, refreshes, next }: Seen): readonly string[] {
  const ending = ({ status, signal, ms, stderr }: Ended) => [`ended with ${status ?? signal} in ${Math.round(ms)} ms`, ...stderr.split("\n").filter(Boolean)];
  return [
    ...operations,
    `${asked} refresh requests: ${refreshes.join(", ") || "none looked at"}`,
    ...ending(run),
    ...next.flatMap((one) => [`next call: ${one.refreshes.join(", ") || "no refresh"}${one.isNewest ? ", the newest token" : ""}`, ...ending(one)]),
  ];
}
