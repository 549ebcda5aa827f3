import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Part, partFolder } from "./part.ts";

/** Longer no other run is waited for. Milliseconds. */
const longestWait = 45 * 60_000;

/**
 * Makes a part into its folder, once: a second run waits for the first. The folder appears by a rename when everything in it is there.
 * Rejects with the reason when it cannot be made.
 */
export async function makePart(part: Part, say: (line: string) => void): Promise<void> {
  const { making } = part;
  if (making === undefined) throw new Error("nothing is known of how to make it");
  const folder = partFolder(part);
  const lock = `${folder}.lock`;
  mkdirSync(dirname(folder), { recursive: true });
  for (const end = Date.now() + longestWait; !take(lock); await wait(1_000)) {
    if (existsSync(folder)) return;
    if (Date.now() > end) throw new Error(`another run holds ${lock}`);
  }
  const unfinished = `${folder}.part-${process.pid}`;
  try {
    if (existsSync(folder)) return;
    say(`making ${part.name} ${part.version} (about ${making.minutes} min) in ${folder}`);
    mkdirSync(unfinished, { recursive: true });
    await making.into(unfinished, part.version);
    if (!existsSync(`${unfinished}/${part.file}`)) throw new Error(`${part.file} did not come out of it`);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    rmSync(lock, { force: true });
  }
}

/** False while a living process holds it. */
function take(lock: string): boolean {
  try {
    const file = openSync(lock, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch {
    if (isHeld(lock)) return false;
    rmSync(lock, { force: true });
    return false;
  }
}

function isHeld(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    // Empty: its owner is writing its number.
    if (pid > 0) process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
