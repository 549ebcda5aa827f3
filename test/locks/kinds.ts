import { fstatSync, openSync, closeSync } from "node:fs";
import type { LockOptions } from "../../src/adapters/kernel-locks.ts";
import type { LeaseTimes } from "../../src/adapters/lease-locks.ts";

/** kernel: a local disk. lease: a file system that refuses kernel locks. both: a network one whose kernel locks end at this host. */
export type Kind = "kernel" | "lease" | "both";
export const kinds: readonly Kind[] = ["kernel", "lease", "both"];

/** What makes the locks of this folder such ones, whatever disk it lies on. */
export function optionsOf(kind: Kind, folder: string, leaseTimes?: LeaseTimes): LockOptions {
  const times = leaseTimes === undefined ? {} : { leaseTimes };
  switch (kind) {
    case "kernel":
      return { ...times, mountinfo: () => "" };
    case "lease":
      return { ...times, mountinfo: () => "", binding: { tryLock: refuse, unlock: refuse } };
    case "both":
      return { ...times, mountinfo: () => mountOf(folder, "fuse.sshfs", "rw") };
  }
}

/** A line of /proc/self/mountinfo that says this of the folder's device. */
export function mountOf(folder: string, type: string, options: string): string {
  const fd = openSync(folder, "r");
  const { dev } = fstatSync(fd);
  closeSync(fd);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  return `22 1 0:21 / /proc rw,relatime - proc proc rw\n23 22 ${major}:${minor} / /home rw,relatime shared:1 - ${type} server:/home ${options}\n`;
}

function refuse(): never {
  throw Object.assign(new Error("ENOLCK"), { code: "ENOLCK" });
}
