import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { now } from "./clock.ts";

export interface Command {
  /** The first is an absolute path. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** One run of a program, from before its start until it was reaped and its output read. */
export interface Ran {
  /** Of the clock that `process.hrtime` shows. Milliseconds. */
  readonly started: number;
  readonly ended: number;
  readonly status: number;
  /** Processor time of all its threads, in milliseconds; undefined where that cannot be told for one child. */
  readonly cpu: number | undefined;
  /** Its largest resident set in KiB; undefined where that cannot be told for one child. */
  readonly kib: number | undefined;
  /** stdout and stderr. */
  readonly output: string;
}

export interface Starter {
  /** How it measures, for the table. */
  readonly about: string;
  /** Rejects when the program cannot be started. */
  run(command: Command): Promise<Ran>;
  stop(): void;
}

export const elapsed = ({ started, ended }: Ran) => ended - started;

/** By Python where there is one (3.9 or newer), else by Node, which adds some 0.6 ms to each run and cannot tell its memory. */
export async function openStarter(script: string): Promise<Starter> {
  return (await pythonStarter(script)) ?? nodeStarter();
}

async function pythonStarter(script: string): Promise<Starter | undefined> {
  const child = spawn("python3", ["-S", "-E", script], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hello = await Promise.race([lines.next(), once(child, "error").then(() => undefined)]);
  if (hello === undefined || hello.done === true) return undefined;
  const { python } = JSON.parse(hello.value);
  return {
    about: `posix_spawn to wait4, by Python ${python}`,
    async run(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const { value } = await lines.next();
      const { error, started, ended, cpu, ...rest } = JSON.parse(value);
      if (error !== undefined) throw new Error(`${command.args[0]} cannot be started: ${error}`);
      return { ...rest, started: started / 1e6, ended: ended / 1e6, cpu: cpu * 1000 };
    },
    stop: () => child.stdin.end(),
  };
}

export function nodeStarter(): Starter {
  return {
    about: `spawn to close, by Node ${process.versions.node}`,
    run({ args: [file = "", ...args], env }) {
      return new Promise((done, reject) => {
        const started = now();
        const child: ChildProcess = spawn(file, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
        let output = "";
        const keep = (chunk: string) => {
          output += chunk;
        };
        child.stdout?.setEncoding("utf8").on("data", keep);
        child.stderr?.setEncoding("utf8").on("data", keep);
        child.once("error", reject);
        child.once("close", (status) => done({ started, ended: now(), status: status ?? -1, cpu: undefined, kib: undefined, output }));
      });
    },
    stop: () => undefined,
  };
}
