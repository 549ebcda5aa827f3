import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { sha256Hex } from "../core/sha256.ts";
import type { PrivateFiles, SealedJournal } from "../ports.ts";

const algorithm = "aes-256-gcm";
const [nonceBytes, tagBytes, keyBytes] = [12, 16, 32];

/**
 * Sealed answers as private files, `journal/<hash of the item's name>`: nonce, tag and text under AES-256-GCM (NIST SP 800-38D), base64.
 * The key lies in the keychain's item, so the file alone opens nothing; it belongs to one item (its name is authenticated too).
 */
export function sealedJournal(files: PrivateFiles): SealedJournal {
  const fileOf = (name: string) => `journal/${sha256Hex(name)}`;
  return {
    newKey: () => randomBytes(keyBytes).toString("base64url"),
    write(name, key, text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, Buffer.from(key, "base64url"), nonce).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      files.write(fileOf(name), Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64"));
    },
    read(name, key) {
      try {
        const text = files.read(fileOf(name));
        if (text === undefined) return undefined;
        const bytes = Buffer.from(text, "base64");
        const decipher = createDecipheriv(algorithm, Buffer.from(key, "base64url"), bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
        decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString("utf8");
      } catch {
        // Of another item, or damaged.
        return undefined;
      }
    },
    remove(name) {
      try {
        files.remove(fileOf(name));
      } catch {
        // It does not follow on what the store holds now, and is passed over.
      }
    },
  };
}
