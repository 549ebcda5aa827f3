import { inputsOf } from "./inputs.ts";
import { judge, longestRun } from "./judge.ts";
import { minimise } from "./minimise.ts";
import type { Mutated } from "./mutate-bytes.ts";
import type { Subject, Target } from "./target.ts";

/** One input that fails. */
export interface Failure {
  readonly index: number;
  readonly fault: string;
  readonly input: Buffer;
}

export interface Finished {
  readonly inputs: number;
  readonly failure: Failure | undefined;
}

/** Milliseconds for making a failing input smaller. */
const minimising = 5_000;

/**
 * Runs inputs from `from` on until the time is over, or one fails; that one is made smaller. `on` is told each index before it is run: who
 * watches can name the one that never ends.
 */
export async function runTarget(
  target: Target,
  plan: { readonly seed: number; readonly from: number; readonly untilMs: number; readonly most?: number },
  on: (index: number) => void,
): Promise<Finished> {
  const inputAt = inputsOf(target, plan.seed);
  const subject = await target.start();
  let index = plan.from;
  try {
    // The seeds always, however slow the machine is.
    for (; index < target.seeds.length || (Date.now() < plan.untilMs && index - plan.from < (plan.most ?? Number.POSITIVE_INFINITY)); index++) {
      on(index);
      const input = inputAt(index);
      const fault = await faultOf(target, subject, input);
      if (fault === undefined) continue;
      const until = Date.now() + minimising;
      const smaller = await minimise(input.bytes, async (bytes) => (await faultOf(target, subject, { ...input, bytes })) === fault, until);
      return { inputs: index + 1 - plan.from, failure: { index, fault, input: smaller } };
    }
    return { inputs: index - plan.from, failure: undefined };
  } finally {
    await subject.stop?.();
  }
}

/** Slow is what is slow three times: once may be the machine. */
export async function faultOf(target: Pick<Target, "secrets">, subject: Subject, input: Mutated): Promise<string | undefined> {
  for (let tries = 0; tries < 3; tries++) {
    const started = performance.now();
    const fault = await judge(target, subject, input);
    if (fault !== undefined) return fault;
    if (performance.now() - started < longestRun) return undefined;
  }
  return `takes longer than ${longestRun} ms`;
}
