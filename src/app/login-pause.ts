import { type Pause, parsePause, pauseLeft } from "../core/pause.ts";
import { shownUrl } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { PrivateFiles } from "../ports.ts";
import { type Run, seconds } from "./world.ts";

const pauseFile = (key: string) => `pauses/${key}.json`;
const fileOf = (run: Run) => pauseFile(run.session.key);

/** Milliseconds between signs of life of an open login, so that a killed one starts its pause at its end (cli.md M5). */
const heartbeat = 5_000;

export function readPause(run: Run): Pause | undefined {
  return parsePause(run.world.files.read(fileOf(run)));
}

/** Seconds since the epoch until which logins of a session are paused; undefined when they are not. `now` in seconds. */
export function pausedUntil(files: Pick<PrivateFiles, "read">, key: string, now: number): number | undefined {
  const left = pauseLeft(parsePause(files.read(pauseFile(key))), now);
  return left > 0 ? now + left : undefined;
}

/** LOGIN_PAUSED while logins of this session are paused. */
export function refuseWhilePaused(run: Run): void {
  const left = Math.ceil(pauseLeft(readPause(run), seconds(run.world)));
  if (left > 0) fail("LOGIN_PAUSED", { message: `not logged in to ${shownUrl(run.settings.issuer)}, and logins are paused for ${left} s after one that did not succeed` });
}

/** Ends the pause: after a success, or because a person typed `login`. */
export function clearPause(run: Run): void {
  run.world.files.remove(fileOf(run));
}

export interface OpenLogin {
  /** The login ended without success. */
  failed(code: string): void;
  succeeded(): void;
}

/**
 * Writes the pause before a browser opens or a code is shown, so that a killed login counts as a failed one.
 * A store that cannot be written does not stop the login. `earlierFailures`: of the logins before this one.
 */
export function openLogin(run: Run, earlierFailures: number): OpenLogin {
  const failures = earlierFailures + 1;
  const write = (code?: string) => {
    try {
      run.world.files.write(fileOf(run), JSON.stringify({ failures, endedAt: seconds(run.world), ...(code === undefined ? {} : { code }) }));
    } catch {
      // Said elsewhere: the session cannot be stored either.
    }
  };
  write();
  const timer = setInterval(write, heartbeat);
  timer.unref();
  return {
    failed(code) {
      clearInterval(timer);
      write(code);
    },
    succeeded() {
      clearInterval(timer);
      try {
        clearPause(run);
      } catch {
        // As above.
      }
    },
  };
}
