import fs from "node:fs";
import { constants } from "node:os";
import type { Operation } from "./recorder.ts";

type Errno = "ENOSPC" | "EROFS" | "EIO";

/** A disk that from some moment on is full, read-only or failing. */
export interface BrokenDisk {
  become(errno: Errno): void;
  /** Throws when this operation fails on such a disk. `isNew`: the name is not there yet. */
  check(operation: Operation, isNew?: boolean): void;
  /** How many of these bytes, written to that place, the disk takes; throws for none. */
  room(operation: Operation, fd: number, position: number, length: number): number;
}

/** On a full disk the names may run out with the room, or not: `namesToo`. */
export function brokenDisk(namesToo: boolean): BrokenDisk {
  const { fstatSync } = fs;
  const state: { errno?: Errno } = {};
  const fail = (errno: Errno, { kind, about }: Operation): never => {
    throw Object.assign(new Error(`${errno}: simulated, ${kind} '${about}'`), { code: errno, errno: -constants.errno[errno], syscall: kind });
  };
  return {
    become(errno) {
      state.errno = errno;
    },
    check(operation, isNew = false) {
      const { kind } = operation;
      if (state.errno === "EROFS" && (["write", "truncate", "chmod", "times", "rename", "unlink", "mkdir"].includes(kind) || kind === "open")) fail("EROFS", operation);
      if (state.errno === "EIO" && (["write", "truncate", "fsync", "rename", "mkdir"].includes(kind) || (kind === "open" && isNew))) fail("EIO", operation);
      if (state.errno === "ENOSPC" && (kind === "mkdir" || (kind === "open" && isNew && namesToo))) fail("ENOSPC", operation);
    },
    room(operation, fd, position, length) {
      if (state.errno !== "ENOSPC") return length;
      // What was written before is the file's own: on a full disk it can be written again.
      const left = Math.max(0, fstatSync(fd).size - position);
      return left === 0 && length > 0 ? fail("ENOSPC", operation) : Math.min(left, length);
    },
  };
}
