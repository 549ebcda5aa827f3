import { parentPort, workerData } from "node:worker_threads";
import { runTarget } from "./run-target.ts";
import type { Target } from "./target.ts";
import { targets } from "./targets/all.ts";

/** What one worker is to do. `progress`: the index that runs now, for whoever watches. */
export interface Work {
  readonly name: string;
  readonly seed: number;
  readonly from: number;
  readonly untilMs: number;
  readonly most?: number;
  readonly progress: SharedArrayBuffer;
}

/** Targets that a test plants, beside the real ones. */
export async function work(all: readonly Target[]): Promise<void> {
  const { name, progress, ...plan } = workerData as Work;
  const target = all.find((one) => one.name === name);
  if (target === undefined) throw new Error(`there is no target ${name}`);
  const now = new Int32Array(progress);
  parentPort?.postMessage(await runTarget(target, plan, (index) => Atomics.store(now, 0, index)));
}

if (workerData !== null && typeof workerData === "object" && "progress" in workerData) await work(targets);
