import { fail } from "../errors/oidc-error.ts";
import type { Clock } from "../ports.ts";

/** Node's timers hold 31 bits; a longer wait would end at once, and a loop around it would spin. Milliseconds. */
const longestTimer = 2_147_483_647;

/** The computer's clock. `sleep` fails with INTERRUPTED. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    async sleep(ms, signal) {
      if (signal.aborted || !(await passed(Math.min(ms, longestTimer), signal))) fail("INTERRUPTED");
    },
  };
}

/** False when the signal came first. */
function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (whole: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", interrupted);
      resolve(whole);
    };
    const interrupted = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal.addEventListener("abort", interrupted);
  });
}
