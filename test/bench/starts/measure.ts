import { interleaved, type Sample, type Samples } from "../interleaved.ts";
import type { Issuer } from "../parts/issuer.ts";
import { isMissing, type Missing, outcomeWithout } from "../parts/missing.ts";
import { mustRun, type Stage } from "../parts/stage.ts";
import { milliseconds, type Outcome, type Row } from "../rows.ts";
import { elapsed } from "../starter.ts";
import { median, medianBounds, pairedRatios, quartiles } from "../statistics.ts";
import { type Candidate, tokenOf } from "./candidates.ts";
import type { StartPlan } from "./plans.ts";

/** What one candidate cost by itself: for pictures. Medians. */
export interface ProcessFigure {
  readonly id: string;
  readonly name: string;
  readonly kind: Candidate["kind"];
  readonly ms: number;
  readonly quartiles: readonly [number, number];
  readonly mib: number | undefined;
}

/** How many rounds; `until` measures on, batch by batch, while a row is too near to its limit to say. */
export type Effort = { readonly rounds: number } | { readonly batch: number; readonly most: number };

export interface Measured {
  readonly rows: readonly Row[];
  readonly processes: readonly ProcessFigure[];
}

/** All candidates of these rows in the same rounds. */
export async function measureStarts(
  stage: Stage,
  plans: readonly StartPlan[],
  make: (id: string) => Promise<Candidate | Missing>,
  issuer: Issuer,
  effort: Effort,
): Promise<Measured> {
  const made = new Map<string, Candidate | Missing>();
  // A base beside what is held against it.
  for (const id of plans.flatMap(({ of, to }) => [to, of])) if (!made.has(id)) made.set(id, await make(id));
  const candidates = [...made.values()].filter((one): one is Candidate => !isMissing(one));
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  for (const { answers, args, env } of candidates) {
    const { output } = await mustRun(stage, args, env);
    if (answers) tokenOf(output);
  }
  const run = async (id: string): Promise<Sample> => {
    const candidate = byId.get(id);
    if (candidate === undefined) throw new Error(`no candidate ${id}`);
    const ran = await mustRun(stage, candidate.args, candidate.env);
    return { ms: elapsed(ran), cpu: ran.cpu, kib: ran.kib };
  };
  const before = issuer.requests.length;
  const samples = await takeRounds([...byId.keys()], plans, run, effort, stage.tell);
  if (issuer.requests.length !== before) throw new Error("a call that should have found its token in the cache asked the issuer");
  return {
    rows: plans.map((plan) => ({ ...plan, outcome: outcomeOf(plan, made, samples) })),
    processes: candidates.map(({ id, name, kind }) => figureOf({ id, name, kind }, samples.get(id) ?? [])),
  };
}

async function takeRounds(ids: readonly string[], plans: readonly StartPlan[], run: (id: string) => Promise<Sample>, effort: Effort, tell: Stage["tell"]): Promise<Samples> {
  if ("rounds" in effort) {
    tell(`${effort.rounds} rounds of ${ids.length} programs`);
    return interleaved(ids, effort.rounds, run);
  }
  let samples: Samples = new Map();
  for (let done = 0; done < effort.most; done += effort.batch) {
    samples = await interleaved(ids, effort.batch, run, samples);
    const open = plans.filter((plan) => !isDecided(plan, samples)).map(({ id }) => id);
    if (open.length === 0) break;
    tell(`${done + effort.batch} rounds: ${open.join(", ")} near to the limit`);
  }
  return samples;
}

/** The true median lies on one side of the limit, whatever chance did. */
export function isDecided(plan: StartPlan, samples: Samples): boolean {
  const { limit } = plan;
  const series = seriesOf(plan, samples);
  if (series.length === 0 || limit === undefined) return true;
  const bounds = series.map(({ values }) => medianBounds(values));
  return bounds.some(([, most]) => most <= limit) || bounds.every(([least]) => least > limit);
}

interface Series {
  readonly own: readonly number[];
  readonly base: readonly number[];
  /** The ratio of each round. */
  readonly values: readonly number[];
  readonly show: (value: number) => string;
}

/** What a row's number may be taken from. */
function seriesOf({ of, to, figure }: StartPlan, samples: Samples): readonly Series[] {
  const [ofSamples = [], toSamples = []] = [samples.get(of), samples.get(to)];
  const by = (pick: (sample: Sample) => number | undefined, show: Series["show"]): Series => {
    const [own, base] = [ofSamples, toSamples].map((all) => all.map((sample) => pick(sample) ?? Number.NaN)) as [number[], number[]];
    return { own, base, values: pairedRatios(own, base), show };
  };
  if (ofSamples.length === 0 || toSamples.length === 0) return [];
  if (figure === "memory")
    return [
      by(
        ({ kib }) => kib,
        (kib) => `${(kib / 1024).toFixed(1)} MiB`,
      ),
    ];
  const wall = by(({ ms }) => ms, milliseconds);
  const cpu = by(
    ({ cpu: ms }) => ms,
    (ms) => `${milliseconds(ms)} cpu`,
  );
  return figure === "steady" && !cpu.values.some(Number.isNaN) ? [wall, cpu] : [wall];
}

/** `made` tells which of them are missing. */
export function outcomeOf(plan: StartPlan, made: ReadonlyMap<string, object>, samples: Samples): Outcome {
  for (const id of [plan.of, plan.to]) {
    const part = made.get(id);
    if (isMissing(part)) return outcomeWithout(part);
  }
  const [first, ...others] = seriesOf(plan, samples);
  if (first === undefined) return { kind: "failed", why: "it was not measured" };
  if (first.values.some(Number.isNaN)) return { kind: "skipped", why: "the memory of one child can be told with Python 3.9 or newer" };
  const best = others.reduce((one, other) => (median(other.values) < median(one.values) ? other : one), first);
  return { kind: "measured", value: median(best.values), from: `${best.show(median(best.own))} / ${best.show(median(best.base))}`, rounds: best.values.length };
}

function figureOf(who: Pick<ProcessFigure, "id" | "name" | "kind">, samples: readonly Sample[]): ProcessFigure {
  const times = samples.map(({ ms }) => ms);
  const kib = median(samples.map((sample) => sample.kib ?? Number.NaN));
  return { ...who, ms: median(times), quartiles: quartiles(times), mib: Number.isNaN(kib) ? undefined : kib / 1024 };
}
