// What a Mach-O executable's code signature says, and whether it is true: macOS kills a program whose pages are not those that were signed.
// Layout: <mach-o/loader.h>, and the CodeDirectory of Apple's xnu/osfmk/kern/cs_blobs.h (big-endian).
import { createHash } from "node:crypto";

const LC_CODE_SIGNATURE = 0x1d;
const LC_SEGMENT_64 = 0x19;
const SUPERBLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;

/**
 * `problems` is empty for a signature that holds. `pages`: how many hashes were compared. `isAdHoc`: without a certificate, which is enough
 * to run on Apple's arm64 and not for notarisation.
 */
export function checkMachO(bytes) {
  const found = { isSigned: false, isAdHoc: false, pages: 0, problems: [] };
  const commands = loadCommands(bytes);
  if (commands === undefined) return { ...found, problems: ["it is no 64-bit Mach-O file"] };
  const signature = commands.find(({ kind }) => kind === LC_CODE_SIGNATURE);
  if (signature === undefined) return { ...found, problems: ["it has no signature"] };
  const offset = bytes.readUInt32LE(signature.at + 8);
  const size = bytes.readUInt32LE(signature.at + 12);
  const problems = [];
  if (offset + size !== bytes.length) problems.push(`${bytes.length - offset - size} bytes lie behind the signature`);
  const directory = codeDirectory(bytes, offset, size);
  if (directory === undefined) return { ...found, isSigned: true, problems: [...problems, "its signature cannot be read"] };
  if (directory.codeLimit !== offset) problems.push(`the signed code ends at ${directory.codeLimit}, the file's at ${offset}`);
  const bad = directory.hashes.filter((hash, i) => !hash.equals(pageHash(bytes, i, directory))).length;
  if (bad > 0) problems.push(`${bad} of ${directory.hashes.length} pages are not what was signed`);
  const link = commands.find(({ kind, at }) => kind === LC_SEGMENT_64 && bytes.toString("latin1", at + 8, at + 18) === "__LINKEDIT");
  if (link !== undefined && bytes.readBigUInt64LE(link.at + 40) + bytes.readBigUInt64LE(link.at + 48) !== BigInt(bytes.length))
    problems.push("__LINKEDIT does not end where the file ends");
  return { isSigned: true, isAdHoc: (directory.flags & 2) !== 0, pages: directory.hashes.length, problems };
}

function loadCommands(bytes) {
  if (bytes.length < 32 || bytes.readUInt32LE(0) !== 0xfeedfacf) return undefined;
  const commands = [];
  for (let at = 32, i = 0; i < bytes.readUInt32LE(16); i++, at += bytes.readUInt32LE(at + 4)) commands.push({ kind: bytes.readUInt32LE(at) & 0x7fffffff, at });
  return commands;
}

function codeDirectory(bytes, offset, size) {
  if (size < 12 || offset + size > bytes.length || bytes.readUInt32BE(offset) !== SUPERBLOB) return undefined;
  for (let i = 0; i < bytes.readUInt32BE(offset + 8); i++) {
    const at = offset + bytes.readUInt32BE(offset + 12 + i * 8 + 4);
    if (bytes.readUInt32BE(at) !== CODE_DIRECTORY) continue;
    const hashOffset = bytes.readUInt32BE(at + 16);
    const count = bytes.readUInt32BE(at + 28);
    const hashSize = bytes.readUInt8(at + 36);
    return {
      flags: bytes.readUInt32BE(at + 12),
      codeLimit: bytes.readUInt32BE(at + 32),
      hashType: bytes.readUInt8(at + 37),
      pageSize: 2 ** bytes.readUInt8(at + 39),
      hashes: Array.from({ length: count }, (_, page) => bytes.subarray(at + hashOffset + page * hashSize, at + hashOffset + (page + 1) * hashSize)),
    };
  }
  return undefined;
}

/** Hash type 2 is SHA-256; 1, SHA-1, is what very old systems read. */
const pageHash = (bytes, page, { pageSize, codeLimit, hashType }) =>
  createHash(hashType === 1 ? "sha1" : "sha256")
    .update(bytes.subarray(page * pageSize, Math.min((page + 1) * pageSize, codeLimit)))
    .digest();
