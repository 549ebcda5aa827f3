import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";

/** The memory that is taken from the whole machine, in MiB; undefined where there is no /proc/meminfo. Others' memory counts too. */
export function watchMemory() {
  if (!existsSync("/proc/meminfo")) return { start: async () => undefined, peak: async () => undefined, stop: () => undefined };
  const child = fork(join(import.meta.dirname, "memory-watch.mjs"));
  async function ask(what) {
    child.send(what);
    const [answer] = await once(child, "message");
    return answer;
  }
  return { start: () => ask("start"), peak: () => ask("peak"), stop: () => child.disconnect() };
}
