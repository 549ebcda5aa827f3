import { createPrivateKey, type KeyObject } from "node:crypto";
import type { Stats } from "node:fs";
import { safeText } from "../core/untrusted-text.ts";
import { badFile, readSecretFile } from "./secret-file.ts";

/** A file with a private key, as an option names it. */
export interface KeyFile {
  /** Without dashes. */
  readonly option: string;
  readonly path: string;
  /** Ends the wait for a pipe's writer. */
  readonly signal?: AbortSignal | undefined;
  /** Said once to the person. */
  readonly warn: (text: string) => void;
}

/**
 * The text of a key file. Kubernetes mounts secrets that others may read (0644 of root, 0440 with an fsGroup), so that is warned about, and only
 * where the person could change it: the file is theirs. SETTINGS_INVALID for one that a stranger can write; INTERRUPTED.
 */
export function readKeyFile({ option, path, signal, warn }: KeyFile): Promise<string> {
  return readSecretFile(option, path, {
    signal,
    look(stat) {
      if (process.platform !== "win32" && stat.isFile() && (stat.mode & 0o004) !== 0 && isOwn(stat))
        warn(`everybody on this computer can read the private key in ${safeText(path)}; run: chmod 600 on it`);
    },
  });
}

export const damaged = "its private key is damaged, or of a kind that is not known here";

const isOwn = ({ uid }: Stats) => uid === process.geteuid?.();

/** The one private key of a PEM text: PKCS #8, PKCS #1 or SEC 1, without a passphrase. SETTINGS_INVALID naming the option. */
export function pemPrivateKey({ option, path }: KeyFile, text: string): KeyObject {
  const bad = (reason: string) => badFile(option, path, reason);
  const [block, ...more] = blocksOf(text, /^(RSA |EC |ENCRYPTED )?PRIVATE KEY$/);
  if (block === undefined) return bad(withoutKey(text));
  if (more.length > 0) return bad("it holds more than one private key");
  // Nobody can be asked for it: kubectl runs us without a terminal.
  if (block.includes("ENCRYPTED")) return bad("its key has a passphrase; take that off it, or keep the key in a place that needs none");
  try {
    return whole(createPrivateKey({ key: block, format: "pem" }));
  } catch {
    // OpenSSL's words would say nothing to the person, and Node's may hold a part of the file.
    return bad(damaged);
  }
}

/** OpenSSL reads some keys that it cannot write: their parts do not belong together. Throws then. */
export function whole(key: KeyObject): KeyObject {
  key.export({ type: "pkcs8", format: "der" });
  return key;
}

/** What a PEM text without a private key is. */
function withoutKey(text: string): string {
  if (text.includes("-----BEGIN OPENSSH PRIVATE KEY-----")) return "it is a key of OpenSSH's own form; this turns it into PEM: ssh-keygen -p -m PKCS8 -f FILE";
  if (/-----BEGIN (RSA )?PUBLIC KEY-----/.test(text)) return "it holds the public key; the private one is needed";
  if (text.includes("-----BEGIN CERTIFICATE-----")) return "it holds a certificate and no private key";
  return "it holds no private key";
}

/** The blocks of a PEM text whose label fits, each from its beginning to its end. */
export function blocksOf(text: string, label: RegExp): readonly string[] {
  const found: string[] = [];
  for (let from = text.indexOf("-----BEGIN "); from !== -1; ) {
    const named = text.slice(from + "-----BEGIN ".length, from + 60).split("-----")[0] ?? "";
    const end = `-----END ${named}-----`;
    const at = text.indexOf(end, from);
    if (at === -1) return found;
    if (label.test(named)) found.push(`${text.slice(from, at + end.length)}\n`);
    from = text.indexOf("-----BEGIN ", at);
  }
  return found;
}
