import { fail } from "../errors/oidc-error.ts";
import type { HeldLock, LockHolder, LockWait } from "../ports.ts";
import { watchRelease } from "./lock-release.ts";
import { steadyNow } from "./steady-clock.ts";

/** Milliseconds between two tries of a waiter that nobody wakes (the holder was killed): short at first, since most locks are held for one exchange. */
const shortestPoll = 10;
const longestPoll = 100;

/** One try: the lock, or the file that is touched at its release. */
export type LockTry = { readonly kind: "taken"; readonly lock: HeldLock } | { readonly kind: "busy"; readonly path: string };

/**
 * Tries until it is taken; undefined when `waitMs` pass or `unless` says so. `holderOf` names the holder for `onWait`. Rejects with
 * INTERRUPTED, and with what a try throws.
 */
export async function waitForLock(
  tryOnce: () => LockTry,
  holderOf: (path: string) => LockHolder | undefined,
  { waitMs, signal, wait }: { readonly waitMs: number; readonly signal: AbortSignal; readonly wait: LockWait },
): Promise<HeldLock | undefined> {
  const started = steadyNow();
  if (signal.aborted) return fail("INTERRUPTED");
  const first = tryOnce();
  if (first.kind === "taken") return first.lock;
  wait.onWait?.(holderOf(first.path));
  const release = watchRelease(first.path);
  try {
    for (let poll = shortestPoll; ; poll = Math.min(longestPoll, poll * 1.3)) {
      if (signal.aborted) return fail("INTERRUPTED");
      if (await wait.unless?.()) return undefined;
      const next = tryOnce();
      if (next.kind === "taken") return next.lock;
      const left = waitMs - (steadyNow() - started);
      if (left <= 0) return undefined;
      await release.pause(Math.min(poll, left), signal);
    }
  } finally {
    release.end();
  }
}
