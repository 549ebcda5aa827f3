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

const changing: ReadonlySet<Operation["kind"]> = new Set(["open", "write", "truncate", "chmod", "times", "fsync", "rename", "unlink", "mkdir"]);

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
      const { errno } = state;
      // A journal that was aborted answers an fsync like this too (ext4, errors=remount-ro).
      if (errno === "EROFS" && changing.has(operation.kind)) fail(errno, operation);
      if (errno === "EIO" && (["write", "truncate", "fsync", "rename", "mkdir"].includes(operation.kind) || (operation.kind === "open" && isNew))) fail(errno, operation);
      if (errno === "ENOSPC" && (operation.kind === "mkdir" || (operation.kind === "open" && isNew && namesToo))) fail(errno, operation);
    },
    room(operation, fd, position, length) {
      if (state.errno !== "ENOSPC") return length;
      // What was written before is the file's own: on a full disk it can be written again.
      const left = Math.max(0, fstatSync(fd).size - position);
      return left === 0 && length > 0 ? fail("ENOSPC", operation) : Math.min(left, length);
    },
  };
}
