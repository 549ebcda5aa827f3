// Watches how much memory is taken, from a process of its own: two hundred others must not keep it from looking.
import { openSync, readSync } from "node:fs";
import { setPriority } from "node:os";

try {
  setPriority(-15);
} catch {
  // For root only; without it a look may come late, and a short peak be missed.
}

const file = openSync("/proc/meminfo");
const bytes = Buffer.alloc(4096);
/**
 * What no cache can give way for, in KiB. Not MemAvailable: it leaves out the free pages that each core keeps for itself (half a gigabyte
 * after a storm), so that a storm which takes only those would seem to take nothing.
 */
const kinds = /^(?:AnonPages|Shmem|PageTables|KernelStack|SUnreclaim):\s+(\d+) kB$/gm;
function taken() {
  const text = bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0));
  return [...text.matchAll(kinds)].reduce((sum, [, kib]) => sum + Number(kib), 0);
}

let first = taken();
let most = first;
setInterval(() => {
  most = Math.max(most, taken());
}, 10);

process.on("message", (message) => {
  if (message === "start") most = first = taken();
  process.send((most - first) / 1024);
});
process.on("disconnect", () => process.exit());
