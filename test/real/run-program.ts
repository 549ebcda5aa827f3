import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { secretsIn } from "../canaries.ts";

export interface Ran {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  /** What it started and still runs: process ID and command line. */
  below(): ReadonlyMap<number, string>;
  /** Everything of its group at once, as a closed terminal does. */
  kill(signal: NodeJS.Signals): void;
}

export interface ProgramCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Seconds after which it is killed with everything it started. Default 60. */
  readonly within?: number;
  readonly input?: string;
}

/**
 * Starts somebody else's program, which starts ours. `ended` rejects when a token, code or secret stood in what it printed, or when something
 * that it started still runs two seconds after its end.
 */
export function startProgram({ program, args, cwd, env, within = 60, input }: ProgramCall): RunningProgram {
  const mark = `test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const child = spawn(program, [...args], { cwd, env: { ...env, REAL_TEST_MARK: mark }, stdio: ["pipe", "pipe", "pipe"], detached: true });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  const killAll = () => kill("SIGKILL");
  process.once("exit", killAll);
  const timer = setTimeout(killAll, within * 1000);
  const closed = new Promise((resolve) => child.once("close", resolve));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    // Not at `close` alone: what outlives it may hold our pipes, and would be taken for it.
    child.once("exit", (status, signal) => {
      clearTimeout(timer);
      process.off("exit", killAll);
      outlived(mark).then(async (left) => {
        for (const pid of left.keys()) process.kill(pid, "SIGKILL");
        await closed;
        const strays = secretsIn(`${stdout}\n${stderr}`);
        if (left.size > 0) reject(new Error(`${program} left running: ${[...left.values()].join("; ")}`));
        else if (strays.length > 0) reject(new Error(`${program} ${args[0]} printed a ${strays.join(", a ")}`));
        else resolve({ status, signal, stdout, stderr });
      }, reject);
    });
  });
  return { child, ended, kill, below: () => marked(mark) };
}

export const runProgram = (call: ProgramCall): Promise<Ran> => startProgram(call).ended;

/** What has this mark in its environment two seconds from now: process ID and command line. Sooner, when nothing has. */
async function outlived(mark: string): Promise<ReadonlyMap<number, string>> {
  for (const end = Date.now() + 2_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const left = marked(mark);
    if (left.size === 0 || Date.now() > end) return left;
  }
}

/** The processes that were started by a program that was given this mark; Linux only. */
function marked(mark: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      // A zombie has neither.
      if (readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark)) found.set(pid, readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").slice(0, 200));
    } catch {
      // It has ended, or is not ours.
    }
  }
  return found;
}
