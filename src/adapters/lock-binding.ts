/** The kernel's locks on an open file. `tryLock` is false when another descriptor holds it, and throws what the kernel says otherwise. */
export interface KernelBinding {
  readonly tryLock: (fd: number) => boolean;
  readonly unlock: (fd: number) => void;
}

/**
 * The kernel's locks by Node's addon interface; without a build for this platform (musl) there are none here, and the lease alone counts.
 * The standalone executable has `standalone/lock-binding.ts` in this module's place: the addon ends Bun's process when a lock is busy.
 */
export async function lockBinding(): Promise<KernelBinding> {
  try {
    const { tryLock, unlock } = await import("fs-native-extensions");
    return { tryLock: (fd) => tryLock(fd), unlock: (fd) => unlock(fd) };
  } catch {
    return noKernelLocks();
  }
}

/** Refuses as a kernel without locks does. */
export function noKernelLocks(): KernelBinding {
  return {
    tryLock() {
      throw Object.assign(new Error("no kernel locks"), { code: "ENOSYS" });
    },
    unlock: () => undefined,
  };
}
