import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import * as tls from "node:tls";
import type { TlsTrust } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";

/** A bundle of certificates is a few hundred KB. Bytes. */
const mostBytes = 8_388_608;

/** Where Linux distributions and BSDs keep the system's bundle (Go's crypto/x509 looks in the same places). */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

export interface AddedAuthorities {
  /** PEM texts, one certificate each. */
  readonly certificates: readonly string[];
  readonly trust: TlsTrust;
}

/** Reads `--certificate-authority` and `-data`. SETTINGS_INVALID naming the option when one holds no certificate. */
export function addedAuthorities(options: { readonly caFiles: readonly string[]; readonly caData: readonly string[]; readonly insecure: boolean }): AddedAuthorities {
  const certificates = [
    ...options.caFiles.flatMap((path) => certificatesIn(readBundle(path), `--certificate-authority ${safeText(path)}`)),
    ...options.caData.flatMap((data) => certificatesIn(decode(data), "--certificate-authority-data")),
  ];
  const authorities = certificates.map((pem) => new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase());
  return { certificates, trust: { insecure: options.insecure, authorities: [...new Set(authorities)].sort() } };
}

/** Throws for what is no file (a pipe would hold us for ever) or too large. */
function readFile(path: string): string {
  const stat = statSync(path);
  if (!stat.isFile() || stat.size > mostBytes) throw new Error("not a certificate file");
  return readFileSync(path, "latin1");
}

function readBundle(path: string): string {
  try {
    return readFile(path);
  } catch (error) {
    return fail("SETTINGS_INVALID", {
      message: `--certificate-authority ${safeText(path)} cannot be read`,
      reason: (error as NodeJS.ErrnoException).code ?? "it is not a file",
      hint: "check the path of --certificate-authority",
    });
  }
}

/** Base64 of PEM, as kubeconfig has it; a PEM text itself is taken too. */
const decode = (data: string) => (data.includes("-----BEGIN") ? data : Buffer.from(data, "base64").toString("latin1"));

function certificatesIn(text: string, from: string): readonly string[] {
  const found = text.match(pemCertificate) ?? [];
  const bad = () => fail("SETTINGS_INVALID", { message: `${from} holds no certificate that can be read`, hint: "give a PEM file with the certificate authority" });
  if (found.length === 0) return bad();
  for (const pem of found) {
    try {
      new X509Certificate(pem);
    } catch {
      return bad();
    }
  }
  return found;
}

/**
 * What a request trusts: the added authorities beside Node's and the system's own. Node checks against its bundled roots
 * unless told otherwise; companies put theirs in the system's store, so that is read as Go programs do.
 */
export function trustedRoots(added: readonly string[], env: Readonly<Record<string, string | undefined>>): string[] {
  const all = [...tls.rootCertificates, ...systemCertificates(env), ...extraCertificates(env), ...added];
  // Parsing one certificate costs OpenSSL 0.25 ms and Node's roots are most of the system's, only with longer lines.
  return [...new Map(all.map((pem) => [pem.replace(/\s/g, ""), pem])).values()];
}

function systemCertificates(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  if (process.platform === "linux" || process.platform === "freebsd") {
    const named = env["SSL_CERT_FILE"];
    for (const path of named ? [named] : systemBundles) {
      const found = certificatesOf(path);
      if (found.length > 0) return found;
    }
    return [];
  }
  // macOS and Windows: Node reads their stores from 22.15 on; before that, only its own roots are there.
  return "getCACertificates" in tls && typeof tls.getCACertificates === "function" ? (tls.getCACertificates("system") as readonly string[]) : [];
}

/** NODE_EXTRA_CA_CERTS counts for Node's default only, and we replace the default. */
const extraCertificates = (env: Readonly<Record<string, string | undefined>>) => (env["NODE_EXTRA_CA_CERTS"] ? certificatesOf(env["NODE_EXTRA_CA_CERTS"]) : []);

function certificatesOf(path: string): readonly string[] {
  try {
    return readFile(path).match(pemCertificate) ?? [];
  } catch {
    return [];
  }
}
