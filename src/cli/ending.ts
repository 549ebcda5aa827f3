/** Milliseconds between looks at the parent (cli.md M14). */
const parentInterval = 500;
/** Milliseconds for an orderly end after the signal: with a look at the parent just before, everything is over within a second. */
const orderlyEnd = 300;
/** Milliseconds that what must not be cut short may take: a request, its retry and the store's write have their own deadlines; then we end anyhow. */
const lastGrace = 30_000;

/** What ends a command before it is done. */
export interface Ending {
  readonly signal: AbortSignal;
  /** Runs what must not be cut short: no signal ends us before it is done, however often it comes. */
  undisturbed<T>(action: () => Promise<T>): Promise<T>;
  /** Starts to look whether the parent is still there. Without it, `get-token` would outlive a killed kubectl and hold its port. */
  watchParent(): void;
}

/**
 * Ctrl-C, SIGTERM and SIGHUP abort the signal; a command that does not end by that, or a second Ctrl-C, is ended by `now`. Both wait for what
 * is undisturbed: a refresh token that was rotated and not stored is a lost session.
 */
export function watchEnding(now: () => void): Ending {
  const controller = new AbortController();
  const state = { undisturbed: 0, isUrgent: false };
  const urge = () => {
    state.isUrgent = true;
    if (state.undisturbed === 0) now();
  };
  const end = () => {
    if (controller.signal.aborted) return urge();
    controller.abort();
    setTimeout(urge, orderlyEnd).unref();
    setTimeout(now, lastGrace).unref();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, end);
  // Without a listener Node opens its debugger on a port, through which any local user could read our memory.
  if (process.platform !== "win32") process.on("SIGUSR1", () => undefined);
  return {
    signal: controller.signal,
    async undisturbed(action) {
      state.undisturbed++;
      try {
        return await action();
      } finally {
        state.undisturbed--;
        // What comes after it still has its moment for an orderly end.
        if (state.isUrgent) setTimeout(urge, orderlyEnd).unref();
      }
    },
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
