import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** No server of a test lives longer, whatever becomes of the test. Milliseconds. */
const longestLife = 30 * 60_000;

export interface ServerCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its output; more is added at a restart. */
  readonly log: string;
  /** True when it serves. Asked again and again until then. */
  ready(): Promise<boolean>;
  /** Seconds until it must be. */
  readonly within: number;
}

export interface ServerProcess {
  readonly child: ChildProcess;
  /** SIGTERM (or what is given), SIGKILL after ten seconds. Idempotent. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a server and waits until it is ready. Rejects with the end of its log when it ends before, or is not ready in time. */
export async function startServer({ program, args, cwd, env = {}, log, ready, within }: ServerCall): Promise<ServerProcess> {
  const file = openSync(log, "a", 0o600);
  // In our own process group: who ends the ring by it ends this too.
  const child = spawn(program, [...args], { cwd, env: { PATH: process.env["PATH"] ?? "", HOME: cwd, ...env }, stdio: ["ignore", file, file] });
  closeSync(file);
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  const timer = setTimeout(kill, longestLife);
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      process.off("exit", kill);
      resolve();
    };
    child.once("close", end);
    child.once("error", (error) => {
      failure = error;
      end();
    });
  });
  const server: ServerProcess = {
    child,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const late = setTimeout(kill, 10_000);
      await ended;
      clearTimeout(late);
    },
  };
  const lastWords = () => readFileSync(log, "utf8").split("\n").slice(-25).join("\n");
  for (const end = Date.now() + within * 1000; ; await wait(100)) {
    if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} did not start: ${failure?.message ?? lastWords()}`);
    if (await ready().catch(() => false)) return server;
    if (Date.now() > end) {
      await server.stop("SIGKILL");
      throw new Error(`${program} was not ready within ${within} s:\n${lastWords()}`);
    }
  }
}

/** A port of 127.0.0.1 that nobody has now, for programs that cannot be told to take any. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
