import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { Script } from "node:vm";

/** What V8 made of one bundle; some 200 KB. Bytes. */
const mostBytes = 4_194_304;
/** Of a Node that is not used any more. Milliseconds. */
const longestUnused = 30 * 86_400_000;

const wrapper = ["(function (exports, require, module, __filename, __dirname) { ", "\n})"] as const;

/** A bundle that was compiled in this run, and not kept yet. */
interface Compiled {
  readonly file: string;
  readonly stamp: string;
  readonly script: Script;
}

/**
 * Has Node take what V8 made of the bundles in `folder` in an earlier run from `compiled`, beside it, and keeps it there at the end of a refresh: of a
 * refresh's 70 ms beyond Node's start, 18 went into compiling. As Python's __pycache__: whoever can write there can write the program, so what lies there is
 * no less trusted than that. It counts only when it belongs to the program's owner, nobody else can write it, and the bundle is the very file that
 * it was made of (device, inode, size, times). V8 refuses what another version of it made, or one with other flags.
 *
 * A program of another user (root's, installed for all) is not written to, and nothing is kept under options of Node. Nothing here fails a call. On Windows,
 * where a file's owner cannot be told, nothing is done.
 */
export function useCompiledCode(folder: string): void {
  if (process.platform === "win32" || process.execArgv.length > 0 || process.env["NODE_OPTIONS"]) return;
  const kept = join(dirname(folder), "compiled");
  const nameOf = (bundle: string) => join(kept, `${process.version}-${process.arch}-${basename(bundle, ".cjs")}`);
  const compiled: Compiled[] = [];
  const loaded = new Set<string>();

  // The loader's own table, which Node keeps for good though it calls it deprecated: there is nothing else in Node 20. Of node:module itself, half a millisecond.
  const readers = require.extensions;
  const usual = readers[".js"];
  readers[".cjs"] = (module, file) => {
    if (dirname(file) !== folder) return usual?.(module, file);
    const { text, owner, stamp } = sourceOf(file);
    const data = readKept(nameOf(file), owner, stamp);
    const script = new Script(wrapper[0] + text + wrapper[1], { filename: file, columnOffset: -wrapper[0].length, ...(data === undefined ? {} : { cachedData: data }) });
    if (data === undefined || script.cachedDataRejected === true) compiled.push({ file, stamp, script });
    loaded.add(basename(file, ".cjs"));
    // Our own require: all bundles lie in one folder.
    script.runInThisContext()(module.exports, require, module, file, folder);
  };

  process.on("exit", (status) => {
    // Of the slow paths the one that runs most; what another command runs is another part of the same bundles.
    const isRefresh = status === 0 && process.argv[2] === "get-token" && loaded.has("oidc") && !loaded.has("login");
    if (isRefresh && compiled.length > 0) keep(kept, compiled, nameOf);
  });
}

interface Source {
  readonly text: string;
  readonly owner: bigint;
  /** Of this very file: an installation that is replaced has another one. */
  readonly stamp: string;
}

function sourceOf(file: string): Source {
  const fd = fs.openSync(file, "r");
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, uid } = fs.fstatSync(fd, { bigint: true });
    return { text: fs.readFileSync(fd, "utf8"), owner: uid, stamp: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}` };
  } finally {
    fs.closeSync(fd);
  }
}

/** The first line is the stamp of what it was made of. Undefined for what is not there, not the owner's alone, or of something else. */
function readKept(path: string, owner: bigint, stamp: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(fd, { bigint: true });
    if (!stat.isFile() || stat.uid !== owner || (stat.mode & 0o022n) !== 0n || stat.nlink !== 1n || stat.size > mostBytes) return undefined;
    const bytes = fs.readFileSync(fd);
    const end = bytes.indexOf(10);
    return bytes.toString("latin1", 0, end) === stamp ? bytes.subarray(end + 1) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Whole or not at all: V8 does not look for bytes that a power cut left out. */
function keep(folder: string, compiled: readonly Compiled[], nameOf: (bundle: string) => string): void {
  try {
    makeOurs(folder);
    removeUnused(folder);
    for (const { file, stamp, script } of compiled) {
      const temporary = `${nameOf(file)}.${process.pid}.tmp`;
      const fd = fs.openSync(temporary, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW, 0o644);
      try {
        fs.writeFileSync(fd, Buffer.concat([Buffer.from(`${stamp}\n`), script.createCachedData()]));
        fs.fsyncSync(fd);
        fs.renameSync(temporary, nameOf(file));
      } catch {
        fs.unlinkSync(temporary);
      } finally {
        fs.closeSync(fd);
      }
    }
  } catch {
    // The next call compiles again.
  }
}

/** Throws when the program is not ours, or others could put something into its folder. */
function makeOurs(folder: string): void {
  for (const path of [dirname(folder), folder]) {
    const stat = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined && path === folder) fs.mkdirSync(path, 0o755);
    else if (stat?.isDirectory() !== true || stat.uid !== process.geteuid?.() || (stat.mode & 0o022) !== 0) throw new Error("not ours alone");
  }
}

function removeUnused(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    const path = join(folder, name);
    if (/^v[\d.]+-\w+-[a-z]+(\.\d+\.tmp)?$/.test(name) && Date.now() - fs.lstatSync(path).mtimeMs > longestUnused) fs.unlinkSync(path);
  }
}
