import { createHash } from "node:crypto";

/** What `core/sha256.ts` gives, where node:crypto is loaded anyway: lower-case hex SHA-256 of the text's UTF-8 bytes. */
export const digestHex = (text: string): string => createHash("sha256").update(text).digest("hex");
