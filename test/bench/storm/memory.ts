import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";

export interface MemoryWatch {
  start(): Promise<unknown>;
  /** MiB above what was taken at the start. */
  peak(): Promise<number | undefined>;
  stop(): void;
}

/** The memory that is taken from the whole machine, in MiB; undefined where there is no /proc/meminfo. Others' memory counts too. */
export function watchMemory(script: string): MemoryWatch {
  if (!existsSync("/proc/meminfo")) return { start: async () => undefined, peak: async () => undefined, stop: () => undefined };
  const child = fork(script);
  async function ask(what: string): Promise<number> {
    child.send(what);
    const [answer] = await once(child, "message");
    return answer;
  }
  return { start: () => ask("start"), peak: () => ask("peak"), stop: () => child.disconnect() };
}
