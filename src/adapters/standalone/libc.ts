import { constants } from "node:os";
import { dlopen, read } from "bun:ffi";

/** The C library's own functions, by Bun's foreign function interface. They exist in the standalone executable for Linux and macOS only. */
export interface Libc {
  /** A failed call's reason as a system error, read at once: the next call of anybody changes it. */
  readonly lastError: (what: string) => NodeJS.ErrnoException;
  /** On Linux: 0, or -1. `lock` is a struct flock. */
  readonly fcntl: (fd: number, command: number, lock: Uint8Array) => number;
  /** On macOS: 0, or -1. */
  readonly flock: (fd: number, operation: number) => number;
  /** On Linux: a file without a name, in memory; -1 when the kernel gives none. */
  readonly memfdCreate: (name: string, flags: number) => number;
}

/** Throws when the library cannot be opened. On musl every `libc.*` is the running one (its dynamic linker says so itself). */
export function libc(): Libc {
  return process.platform === "darwin" ? ofMacOS() : ofLinux();
}

function ofLinux(): Libc {
  const { symbols } = dlopen("libc.so.6", {
    // Variadic in C: with integers and pointers alone the call is the same on x86-64 and on Linux' arm64. On Apple's arm64 it is not.
    fcntl: { args: ["i32", "i32", "ptr"], returns: "i32" },
    memfd_create: { args: ["ptr", "u32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  return {
    lastError: (what) => systemError(what, read.i32(symbols.__errno_location(), 0)),
    fcntl: (fd, command, lock) => symbols.fcntl(fd, command, lock),
    flock: () => -1,
    memfdCreate: (name, flags) => symbols.memfd_create(Buffer.from(`${name}\0`), flags),
  };
}

function ofMacOS(): Libc {
  const { symbols } = dlopen("/usr/lib/libSystem.B.dylib", { flock: { args: ["i32", "i32"], returns: "i32" }, __error: { args: [], returns: "ptr" } });
  return {
    lastError: (what) => systemError(what, read.i32(symbols.__error(), 0)),
    fcntl: () => -1,
    flock: (fd, operation) => symbols.flock(fd, operation),
    memfdCreate: () => -1,
  };
}

function systemError(what: string, errno: number): NodeJS.ErrnoException {
  const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
  return Object.assign(new Error(`${what}: ${code}`), { code, errno });
}
