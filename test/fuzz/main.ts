import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import cleanEnvironment from "../clean-environment.ts";
import { faultOf } from "./run-target.ts";
import type { Target } from "./target.ts";
import { targets } from "./targets/all.ts";
import { watchWorker } from "./watch-worker.ts";

/** In the gate. Seconds for all targets. */
const usual = 75;
/** In the gate: a fast machine goes no further than was gone before, so that a commit which changes nothing breaks nothing. Longer runs look for more. */
const mostInputs = 10_000;
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Gives the exit status. `worker`: the built worker; `folder`: where failing inputs are written. */
export async function main(argv: readonly string[], worker: string, folder: string): Promise<number> {
  cleanEnvironment();
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { seconds: { type: "string" }, seed: { type: "string" }, only: { type: "string", multiple: true }, replay: { type: "boolean" } },
  });
  if (values.replay === true) return replay(positionals);
  const chosen = targets.filter(({ name }) => values.only === undefined || values.only.includes(name));
  if (chosen.length === 0) throw new Error(`--only takes ${targets.map(({ name }) => name).join(", ")}`);
  const seed = Number(values.seed ?? 1);
  const lanes = Math.max(2, availableParallelism());
  const each = (Number(values.seconds ?? usual) * 1_000 * Math.min(lanes, chosen.length)) / chosen.length;
  const waiting = [...chosen];
  const failed: string[] = [];

  async function lane(): Promise<void> {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      const started = Date.now();
      const { inputs, failure } = await watchWorker(worker, target, { seed, from: 0, untilMs: started + each, ...(values.seconds === undefined ? { most: mostInputs } : {}) });
      const speed = Math.round((inputs * 1_000) / Math.max(1, Date.now() - started));
      say(
        `${target.name.padEnd(14)} ${String(inputs).padStart(8)} inputs, ${String(speed).padStart(6)} a second: ${failure === undefined ? "good" : `BROKEN at ${failure.index}: ${failure.fault}`}`,
      );
      if (failure === undefined) continue;
      failed.push(target.name);
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `${target.name}-${seed}-${failure.index}`);
      writeFileSync(file, failure.input);
      say(`  again: npm run test:fuzz -- --replay ${target.name} ${file}`);
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, chosen.length) }, lane));
  say(`seed ${seed}`);
  say(`${chosen.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

/** One input of a file, here and not in a worker, so that a debugger can look. */
async function replay([name, file]: readonly string[]): Promise<number> {
  const target: Target | undefined = targets.find((one) => one.name === name);
  if (target === undefined || file === undefined) throw new Error("--replay TARGET FILE");
  const subject = await target.start();
  try {
    const fault = await faultOf(target, subject, { bytes: readFileSync(file), moved: false });
    say(fault === undefined ? "good" : `BROKEN: ${fault}`);
    say(fault === undefined ? "1 passed, 0 failed" : "0 passed, 1 failed");
    return fault === undefined ? 0 : 1;
  } finally {
    await subject.stop?.();
  }
}
