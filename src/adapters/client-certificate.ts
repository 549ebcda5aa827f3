import { X509Certificate } from "node:crypto";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { blocksOf, pemPrivateKey, readKeyFile } from "./private-key.ts";
import { badFile, readSecretFile } from "./secret-file.ts";

/** The client's side of mutual TLS (RFC 8705). */
export interface ClientCertificate {
  /** PEM: the client's own, and those between it and its authority. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * The files of `--client-certificate` and `--client-key`. SETTINGS_INVALID for what is no certificate or no key of it, and for one that is not
 * valid now: a server that refuses it would only cut the connection, with a word that few understand. INTERRUPTED.
 */
export async function readClientCertificate(
  certificateFile: string,
  keyFile: string,
  how: { readonly now: number; readonly warn: (text: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<ClientCertificate> {
  const bad = (reason: string) => badFile("client-certificate", certificateFile, reason);
  const blocks = blocksOf(await readSecretFile("client-certificate", certificateFile, { signal: how.signal, isPublic: true }), /^CERTIFICATE$/);
  const certificate = blocks[0] === undefined ? bad("it holds no certificate in PEM") : parsed(blocks[0], bad);
  const file = { option: "client-key", path: keyFile, signal: how.signal, warn: how.warn };
  const key = pemPrivateKey(file, await readKeyFile(file));
  if (!certificate.checkPrivateKey(key)) {
    fail("SETTINGS_INVALID", {
      message: `the key of --client-key, ${safeText(keyFile)}, is not that of the certificate ${safeText(certificateFile)}`,
      hint: "give the certificate and the private key that it was made for; the client's certificate comes first in its file",
    });
  }
  const expiresAt = Date.parse(certificate.validTo);
  if (expiresAt <= how.now) notNow(certificateFile, `it has expired (${day(expiresAt)})`);
  const begins = Date.parse(certificate.validFrom);
  if (begins > how.now) notNow(certificateFile, `it is valid from ${day(begins)} on`);
  return { cert: blocks.join(""), key: String(key.export({ type: "pkcs8", format: "pem" })), expiresAt };
}

function parsed(pem: string, bad: (reason: string) => never): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    return bad("its certificate is damaged");
  }
}

const day = (time: number) => (Number.isFinite(time) ? new Date(time).toISOString().slice(0, 10) : "an unknown day");

function notNow(path: string, reason: string): never {
  return fail("SETTINGS_INVALID", {
    message: `the certificate of --client-certificate, ${safeText(path)}, cannot be used`,
    reason,
    hint: "get a new certificate; check this computer's clock",
  });
}
