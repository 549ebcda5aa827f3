import fs from "node:fs";
import { dirname, relative, sep } from "node:path";
import type { BrokenDisk } from "./broken-disk.ts";
import type { Durability, TrackedFile } from "./durability.ts";
import type { Operation, Recorder } from "./recorder.ts";

/** Shared by all patches: whose operations count, and what becomes of them. */
export interface Stage {
  readonly data: string;
  readonly recorder: Recorder;
  readonly durability: Durability;
  readonly disk: BrokenDisk;
}

interface OpenFile {
  readonly file: TrackedFile;
  readonly isFolder: boolean;
  /** Where the next write without a position goes. */
  position: number;
}

/** Replaces the functions of node:fs that change something. The bundles read them off the module at every call, so they meet these. */
export function patchFiles({ data, recorder, durability, disk }: Stage): void {
  const real = { ...fs };
  const open = new Map<number, OpenFile>();
  const isOurs = (path: unknown): path is string => typeof path === "string" && (path === data || path.startsWith(data + sep));
  const about = (path: string) => relative(data, path) || ".";
  const isThere = (path: string) => real.lstatSync(path, { throwIfNoEntry: false }) !== undefined;

  /** One operation on the disk: recorded, refused when the disk is broken, else done. */
  function act<T>(operation: Operation, run: () => T, options: { readonly isNew?: boolean; readonly half?: () => void } = {}): T {
    return recorder.around(
      operation,
      () => {
        disk.check(operation, options.isNew);
        return run();
      },
      options.half,
    );
  }

  function writeBytes(fd: number, known: OpenFile, bytes: Uint8Array, position: number | null): number {
    const operation: Operation = { kind: "write", about: about(known.file.path) };
    const at = position ?? known.position;
    const put = (length: number) => {
      known.file.dirty = true;
      const written = real.writeSync(fd, bytes, 0, length, position);
      known.position = at + written;
      return written;
    };
    return act(operation, () => put(disk.room(operation, fd, at, bytes.length)), { half: () => void put(Math.floor(bytes.length / 2)) });
  }

  const bytesOf = (data: unknown) => (typeof data === "string" ? Buffer.from(data) : (data as Uint8Array));

  Object.assign(fs, {
    openSync(path: fs.PathLike, flags: fs.OpenMode = "r", mode?: fs.Mode) {
      if (!isOurs(path)) return real.openSync(path, flags, mode);
      const { O_WRONLY, O_RDWR, O_CREAT } = real.constants;
      const writes = typeof flags === "number" ? (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0 : flags !== "r";
      const isNew = !isThere(path);
      const run = () => {
        const fd = real.openSync(path, flags, mode);
        const file = durability.file(path);
        if (writes && isNew) durability.created(file);
        open.set(fd, { file, isFolder: real.fstatSync(fd).isDirectory(), position: 0 });
        return fd;
      };
      return writes ? act({ kind: "open", about: about(path) }, run, { isNew }) : run();
    },
    closeSync(fd: number) {
      open.delete(fd);
      real.closeSync(fd);
    },
    writeSync(fd: number, data: unknown, offsetOrPosition?: number | null, lengthOrEncoding?: number | string | null, position?: number | null) {
      const known = open.get(fd);
      if (known === undefined) {
        const write = () => real.writeSync(fd, data as Uint8Array, offsetOrPosition as number, lengthOrEncoding as number, position);
        return fd === 1 ? recorder.around({ kind: "stdout", about: "credential" }, write) : write();
      }
      if (typeof data === "string") return writeBytes(fd, known, Buffer.from(data), offsetOrPosition ?? null);
      const all = data as Uint8Array;
      const from = offsetOrPosition ?? 0;
      return writeBytes(fd, known, all.subarray(from, from + Number(lengthOrEncoding ?? all.length - from)), position ?? null);
    },
    writeFileSync(target: fs.PathOrFileDescriptor, data: unknown, options?: fs.WriteFileOptions) {
      const known = typeof target === "number" ? open.get(target) : undefined;
      if (known === undefined || typeof target !== "number") {
        if (isOurs(target)) throw new Error(`written by name, which is never durable: ${about(target)}`);
        return real.writeFileSync(target, data as Uint8Array, options);
      }
      const bytes = bytesOf(data);
      for (let done = 0; done < bytes.length; ) done += writeBytes(target, known, bytes.subarray(done), null);
    },
    ftruncateSync(fd: number, length?: number) {
      const known = open.get(fd);
      const run = () => real.ftruncateSync(fd, length);
      if (known === undefined) return run();
      act({ kind: "truncate", about: about(known.file.path) }, () => {
        known.file.dirty = true;
        run();
      });
    },
    fchmodSync(fd: number, mode: fs.Mode) {
      const known = open.get(fd);
      const run = () => real.fchmodSync(fd, mode);
      return known === undefined ? run() : act({ kind: "chmod", about: about(known.file.path) }, run);
    },
    futimesSync(fd: number, atime: fs.TimeLike, mtime: fs.TimeLike) {
      const known = open.get(fd);
      const run = () => real.futimesSync(fd, atime, mtime);
      return known === undefined ? run() : act({ kind: "times", about: about(known.file.path) }, run);
    },
    fsyncSync: (fd: number) => sync(fd, () => real.fsyncSync(fd)),
    fdatasyncSync: (fd: number) => sync(fd, () => real.fdatasyncSync(fd)),
    renameSync(from: fs.PathLike, to: fs.PathLike) {
      if (!isOurs(from) || !isOurs(to)) return real.renameSync(from, to);
      act({ kind: "rename", about: about(to) }, () => {
        const renamed = durability.renaming(from, to);
        real.renameSync(from, to);
        renamed();
      });
    },
    unlinkSync(path: fs.PathLike) {
      if (!isOurs(path) || !isThere(path)) return real.unlinkSync(path);
      act({ kind: "unlink", about: about(path) }, () => {
        const removed = durability.unlinking(path);
        real.unlinkSync(path);
        removed();
      });
    },
    mkdirSync(path: fs.PathLike, options?: fs.MakeDirectoryOptions) {
      // One that is there is refused with EEXIST by every disk, however broken.
      if (!isOurs(path) || isThere(path) || !isThere(dirname(path))) return real.mkdirSync(path, options);
      return act({ kind: "mkdir", about: about(path) }, () => {
        const made = real.mkdirSync(path, options);
        durability.madeFolder(path);
        return made;
      });
    },
    ...Object.fromEntries(unknownHere.map((name) => [name, refuse(name, real[name] as (...args: readonly unknown[]) => unknown)])),
  });

  function sync(fd: number, run: () => void): unknown {
    const known = open.get(fd);
    if (known === undefined) return run();
    return act({ kind: "fsync", about: known.isFolder ? `${about(known.file.path)}/` : about(known.file.path) }, () => {
      run();
      if (known.isFolder) durability.syncedFolder(known.file.path);
      else known.file.dirty = false;
    });
  }

  /** The program does not use these on its store; when it begins to, this file must know them. */
  function refuse(name: string, original: (...args: readonly unknown[]) => unknown) {
    return (...args: readonly unknown[]) => {
      if (args.some(isOurs)) throw new Error(`${name} on the store is not recorded by test/faults`);
      return original(...args);
    };
  }
}

const unknownHere = [
  "appendFileSync",
  "copyFileSync",
  "cpSync",
  "linkSync",
  "symlinkSync",
  "rmSync",
  "rmdirSync",
  "truncateSync",
  "chmodSync",
  "utimesSync",
  "writevSync",
] as const;
