import loadAddon from "kubectl-oidc:lock-addon";
import { type KernelBinding, noKernelLocks } from "../lock-binding.ts";

/**
 * On Windows Bun has all of libuv, and the Node program's own addon is inside the executable. It throws EAGAIN for a busy lock. Where the system
 * refuses to load it (a policy for programs in the temporary folder), the lease alone counts.
 */
export async function lockBinding(): Promise<KernelBinding> {
  try {
    const addon = loadAddon();
    return { tryLock: (fd) => tryLock(() => addon.tryLock(fd, 0, 0, true)), unlock: (fd) => addon.unlock(fd, 0, 0) };
  } catch {
    return noKernelLocks();
  }
}

function tryLock(lock: () => void): boolean {
  try {
    lock();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
    throw error;
  }
}
