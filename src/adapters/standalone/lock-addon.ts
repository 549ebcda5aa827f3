import { type KernelBinding, noKernelLocks } from "../lock-binding.ts";
import addon from "kubectl-oidc:lock-addon";

/** On Windows Bun has all of libuv, and the Node program's own addon is inside the executable. It throws EAGAIN for a busy lock. */
export async function lockBinding(): Promise<KernelBinding> {
  return typeof addon.tryLock === "function" ? { tryLock, unlock: (fd) => addon.unlock(fd, 0, 0) } : noKernelLocks();
}

function tryLock(fd: number): boolean {
  try {
    addon.tryLock(fd, 0, 0, true);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
    throw error;
  }
}
