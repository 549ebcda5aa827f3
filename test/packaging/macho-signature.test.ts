import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checkMachO } from "../../packaging/macho-signature.mjs";

const pageSize = 4096;

/** The smallest signed file: a header, __LINKEDIT, LC_CODE_SIGNATURE, two and a half pages of code, a CodeDirectory. */
function signedFile(): Buffer {
  const code = Buffer.alloc(10_240);
  const hashes = 3;
  const directorySize = 44 + hashes * 32;
  const signatureSize = 12 + 8 + directorySize;
  code.writeUInt32LE(0xfeedfacf, 0);
  code.writeUInt32LE(2, 16);
  const link = 32;
  code.writeUInt32LE(0x19, link);
  code.writeUInt32LE(72, link + 4);
  code.write("__LINKEDIT", link + 8, "latin1");
  code.writeBigUInt64LE(0n, link + 40);
  code.writeBigUInt64LE(BigInt(code.length + signatureSize), link + 48);
  const signature = link + 72;
  code.writeUInt32LE(0x1d, signature);
  code.writeUInt32LE(16, signature + 4);
  code.writeUInt32LE(code.length, signature + 8);
  code.writeUInt32LE(signatureSize, signature + 12);
  code.fill("code", 4096);
  const blob = Buffer.alloc(signatureSize);
  blob.writeUInt32BE(0xfade0cc0, 0);
  blob.writeUInt32BE(signatureSize, 4);
  blob.writeUInt32BE(1, 8);
  blob.writeUInt32BE(20, 16);
  const at = 20;
  blob.writeUInt32BE(0xfade0c02, at);
  blob.writeUInt32BE(directorySize, at + 4);
  blob.writeUInt32BE(0x20100, at + 8);
  blob.writeUInt32BE(2, at + 12);
  blob.writeUInt32BE(44, at + 16);
  blob.writeUInt32BE(hashes, at + 28);
  blob.writeUInt32BE(code.length, at + 32);
  blob.writeUInt8(32, at + 36);
  blob.writeUInt8(2, at + 37);
  blob.writeUInt8(12, at + 39);
  for (let page = 0; page < hashes; page++)
    createHash("sha256")
      .update(code.subarray(page * pageSize, (page + 1) * pageSize))
      .digest()
      .copy(blob, at + 44 + page * 32);
  return Buffer.concat([code, blob]);
}

describe("the signature of a macOS executable", () => {
  it("holds when every page is what was signed", () => expect(checkMachO(signedFile())).toEqual({ isSigned: true, isAdHoc: true, pages: 3, problems: [] }));
  it("does not when one byte changed after it", () => {
    const file = signedFile();
    file.writeUInt8(0, 5000);
    expect(checkMachO(file).problems).toEqual(["1 of 3 pages are not what was signed"]);
  });
  it("does not when the program grew behind what was signed, as cross-built ones for Intel do", () => {
    const file = signedFile();
    file.writeUInt32BE(4096, file.length - (44 + 3 * 32) + 32);
    expect(checkMachO(file).problems).toContain("the signed code ends at 4096, the file's at 10240");
  });
  it("does not when something lies behind it", () =>
    expect(checkMachO(Buffer.concat([signedFile(), Buffer.from("payload")])).problems[0]).toBe("7 bytes lie behind the signature"));
  it("is said to be missing", () => {
    const file = signedFile();
    file.writeUInt32LE(1, 16);
    expect(checkMachO(file)).toMatchObject({ isSigned: false, problems: ["it has no signature"] });
    expect(checkMachO(Buffer.from("\u007fELF")).problems).toEqual(["it is no 64-bit Mach-O file"]);
  });
});
