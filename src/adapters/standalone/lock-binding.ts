import { type KernelBinding, noKernelLocks } from "../lock-binding.ts";
import { type Libc, libc } from "./libc.ts";

/**
 * The kernel's locks in the standalone executable, where this module stands in the place of `../lock-binding.ts`. The addon of the Node
 * program would end the process: Bun has no uv_translate_sys_error, which it calls for a busy lock. The locks are the same ones, so that
 * both forms exclude each other: OFD locks of the whole file on Linux, flock(2) on macOS (fs-native-extensions 1.5.1, src/linux.c, src/apple.c).
 */
export async function lockBinding(): Promise<KernelBinding> {
  try {
    return process.platform === "darwin" ? flockBinding(libc()) : openFileBinding(libc());
  } catch {
    return noKernelLocks();
  }
}

/** fcntl(2) of Linux. */
const F_OFD_SETLK = 37;
const lockType = { write: 1, none: 2 } as const;

function openFileBinding(c: Libc): KernelBinding {
  return {
    tryLock: (fd) => c.fcntl(fd, F_OFD_SETLK, structFlock(lockType.write)) === 0 || isBusy(c.lastError("fcntl")),
    unlock: (fd) => void c.fcntl(fd, F_OFD_SETLK, structFlock(lockType.none)),
  };
}

/** { short l_type, l_whence; off_t l_start, l_len; pid_t l_pid }, 64 bits: the whole file, which a length of 0 means. */
function structFlock(type: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setInt16(0, type, true);
  return bytes;
}

/** sys/file.h of macOS. */
const operation = { exclusiveNow: 2 | 4, unlock: 8 } as const;

function flockBinding(c: Libc): KernelBinding {
  return {
    tryLock: (fd) => c.flock(fd, operation.exclusiveNow) === 0 || isBusy(c.lastError("flock")),
    unlock: (fd) => void c.flock(fd, operation.unlock),
  };
}

/** False for a lock that another descriptor holds; throws any other reason. */
function isBusy(error: NodeJS.ErrnoException): false {
  if (error.code === "EAGAIN" || error.code === "EWOULDBLOCK") return false;
  throw error;
}
