import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import type { LeaseTimes } from "../../src/adapters/lease-locks.ts";
import type { Kind } from "./kinds.ts";

/** A process that takes and releases locks when it is told to. */
export interface Worker {
  /** Its pid as we see it. */
  readonly pid: number;
  tryTake(name: string): Promise<boolean>;
  take(name: string, waitMs: number): Promise<boolean>;
  release(name: string): Promise<boolean>;
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Where workers run. */
export interface Workplace {
  readonly folder: string;
  /** An empty store. */
  store(name: string): string;
  serve(kind: Kind, store: string, how?: { readonly leaseTimes?: LeaseTimes; readonly through?: readonly string[] }): Promise<Worker>;
  loop(kind: Kind, store: string, id: number, seed: number): ChildProcess;
  /** Kills what still runs. */
  end(): void;
}

/** Bundles the worker once. */
export async function workplace(): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-locks-"));
  const program = join(folder, "worker.cjs");
  const binding = createRequire(import.meta.url).resolve("fs-native-extensions");
  await build({
    entryPoints: [resolve(import.meta.dirname, "worker.ts")],
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile: program,
    logLevel: "error",
    alias: { "fs-native-extensions": binding },
    external: [binding],
    supported: { "dynamic-import": false },
  });
  const running = new Set<ChildProcess>();

  function start(work: object, through: readonly string[], stdio: "ignore" | "pipe"): ChildProcess {
    const [command = "", ...args] = [...through, process.execPath, program, JSON.stringify(work)];
    // unshare(1) complains when its child is killed.
    const child = spawn(command, args, { stdio: [stdio, stdio, through.length > 0 ? "ignore" : "inherit"] });
    running.add(child);
    child.once("exit", () => running.delete(child));
    return child;
  }

  return {
    folder,
    store: (name) => mkdtempSync(join(folder, `${name}-`)),
    loop: (kind, store, id, seed) => start({ mode: "loop", kind, folder: store, id, seed }, [], "ignore"),
    serve: (kind, store, { leaseTimes, through = [] } = {}) =>
      served(start({ mode: "serve", kind, folder: store, id: 0, seed: 0, leaseTimes }, through, "pipe"), through.length > 0),
    end() {
      for (const child of running) killTree(child.pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function served(child: ChildProcess, isWrapped: boolean): Promise<Worker> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("no pipes");
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  const waiting = new Map<number, (value: unknown) => void>();
  createInterface({ input: stdout }).on("line", (line) => {
    const [number, value] = JSON.parse(line);
    waiting.get(number)?.(value);
    waiting.delete(number);
  });
  const answerTo = (number: number) => Promise.race([new Promise<unknown>((done) => waiting.set(number, done)), gone.then(() => Promise.reject(new Error("the worker ended")))]);
  const asked = { count: 0 };
  const ask = (line: string): Promise<boolean> => {
    const answer = answerTo(++asked.count).then((value) => value === true);
    // One that nobody awaits when its worker is killed is no fault.
    answer.catch(() => undefined);
    stdin.write(`${asked.count} ${line}\n`);
    return answer;
  };
  stdin.on("error", () => undefined);
  await answerTo(0);
  const pid = isWrapped ? (childrenOf(child.pid ?? 0)[0] ?? child.pid ?? 0) : (child.pid ?? 0);
  return {
    pid,
    tryTake: (name) => ask(`tryTake ${name}`),
    take: (name, waitMs) => ask(`take ${name} ${waitMs}`),
    release: (name) => ask(`release ${name}`),
    signal: (name) => void process.kill(pid, name),
    async kill() {
      process.kill(pid, "SIGKILL");
      await gone;
    },
  };
}

function killTree(pid: number | undefined): void {
  if (pid === undefined) return;
  for (const child of childrenOf(pid)) killTree(child);
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? readFileSync(path, "utf8").trim().split(" ").filter(Boolean).map(Number) : [];
}
