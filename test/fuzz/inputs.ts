import { mixed, pick, randomFrom } from "../random.ts";
import { type Mutated, mostBytes, mutateBytes } from "./mutate-bytes.ts";
import { mutateJson } from "./mutate-json.ts";
import type { Target } from "./target.ts";

/** Gives the input with this number; the same for the same target, seed and number, whenever it is asked. The seeds themselves come first. */
export function inputsOf(target: Pick<Target, "kind" | "seeds">, seed: number): (index: number) => Mutated {
  const seeds = target.seeds.map((one) => Buffer.from(one));
  return (index) => {
    const own = seeds[index];
    if (own !== undefined) return { bytes: own, moved: false };
    const random = randomFrom(mixed(seed, index));
    let input: Mutated = { bytes: pick(random, seeds), moved: false };
    // Mostly one change: a parser gives up at the first thing that it does not like.
    const changes = 1 + Math.floor(random() ** 3 * 6);
    for (let i = 0; i < changes; i++) {
      const next = (target.kind === "json" && random() < 0.75 ? mutateJson(random, input.bytes.toString()) : undefined) ?? mutateBytes(random, input.bytes, seeds);
      input = { bytes: next.bytes.subarray(0, mostBytes), moved: input.moved || next.moved };
    }
    return input;
  };
}
