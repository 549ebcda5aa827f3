import { spawn } from "node:child_process";
import { deadline } from "./deadline.ts";
import { isProgram } from "./program-path.ts";

/** Milliseconds. */
const psDeadline = 500;
/** Characters. */
const longestName = 4_096;

/** What this `ps` says that a process runs; empty when it does not say so in time. It ends with us, and at its deadline. */
export function commandOf(program: string, pid: number): Promise<string> {
  if (!isProgram(program)) return Promise.resolve("");
  return new Promise((done) => {
    const child = spawn(program, ["-o", "comm=", "-p", String(pid)], { stdio: ["ignore", "pipe", "ignore"], env: { LC_ALL: "C" } });
    let text = "";
    const end = () => {
      stopTimer();
      process.off("exit", end);
      child.kill("SIGKILL");
      child.stdout?.destroy();
      child.unref();
      done(text.trim());
    };
    const stopTimer = deadline(psDeadline, end);
    process.once("exit", end);
    child.on("error", end);
    child.on("close", end);
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.length > longestName) end();
    });
  });
}
