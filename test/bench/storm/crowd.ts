import { spawn } from "node:child_process";

/** One call of many. */
export interface CrowdCall {
  /** From the first start until its end. Milliseconds. */
  readonly ms: number;
  readonly status: number | null;
  /** What it handed out. */
  readonly token: string | undefined;
  readonly stderr: string;
}

export interface Crowd {
  readonly env: Readonly<Record<string, string>>;
  readonly count: number;
  readonly atStart: () => unknown;
}

/**
 * A shell that says that it is there, waits until its input ends, and becomes the command: so all calls start within a few milliseconds,
 * and starting them takes no time from the first ones.
 */
const gate = ["-c", 'echo; read -r _; exec "$@" </dev/null', "sh"];
/** Milliseconds. A lock that is never given back must not hang the bench. */
const deadline = 180_000;

/**
 * Runs `count` of the same command at once; `atStart` is called when all stand ready. `wall` is from the first start to the last end, in
 * milliseconds.
 */
export async function crowd(command: readonly string[], { env, count, atStart }: Crowd): Promise<{ readonly wall: number; readonly calls: readonly CrowdCall[] }> {
  const waiting = Array.from({ length: count }, () => standReady(command, env));
  await Promise.all(waiting.map(({ ready }) => ready));
  await atStart();
  const started = process.hrtime.bigint();
  for (const { child } of waiting) child.stdin.end();
  const ends = await Promise.all(waiting.map(({ ended }) => ended));
  const calls = ends.map(({ at, ...rest }) => ({ ...rest, ms: Number((at ?? started) - started) / 1e6 }));
  return { wall: Math.max(...calls.map(({ ms }) => ms)), calls };
}

function standReady(command: readonly string[], env: Crowd["env"]) {
  const child = spawn("/bin/sh", [...gate, ...command], { env, timeout: deadline });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      texts[name] += chunk;
    });
  }
  const ready = new Promise<unknown>((done, reject) => {
    child.stdout.once("data", done);
    child.once("error", reject);
  });
  const ended = new Promise<Omit<CrowdCall, "ms"> & { readonly at: bigint | undefined }>((done) => {
    let at: bigint | undefined;
    child.once("exit", () => {
      at = process.hrtime.bigint();
    });
    child.once("close", (status) => done({ at, status, token: tokenOf(texts.stdout), stderr: texts.stderr }));
  });
  return { child, ready, ended };
}

function tokenOf(stdout: string): string | undefined {
  try {
    return JSON.parse(stdout).status.token;
  } catch {
    return undefined;
  }
}
