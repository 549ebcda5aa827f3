import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { isNestedDeeper } from "../core/json-depth.ts";
import { type Secret, secret } from "../core/secret.ts";
import { isObject } from "../core/session.ts";
import { syncFolder } from "./durable-file.ts";

/** One file of kubelogin's cache that holds a refresh token. */
export interface KubeloginEntry {
  readonly path: string;
  /** Its last part: 64 hex digits. */
  readonly name: string;
  /** An access token when the stanza asks for that. */
  readonly idToken: string;
  readonly refreshToken: Secret;
}

/** Two tokens are a few KB. Bytes. */
const mostBytes = 262_144;
/** Files looked at in one folder: kubelogin never removes any. */
const mostFiles = 2_000;
/** The SHA-256 of what the stanza says, in hex (kubelogin, pkg/tokencache/repository). The lock files beside them are left alone. */
const isName = (name: string) => /^[0-9a-f]{64}$/.test(name);

/**
 * What these folders hold, never deeper. A stanza can name any folder: only in folders that nobody else can write, regular files of this user under kubelogin's names are read, no
 * link is followed, and what is not a pair of tokens is passed over.
 */
export function kubeloginEntries(folders: readonly string[]): readonly KubeloginEntry[] {
  return [...new Set(folders)].flatMap((folder) => {
    let names: readonly string[];
    try {
      // In one that others can write, they could put what they like in the place of what was read.
      if (!isOwn(fs.statSync(folder))) return [];
      names = fs.readdirSync(folder);
    } catch {
      return [];
    }
    return names
      .filter(isName)
      .slice(0, mostFiles)
      .sort()
      .flatMap((name) => kubeloginEntry(join(folder, name)) ?? []);
  });
}

/** One file; undefined when it is not there, or not what it should be. */
export function kubeloginEntry(path: string): KubeloginEntry | undefined {
  const text = isName(basename(path)) ? textOf(path) : undefined;
  if (text === undefined || isNestedDeeper(text, 8)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    const { id_token: idToken, refresh_token: refreshToken } = value;
    return typeof idToken === "string" && typeof refreshToken === "string" && refreshToken !== ""
      ? { path, name: basename(path), idToken, refreshToken: secret(refreshToken) }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Removes one file for good; false when it cannot be. One that is not there is no fault. */
export function removeKubeloginEntry(path: string): boolean {
  try {
    if (!isName(basename(path))) return false;
    fs.unlinkSync(path);
    syncFolder(dirname(path));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

const isOwn = ({ uid, mode }: fs.Stats) => process.platform === "win32" || (uid === process.geteuid?.() && (mode & 0o022) === 0);

function textOf(path: string): string | undefined {
  let fd: number | undefined;
  try {
    // A pipe that nobody writes to would never open.
    fd = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0));
    const stat = fs.fstatSync(fd);
    return stat.isFile() && stat.nlink === 1 && stat.size <= mostBytes && isOwn(stat) ? fs.readFileSync(fd, "utf8") : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
