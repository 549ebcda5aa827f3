/** Milliseconds between looks at the parent (cli.md M14). */
const parentInterval = 500;
/** Milliseconds that a request which was sent may still take, so that its answer is stored; then we end anyhow. */
const lastGrace = 20_000;

/** What ends a command before it is done. */
export interface Ending {
  readonly signal: AbortSignal;
  /** Starts to look whether the parent is still there. Without it, `get-token` would outlive a killed kubectl and hold its port. */
  watchParent(): void;
}

/** Ctrl-C, SIGTERM and SIGHUP abort the signal; a second one, or a command that does not end, calls `now`. */
export function watchEnding(now: () => void): Ending {
  const controller = new AbortController();
  const end = () => {
    if (controller.signal.aborted) return now();
    controller.abort();
    setTimeout(now, lastGrace).unref();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, end);
  return {
    signal: controller.signal,
    watchParent() {
      const first = process.ppid;
      setInterval(() => {
        if (process.ppid !== first || !isAlive(first)) end();
      }, parentInterval).unref();
    },
  };
}

/** Windows keeps the number of a parent that is gone; there the process must be asked for. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
