import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { sha256Hex } from "../core/sha256.ts";
import type { PrivateFiles, SealedJournal } from "../ports.ts";

const algorithm = "aes-256-gcm";
const [nonceBytes, tagBytes, keyBytes] = [12, 16, 32];

/**
 * Sealed answers as private files, `journal/<hash of the item's name>`: nonce, tag and text under AES-256-GCM (NIST SP 800-38D), base64.
 * The key lies in the stored item, so the file alone opens nothing; it belongs to one item (its name is authenticated too). `places`: where
 * it may lie, the store first; the others, which several stores share, are for a disk that became read-only in the middle of an exchange.
 */
export function sealedJournal(places: readonly PrivateFiles[]): SealedJournal {
  const store = places[0]?.folder ?? "";
  const known = new Map<string, string>();
  /** Asked for at every read and write, in each place. */
  function fileOf(name: string): string {
    const file = known.get(name) ?? `journal/${sha256Hex(`${store}\u0000${name}`)}`;
    known.set(name, file);
    return file;
  }
  return {
    newKey: () => randomBytes(keyBytes).toString("base64url"),
    write(name, key, text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, Buffer.from(key, "base64url"), nonce).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      writeFirst(places, fileOf(name), Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64"));
    },
    hasRoom: (name) =>
      places.some((files) => {
        try {
          files.reserve(fileOf(name)).drop();
          return true;
        } catch {
          return false;
        }
      }),
    read: (name, key) => places.flatMap((files) => open(files, fileOf(name), name, key) ?? []),
    remove(name) {
      for (const files of places) {
        try {
          files.remove(fileOf(name));
        } catch {
          // It does not follow on what the store holds now, and is passed over.
        }
      }
    },
  };
}

/** The fault of the last place when no place takes it. */
function writeFirst(places: readonly PrivateFiles[], file: string, text: string): void {
  for (const [i, files] of places.entries()) {
    try {
      files.write(file, text);
      return;
    } catch (error) {
      if (i === places.length - 1) throw error;
    }
  }
}

function open(files: PrivateFiles, file: string, name: string, key: string): string | undefined {
  try {
    const bytes = Buffer.from(files.read(file) ?? "", "base64");
    if (bytes.length === 0) return undefined;
    const decipher = createDecipheriv(algorithm, Buffer.from(key, "base64url"), bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    // Of another item, or damaged.
    return undefined;
  }
}
