import { spawn } from "node:child_process";
import { deadline } from "./deadline.ts";

/** What a small program that asks nobody prints; it ends with us, at its deadline, and when it says too much. Empty when it cannot be started. */
export function outputOf(
  program: string,
  args: readonly string[],
  how: { readonly env: Readonly<Record<string, string | undefined>> /** Milliseconds. */; readonly deadlineMs: number /** Characters. */; readonly longest: number },
): Promise<string> {
  return new Promise((done) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"], windowsHide: true, env: how.env });
    let text = "";
    const end = () => {
      stopTimer();
      process.off("exit", end);
      child.kill("SIGKILL");
      child.stdout?.destroy();
      child.unref();
      done(text);
    };
    const stopTimer = deadline(how.deadlineMs, end);
    process.once("exit", end);
    child.on("error", end);
    child.on("close", end);
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.length > how.longest) end();
    });
  });
}
