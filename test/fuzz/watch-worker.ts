import { Worker } from "node:worker_threads";
import { inputsOf } from "./inputs.ts";
import { longestRun } from "./judge.ts";
import type { Finished } from "./run-target.ts";
import type { Target } from "./target.ts";
import type { Work } from "./worker.ts";

/** Milliseconds without a new input after which one is said to hang: three tries, and its minimising. */
const longestSilence = 12 * longestRun;
/** Of the JavaScript heap; what needs more is a fault. */
const mostMegabytes = 512;

/** Runs a target in a worker, so that an endless loop, a crash or a full heap is a finding and not the end of the ring. */
export function watchWorker(file: string, target: Pick<Target, "name" | "kind" | "seeds">, plan: Omit<Work, "name" | "progress">): Promise<Finished> {
  return new Promise((resolve) => {
    const progress = new SharedArrayBuffer(4);
    const current = new Int32Array(progress);
    Atomics.store(current, 0, plan.from);
    const worker = new Worker(file, { workerData: { ...plan, name: target.name, progress }, resourceLimits: { maxOldGenerationSizeMb: mostMegabytes } });
    let seen = { index: -1, since: Date.now() };
    const watch = setInterval(() => {
      const index = Atomics.load(current, 0);
      if (index !== seen.index) seen = { index, since: Date.now() };
      else if (Date.now() - seen.since > longestSilence) end("hangs");
    }, 200);
    const settle = (finished: Finished) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(finished);
    };
    const end = (fault: string) => {
      const index = Atomics.load(current, 0);
      settle({ inputs: index + 1 - plan.from, failure: { index, fault, input: inputsOf(target, plan.seed)(index).bytes } });
    };
    worker.on("message", (finished: Finished) => settle(withBuffer(finished)));
    worker.on("error", (error: unknown) => end(`uncaught: ${error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : typeof error}`));
    worker.on("exit", (status) => end(`the worker ended with ${status}`));
  });
}

/** A Buffer comes through as plain bytes. */
const withBuffer = ({ inputs, failure }: Finished): Finished => ({ inputs, failure: failure === undefined ? undefined : { ...failure, input: Buffer.from(failure.input) } });
