import { spawn, spawnSync } from "node:child_process";

export const rounds = Number(process.env.BENCH_ROUNDS ?? 201);

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function timed(args, env) {
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
  return Number(process.hrtime.bigint() - started) / 1e6;
}

/** Each round runs every candidate once, in turned order; the ratio to the first one is the median of the rounds' ratios. */
export function paired(candidates, env) {
  const times = candidates.map(() => []);
  for (const { args } of candidates) timed(args, env);
  for (let round = 0; round < rounds; round++) {
    const order = candidates.map((_, i) => (i + round) % candidates.length);
    for (const i of order) times[i].push(timed(candidates[i].args, env));
  }
  return candidates.map((_, i) => ({ median: median(times[i]), ratio: median(times[i].map((ms, round) => ms / times[0][round])) }));
}

/** Runs a command while the issuer of this very process answers. Milliseconds; rejects with its stderr when it fails. */
export function call([file, ...args], env) {
  return new Promise((done, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(file, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
    let stderr = "";
    child.stdout.resume();
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (status) => (status === 0 ? done(Number(process.hrtime.bigint() - started) / 1e6) : reject(new Error(stderr))));
  });
}
