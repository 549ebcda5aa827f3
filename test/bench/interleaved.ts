/** One run of one candidate: milliseconds from start to end and of processor time, and KiB. The last two can be told of a child by Python only. */
export interface Sample {
  readonly ms: number;
  readonly cpu: number | undefined;
  readonly kib: number | undefined;
}

/** The runs of each candidate; those of one index are of one round. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/**
 * Each round runs every candidate once, so that a machine that drifts does so for all of them; in turned order, every other round backwards, so that
 * nobody always runs first or after the same one (what a process leaves in the processor's caches is worth a tenth of a short one's time). The first run of each is not
 * counted when there are no `earlier` ones, to which the new ones are added.
 */
export async function interleaved(names: readonly string[], rounds: number, run: (name: string) => Promise<Sample>, earlier: Samples = new Map()): Promise<Samples> {
  const samples = new Map(names.map((name) => [name, [...(earlier.get(name) ?? [])]]));
  const done = earlier.size === 0 ? 0 : (samples.get(names[0] ?? "")?.length ?? 0);
  if (done === 0) for (const name of names) await run(name);
  for (let round = done; round < done + rounds; round++) {
    for (const name of orderOf(names, round)) samples.get(name)?.push(await run(name));
  }
  return samples;
}

/** Of one round. */
export function orderOf<T>(names: readonly T[], round: number): readonly T[] {
  const at = Math.floor(round / 2) % Math.max(1, names.length);
  const turned = [...names.slice(at), ...names.slice(0, at)];
  return round % 2 === 0 ? turned : turned.reverse();
}
