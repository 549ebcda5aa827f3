import { type FSWatcher, futimesSync, watch } from "node:fs";

/** Lets one waiter sleep until the lock file changes, a time passes, or the signal aborts. */
export interface ReleaseWatch {
  pause(ms: number, signal: AbortSignal): Promise<void>;
  end(): void;
}

/** Touches the lock file after the release: that is what waiters watch. Best effort; they poll as well. */
export function wakeWaiters(fd: number): void {
  try {
    const now = new Date();
    futimesSync(fd, now, now);
  } catch {
    // A file system without times.
  }
}

/**
 * Watches a lock file. The kernel gives a user some hundred watchers (fs.inotify.max_user_instances, often 128): who gets
 * none polls. A change between two pauses is remembered.
 */
export function watchRelease(path: string): ReleaseWatch {
  const state: { changed: boolean; wake?: (() => void) | undefined } = { changed: false };
  const notice = () => {
    state.changed = true;
    state.wake?.();
  };
  const watcher = tryToWatch(path, notice);
  return {
    pause: (ms, signal) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          state.wake = undefined;
          state.changed = false;
          resolve();
        };
        const timer = setTimeout(done, ms);
        if (state.changed) return done();
        state.wake = done;
        signal.addEventListener("abort", done, { once: true });
      }),
    end: () => watcher?.close(),
  };
}

function tryToWatch(path: string, notice: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, notice);
    watcher.on("error", () => undefined);
    return watcher;
  } catch {
    return undefined;
  }
}
