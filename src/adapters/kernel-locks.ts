import * as fs from "node:fs";
import { join } from "node:path";
import { once } from "../core/once.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { HeldLock, Locks } from "../ports.ts";
import type { Folders } from "./folders.ts";
import { leaseLocks, type LeaseTimes } from "./lease-locks.ts";
import { type KernelBinding, lockBinding } from "./lock-binding.ts";
import { noteHolder, openLockFile, readHolder } from "./lock-file.ts";
import { thisProcess } from "./lock-owner.ts";
import { cannotHoldLocks, type HostFolders, type LockPlace, lockPlaces } from "./lock-places.ts";
import { lockReach } from "./lock-reach.ts";
import { wakeWaiters } from "./lock-release.ts";
import { type LockTry, waitForLock } from "./lock-wait.ts";

/** All but the runtime folder, and what is known of folders, is for tests. */
export interface LockOptions extends HostFolders {
  readonly seen?: Folders;
  readonly binding?: KernelBinding;
  /** The text of /proc/self/mountinfo. */
  readonly mountinfo?: () => string;
  readonly leaseTimes?: LeaseTimes;
  readonly openFile?: typeof openLockFile;
}

/**
 * Locks that the kernel holds on open files in `<store>/locks` (architecture.md, rule 7): they end with their holder,
 * `kill -9` included. A lock belongs to its descriptor, so two takes in one process exclude each other too, and Node opens
 * with O_CLOEXEC, so no child inherits it. Lock files stay: removing one would let two processes lock two files of one name.
 *
 * Where the file system is shared with other hosts, a lease (`lease-locks.ts`) is taken besides, since its kernel locks may end at this host,
 * and hosts may mount it differently; where it, or this platform, has no kernel locks, the lease alone counts. Whoever finds a lease's folder takes part, for
 * instance on the file server itself; only a lock that was taken there before the first lease of its name ever is not seen.
 * A store that cannot hold a lock file has its locks on this host (`lock-places.ts`).
 * STORE_UNWRITABLE when a file cannot be had anywhere; STORE_UNSAFE for a file that is not ours.
 */
export async function kernelLocks(store: string, options: LockOptions = {}): Promise<Locks> {
  const binding = options.binding ?? (await lockBinding());
  const { openFile = openLockFile } = options;
  const me = thisProcess();
  const leases = leaseLocks(me, options.leaseTimes);
  const mountinfo = once(options.mountinfo ?? readMountinfo);

  function tryIn(place: LockPlace, name: string): LockTry {
    const path = join(place[1], name);
    const fd = openFile(place, path, options.seen);
    try {
      const lock = tryOpenFile(fd, path);
      if (lock === undefined) {
        fs.closeSync(fd);
        return { kind: "busy", path };
      }
      noteHolder(fd, me);
      return { kind: "taken", lock: closing(lock, fd) };
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  function tryOpenFile(fd: number, path: string): HeldLock | undefined {
    const kernel = askKernel(binding, fd, path);
    if (kernel === "busy") return undefined;
    const { reach, isShared } = lockReach(mountinfo(), fs.fstatSync(fd).dev);
    const leaseFolder = `${path}.lease`;
    const kernelLock: HeldLock = { release: () => (kernel === "held" ? binding.unlock(fd) : undefined) };
    if (kernel === "held" && !isShared && !fs.existsSync(leaseFolder)) return kernelLock;
    const lease = leases.tryTake(leaseFolder, kernel === "held" ? reach : "none");
    // Windows frees the locks of a closed file when it likes.
    if (lease === undefined) return void kernelLock.release();
    return {
      release() {
        lease.release();
        kernelLock.release();
      },
    };
  }

  const places = once(() => lockPlaces(store, options));
  const tryOnce = (name: string) => inFirstPlace(places(), name, (place) => tryIn(place, name));

  return {
    tryTake(name) {
      const result = tryOnce(name);
      return result.kind === "taken" ? result.lock : undefined;
    },
    take: (name, waitMs, signal, wait = {}) =>
      waitForLock(
        () => tryOnce(name),
        (path) => readHolder(path, me),
        { waitMs, signal, wait },
      ),
  };
}

/** In the first place that can hold lock files; what stands in the store's way is what is said when none can. */
function inFirstPlace(places: readonly LockPlace[], name: string, action: (place: LockPlace) => LockTry): LockTry {
  const faults: { readonly path: string; readonly error: unknown }[] = [];
  for (const place of places) {
    try {
      return action(place);
    } catch (error) {
      if (isOidcError(error)) throw error;
      faults.push({ path: join(place[1], name), error });
      if (!cannotHoldLocks(codeOf(error))) break;
    }
  }
  const [first] = faults;
  return fail("STORE_UNWRITABLE", { message: `${safeText(first?.path)} cannot be opened`, reason: codeOf(first?.error) }, first?.error);
}

function askKernel(binding: KernelBinding, fd: number, path: string): "held" | "busy" | "refused" {
  try {
    return binding.tryLock(fd) ? "held" : "busy";
  } catch (error) {
    const code = codeOf(error);
    // POSIX lets fcntl say so for a lock that somebody holds (SMB does); the file is open for writing already.
    if (code === "EACCES") return "busy";
    if (["ENOLCK", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EINVAL"].includes(code)) return "refused";
    return fail("STORE_UNWRITABLE", { message: `${safeText(path)} cannot be locked`, reason: code, hint: "choose a folder on a local disk with --token-cache-dir" });
  }
}

function closing(lock: HeldLock, fd: number): HeldLock {
  const state = { open: true };
  return {
    release() {
      if (!state.open) return;
      state.open = false;
      try {
        lock.release();
        wakeWaiters(fd);
      } finally {
        fs.closeSync(fd);
      }
    },
  };
}

function readMountinfo(): string {
  try {
    return fs.readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return "";
  }
}

const codeOf = (error: unknown) => safeText((error as NodeJS.ErrnoException | undefined)?.code ?? "unknown", 40);
