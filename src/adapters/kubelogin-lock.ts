import * as fs from "node:fs";

/** Milliseconds. A refresh takes moments; a login with a person may take minutes, and has no refresh token to lose. */
const longestWait = 30_000;
const interval = 100;

/**
 * Waits, for a while, until kubelogin is done with this entry: it holds the lock beside it from reading the refresh token until the next one
 * is written, and a token that is taken in between is one that it has spent. `told`: once, when there is something to wait for.
 */
export async function waitForKubelogin(path: string, pause: (ms: number) => Promise<void>, told: () => void): Promise<void> {
  for (let waited = 0; waited < longestWait && (await isLocked(`${path}.lock`)); waited += interval) {
    if (waited === 0) told();
    await pause(interval);
  }
}

async function isLocked(file: string): Promise<boolean> {
  try {
    // kubelogin calls flock(2), which on Linux knows nothing of the locks that we could ask for (fcntl), but is listed.
    if (process.platform === "linux") {
      const { ino } = fs.statSync(file, { bigint: true });
      return fs
        .readFileSync("/proc/locks", "utf8")
        .split("\n")
        .some((line) => /: FLOCK +ADVISORY +WRITE /.test(line) && line.includes(`:${ino} `));
    }
    const { tryLock, unlock } = await import("fs-native-extensions");
    const fd = fs.openSync(file, fs.constants.O_RDWR | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0));
    try {
      if (!tryLock(fd)) return true;
      unlock(fd);
      return false;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // No lock file, or no way to ask: as if nobody held it.
    return false;
  }
}
