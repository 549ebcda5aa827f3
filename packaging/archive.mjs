// Archives that are the same bytes for the same content: names sorted, owner 0, one time for all, no field of the machine's.
import { deflateRawSync, gzipSync } from "node:zlib";

/** `entries`: { name, data, mode } with a relative name; `seconds`: the time of all of them, since 1970. Gives the bytes of a .tar.gz. */
export function tarGz(entries, seconds) {
  const packed = gzipSync(tar(entries, seconds), { level: 6 });
  // The tenth byte names the system that packed it (RFC 1952, section 2.3.1): "unknown" everywhere.
  packed[9] = 255;
  return packed;
}

const blockSize = 512;

/** A POSIX ustar archive. */
export function tar(entries, seconds) {
  const blocks = sorted(entries).flatMap(({ name, data, mode }) => [header(name, data.length, mode, seconds), data, Buffer.alloc(-data.length & (blockSize - 1))]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)]);
}

function header(name, size, mode, seconds) {
  const block = Buffer.alloc(blockSize);
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long for a tar header`);
  const octal = (value, at, length) => block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  block.write(name, 0, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(seconds, 136, 12);
  block.write("        ", 148, "latin1");
  block.write("0", 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write("root", 265, "latin1");
  block.write("root", 297, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** The bytes of a .zip with the same entries. Modes are kept for whoever unpacks it on a Unix system. */
export function zip(entries, seconds) {
  const locals = [];
  const central = [];
  let offset = 0;
  for (const { name, data, mode } of sorted(entries)) {
    const packed = deflateRawSync(data, { level: 6 });
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2); // names in UTF-8
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(dosTime(seconds), 6);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = [signature(0x04034b50), common, Buffer.from(name), packed];
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((0o100000 | mode) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    central.push(signature(0x02014b50), Buffer.from([20, 3]), common, tail, Buffer.from(name));
    locals.push(...local);
    offset += local.reduce((total, part) => total + part.length, 0);
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, signature(0x06054b50), end]);
}

function signature(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

/** Zip has no time zone; UTC is taken. Its clock starts in 1980 and ticks every two seconds. */
function dosTime(seconds) {
  const time = new Date(Math.max(seconds, Date.UTC(1980, 0, 1) / 1000) * 1000);
  const date = ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  return ((date << 16) | (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1)) >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

// node:zlib has crc32 from 22.2 on only.
function crc32(data) {
  let value = -1;
  for (const byte of data) value = (value >>> 8) ^ crcTable[(value ^ byte) & 0xff];
  return (value ^ -1) >>> 0;
}

function sorted(entries) {
  for (const { name } of entries) if (!/^[^/\\]+(\/[^/\\]+)*$/.test(name) || name.split("/").includes("..")) throw new Error(`${name} is no name for an archive`);
  return [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
}
