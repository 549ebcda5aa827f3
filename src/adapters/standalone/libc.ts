import { constants } from "node:os";
import { CString, dlopen, read } from "bun:ffi";

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
  /** The home folder of a user in the user database; undefined for one who is not in it. */
  readonly homeOf: (user: number) => string | undefined;
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
    getpwuid: { args: ["u32"], returns: "ptr" },
    __errno_location: { args: [], returns: "ptr" },
  });
  return {
    lastError: (what) => systemError(what, read.i32(symbols.__errno_location(), 0)),
    fcntl: (fd, command, lock) => symbols.fcntl(fd, command, lock),
    flock: () => -1,
    memfdCreate: (name, flags) => symbols.memfd_create(Buffer.from(`${name}\0`), flags),
    // struct passwd of glibc and musl: name, password, user and group (32 bits each), gecos, dir.
    homeOf: (user) => textAt(symbols.getpwuid(user), 32),
  };
}

function ofMacOS(): Libc {
  const { symbols } = dlopen("/usr/lib/libSystem.B.dylib", {
    flock: { args: ["i32", "i32"], returns: "i32" },
    getpwuid: { args: ["u32"], returns: "ptr" },
    __error: { args: [], returns: "ptr" },
  });
  return {
    lastError: (what) => systemError(what, read.i32(symbols.__error(), 0)),
    fcntl: () => -1,
    flock: (fd, operation) => symbols.flock(fd, operation),
    memfdCreate: () => -1,
    // Of macOS: name, password, user and group, change (64 bits), class, gecos, dir.
    homeOf: (user) => textAt(symbols.getpwuid(user), 48),
  };
}

/** The C string that the pointer at `offset` of a structure leads to; a null pointer is null here. */
function textAt(structure: number | null, offset: number): string | undefined {
  if (structure === null || structure === 0) return undefined;
  const text = read.ptr(structure, offset);
  return text === 0 ? undefined : new CString(text).toString();
}

function systemError(what: string, errno: number): NodeJS.ErrnoException {
  const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
  return Object.assign(new Error(`${what}: ${code}`), { code, errno });
}
