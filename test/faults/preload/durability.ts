import fs from "node:fs";
import { dirname, join } from "node:path";
import { randomFrom } from "../../random.ts";

/** A file, wherever it was renamed to. */
export interface TrackedFile {
  path: string;
  /** Written, and not synced since. */
  dirty: boolean;
}

/**
 * What POSIX promises to survive a power cut, and no more: a file's content after its fsync, a name (made, renamed, removed) after the
 * fsync of its folder. Everything else may be there afterwards or not, each for itself.
 */
export interface Durability {
  file(path: string): TrackedFile;
  created(file: TrackedFile): void;
  madeFolder(path: string): void;
  /** Before it happens, so that what lay there can be put back. Gives what to call when it has happened. */
  renaming(from: string, to: string): () => void;
  unlinking(path: string): () => void;
  syncedFolder(path: string): void;
  powerCut(how: "names" | "contents" | "mixed"): void;
}

/** A change of names that is not durable yet. */
interface Change {
  readonly folders: readonly string[];
  undo(): void;
}

export function durability(salt: number): Durability {
  // The real ones, from before they are patched.
  const { readFileSync, writeFileSync, renameSync, unlinkSync, rmdirSync, readdirSync, truncateSync, statSync } = fs;
  const files = new Map<string, TrackedFile>();
  let changes: Change[] = [];
  const contentOf = (path: string) => {
    try {
      return readFileSync(path);
    } catch {
      return undefined;
    }
  };
  const putBack = (path: string, content: Buffer | undefined) => {
    if (content !== undefined) writeFileSync(path, content, { mode: 0o600 });
  };
  /** With all that is in it. Not rmSync, which calls what is patched. */
  const removeFolder = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeFolder(join(path, entry.name));
      else unlinkSync(join(path, entry.name));
    }
    rmdirSync(path);
  };
  const file = (path: string) => {
    const known = files.get(path) ?? { path, dirty: false };
    files.set(path, known);
    return known;
  };

  return {
    file,
    created(made) {
      const { path } = made;
      // Renamed meanwhile, and that is kept: then the file is there under its later name.
      changes.push({ folders: [dirname(path)], undo: () => void (made.path === path && contentOf(path) !== undefined && unlinkSync(path)) });
    },
    madeFolder(path) {
      changes.push({ folders: [dirname(path)], undo: () => removeFolder(path) });
    },
    renaming(from, to) {
      const replaced = contentOf(to);
      return () => {
        const moved = file(from);
        files.delete(from);
        files.set(to, moved);
        moved.path = to;
        const undo = () => {
          if (contentOf(to) !== undefined) renameSync(to, from);
          moved.path = from;
          putBack(to, replaced);
        };
        changes.push({ folders: [dirname(from), dirname(to)], undo });
      };
    },
    unlinking(path) {
      const removed = contentOf(path);
      return () => {
        files.delete(path);
        changes.push({ folders: [dirname(path)], undo: () => putBack(path, removed) });
      };
    },
    syncedFolder(path) {
      changes = changes.filter((change) => !change.folders.includes(path));
    },
    powerCut(how) {
      const random = randomFrom(salt);
      const isLost = (what: "names" | "contents") => (how === "mixed" ? random() < 0.5 : how === what);
      for (const { path, dirty } of files.values()) {
        const size = dirty ? statSync(path, { throwIfNoEntry: false })?.size : undefined;
        if (size !== undefined && isLost("contents")) truncateSync(path, random() < 0.5 ? 0 : Math.floor(size / 2));
      }
      for (const change of changes.reverse()) if (isLost("names")) change.undo();
    },
  };
}
