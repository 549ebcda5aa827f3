import { orderOf } from "../interleaved.ts";
import { join } from "node:path";
import { type Issuer, startIssuer } from "../parts/issuer.ts";
import type { Kubelogin } from "../parts/kubelogin.ts";
import { isMissing, type Missing, outcomeWithout } from "../parts/missing.ts";
import { mustRun, npmForm, type Stage, standaloneForm } from "../parts/stage.ts";
import { milliseconds, type Outcome, type Row, type RowPlan } from "../rows.ts";
import { median, pairedRatios } from "../statistics.ts";
import { expire, ours, type StormCandidate, theirs, warm } from "./candidates.ts";
import { crowd } from "./crowd.ts";
import { type MemoryWatch, watchMemory } from "./memory.ts";
import { type StormPlan, stormPlans } from "./plans.ts";
import { stormHeader, stormLine } from "./table.ts";
import { buildWithoutLock } from "./without-lock.ts";

/** All calls of one candidate at once. */
export interface Storm {
  readonly wall: number;
  readonly times: readonly number[];
  readonly peak: number | undefined;
  readonly requests: number;
  readonly refreshes: number;
  readonly failures: readonly { readonly status: number | null; readonly stderr: string }[];
  readonly tokens: ReadonlySet<string | undefined>;
}

interface Storms {
  readonly hits: Storm[];
  readonly misses: Storm[];
}

/**
 * Many calls at once with one session: all find a good token (hits), or all find an expired one and a refresh token (misses). Against as many
 * empty scripts, the program with its lock removed, and kubelogin. `lines` is a table of its own, with what the rows leave out.
 */
export async function measureStorm(
  stage: Stage,
  plans: readonly RowPlan[],
  kubelogin: () => Kubelogin | Missing,
  { count, rounds }: { readonly count: number; readonly rounds: number },
) {
  const variant = buildWithoutLock(stage.root);
  const issuer = await startIssuer({ rotates: false });
  const memory = watchMemory(join(stage.root, "test/bench/storm/memory-watch.mjs"));
  try {
    const withoutLock = [stage.running.file, variant.program];
    const npm = ours("npm", "npm program", npmForm(stage).command, issuer, stage.home("storm-npm"));
    const candidates = [npm, ours("without-lock", "without the lock", withoutLock, issuer, stage.home("storm-without-lock"))];
    const executable = standaloneForm(stage);
    if (executable !== undefined) candidates.splice(1, 0, ours("standalone", "standalone", executable.command, issuer, stage.home("storm-standalone")));
    const other = kubelogin();
    if (!isMissing(other)) candidates.push(theirs(other, issuer, stage.home("storm-kubelogin")));
    for (const { login, env } of candidates) await mustRun(stage, login, env);
    const empty = emptyScripts(stage);
    const storms = await allRounds(stage, candidates, empty, memory, { count, rounds });
    const rotating: { readonly line: string; readonly fault: string | undefined }[] = [];
    for (const [id, name, command] of [
      ["npm", "npm program", npmForm(stage).command],
      ["without-lock", "without the lock", withoutLock],
    ] as const)
      rotating.push(await atRotatingIssuer(stage, { id, name, command }, memory, count));
    const missing: Readonly<Record<string, Missing | undefined>> = {
      standalone: isMissing(stage.standalone) ? stage.standalone : undefined,
      kubelogin: isMissing(other) ? other : undefined,
    };
    const rows: readonly Row[] = stormPlans(count)
      .filter(({ id }) => plans.some((one) => one.id === id))
      .map((plan) => ({
        ...plan,
        outcome: stormOutcome(plan, storms.get(plan.candidate), missing[plan.candidate], count, plan.candidate === "npm" ? rotating[0]?.fault : undefined),
      }));
    return { rows, lines: [...linesOf([empty, ...candidates], storms), ...rotating.map(({ line }) => line)] };
  } finally {
    variant.remove();
    issuer.stop();
    memory.stop();
  }
}

const emptyScripts = (stage: Stage): StormCandidate => {
  const command = [stage.running.file, stage.empty];
  return { id: "empty", name: "an empty script", env: stage.home("storm-empty"), issuer: undefined, login: command, command, renew: command };
};

async function allRounds(
  stage: Stage,
  candidates: readonly StormCandidate[],
  empty: StormCandidate,
  memory: MemoryWatch,
  { count, rounds }: { readonly count: number; readonly rounds: number },
): Promise<ReadonlyMap<string, Storms>> {
  const storms = new Map([empty, ...candidates].map(({ id }): [string, Storms] => [id, { hits: [], misses: [] }]));
  stage.tell(`${rounds} rounds of ${count} calls at once, of ${candidates.length} programs`);
  for (let round = 0; round < rounds; round++) {
    const order = orderOf(candidates, round);
    storms.get(empty.id)?.hits.push(await oneStorm(empty, memory, count));
    await warm(stage, order);
    for (const candidate of order) storms.get(candidate.id)?.hits.push(await oneStorm(candidate, memory, count));
    await expire(stage, order);
    for (const candidate of order) storms.get(candidate.id)?.misses.push(await oneStorm(candidate, memory, count));
  }
  return storms;
}

async function oneStorm({ command, env, issuer }: StormCandidate, memory: MemoryWatch, count: number): Promise<Storm> {
  const before = issuer?.requests.length ?? 0;
  const { wall, calls } = await crowd(command, { env, count, atStart: memory.start });
  const requests = issuer?.requests.slice(before) ?? [];
  return {
    wall,
    times: calls.map(({ ms }) => ms),
    peak: await memory.peak(),
    requests: requests.length,
    refreshes: requests.filter(({ grant }) => grant === "refresh_token").length,
    failures: calls.filter(({ status }) => status !== 0),
    tokens: new Set(calls.map(({ token }) => token)),
  };
}

/** What went wrong in a storm; undefined when nothing did. */
function faultOf({ failures, tokens }: Storm, count: number): string | undefined {
  const [first] = failures;
  if (first !== undefined) return `${failures.length} of ${count} failed, the first with exit status ${first.status}: ${first.stderr.trim()}`;
  return tokens.size === 1 && !tokens.has(undefined) ? undefined : `${tokens.size} different tokens were handed out`;
}

export function stormOutcome(plan: StormPlan, storms: Storms | undefined, missing: Missing | undefined, count: number, otherFault?: string): Outcome {
  if (missing !== undefined) return outcomeWithout(missing);
  const { hits = [], misses = [] } = storms ?? {};
  if (hits.length === 0) return { kind: "failed", why: "it was not measured" };
  // An empty script hands out nothing, and another program's failures are its own.
  const fault = ["npm", "standalone"].includes(plan.candidate)
    ? ([...hits, ...misses].map((one) => faultOf(one, count)).find((found) => found !== undefined) ?? otherFault)
    : undefined;
  if (fault !== undefined) return { kind: "failed", why: fault };
  const [hit, miss] = [hits, misses].map((all) => all.map(({ wall }) => wall));
  switch (plan.figure) {
    case "hits":
      return { kind: "measured", value: median(hit ?? []), from: "", rounds: hits.length };
    case "misses":
      return {
        kind: "measured",
        value: median(pairedRatios(miss ?? [], hit ?? [])),
        from: `${milliseconds(median(miss ?? []))} / ${milliseconds(median(hit ?? []))}`,
        rounds: hits.length,
      };
    case "refreshes":
      return { kind: "measured", value: Math.max(...misses.map(({ refreshes }) => refreshes)), from: "", rounds: misses.length };
  }
}

function linesOf(candidates: readonly StormCandidate[], storms: ReadonlyMap<string, Storms>): readonly string[] {
  const base = storms.get("empty")?.hits ?? [];
  return [
    stormHeader(),
    ...(["hits", "misses"] as const).flatMap((kind) =>
      candidates.filter(({ id }) => storms.get(id)?.[kind].length).map(({ id, name }) => stormLine(id === "empty" ? "" : kind, name, storms.get(id)?.[kind] ?? [], base)),
    ),
  ];
}

/** Misses, once, where a refresh token counts once: what the lock is for. */
async function atRotatingIssuer(stage: Stage, who: { readonly id: string; readonly name: string; readonly command: readonly string[] }, memory: MemoryWatch, count: number) {
  const issuer: Issuer = await startIssuer();
  try {
    const candidate = ours(who.id, who.name, who.command, issuer, stage.home(`rotating-${who.id}`));
    await mustRun(stage, candidate.login, candidate.env);
    await warm(stage, [candidate]);
    await expire(stage, [candidate]);
    const result = await oneStorm(candidate, memory, count);
    // Exit status 0 alone says little: a token that is still good may be handed out after the session is lost.
    const { calls } = await crowd(candidate.renew, { env: candidate.env, count: 1, atStart: () => undefined });
    const lives = calls[0]?.status === 0 && !result.tokens.has(calls[0].token);
    const fault = faultOf(result, count) ?? (lives ? undefined : "the session at a rotating issuer is lost");
    const line = `rotating issuer, ${who.name}: ${result.failures.length} of ${count} failed, ${result.refreshes} refresh request(s), the session ${lives ? "lives" : "is lost"}`;
    return { line, fault };
  } finally {
    issuer.stop();
  }
}
