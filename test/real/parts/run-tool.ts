import { spawn } from "node:child_process";

/** How a tool that makes parts is run. */
export interface ToolCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Minutes after which it is killed, its children included. */
  readonly minutes: number;
}

/** Runs it in the background of the machine (nice 15) and gives its stdout. Rejects with the end of its stderr. */
export function runTool({ program, args, cwd, env = {}, minutes }: ToolCall): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("nice", ["-n", "15", program, ...args], { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let stdout = "";
    let stderr = "";
    const killAll = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    };
    const timer = setTimeout(killAll, minutes * 60_000);
    process.once("exit", killAll);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr = (stderr + chunk).slice(-4_000);
    });
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      process.off("exit", killAll);
      if (status === 0) resolve(stdout);
      else reject(new Error(`${program} ${args[0]} ended with ${signal ?? status}: ${stderr.trim().split("\n").slice(-6).join("\n")}`));
    });
  });
}
