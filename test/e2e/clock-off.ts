import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { preloaded } from "./program.ts";

/** The environment of a program whose clock is wrong by so many seconds; timers run on, as they do when a clock is set. */
export function clockOff(folder: string, seconds: number): Readonly<Record<string, string>> {
  const file = join(folder, "clock.cjs");
  writeFileSync(
    file,
    `const real = Date; const off = Number(process.env.CLOCK_OFF) * 1000;
globalThis.Date = class extends real { constructor(...args) { if (args.length === 0) super(real.now() + off); else super(...args); } static now() { return real.now() + off; } };`,
  );
  return { ...preloaded(file), CLOCK_OFF: String(seconds) };
}
