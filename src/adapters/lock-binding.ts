import { dirname, join } from "node:path";
import { packageLoader } from "./package-loader.ts";

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
    return directly() ?? (await byPackage());
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

async function byPackage(): Promise<KernelBinding> {
  const { tryLock, unlock } = await import("fs-native-extensions");
  return { tryLock: (fd) => tryLock(fd), unlock: (fd) => unlock(fd) };
}

/** The addon itself: a lock on `length` bytes from `offset` on, 0 for all that follow. */
interface Addon {
  tryLock(fd: number, offset: number, length: number, exclusive: boolean): void;
  unlock(fd: number, offset: number, length: number): void;
}

/**
 * The addon's file where the package has it, which its own search finds 9 ms later by way of six more modules. Undefined where it does not lie
 * there: the package knows other places.
 */
function directly(): KernelBinding | undefined {
  try {
    const load = packageLoader();
    const folder = dirname(load.resolve("fs-native-extensions/package.json"));
    const addon: unknown = load(join(folder, "prebuilds", `${process.platform}-${process.arch}`, "fs-native-extensions.node"));
    return isAddon(addon) ? bindingOf(addon) : undefined;
  } catch {
    return undefined;
  }
}

const isAddon = (value: unknown): value is Addon =>
  typeof value === "object" && value !== null && "tryLock" in value && typeof value.tryLock === "function" && "unlock" in value && typeof value.unlock === "function";

/** As the package does it. */
function bindingOf(addon: Addon): KernelBinding {
  return {
    tryLock(fd) {
      try {
        addon.tryLock(fd, 0, 0, true);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
        throw error;
      }
    },
    unlock: (fd) => addon.unlock(fd, 0, 0),
  };
}
