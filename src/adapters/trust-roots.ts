import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import * as tls from "node:tls";
import type { RootFacts } from "../core/checks/network.ts";
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

/** There the system's trust is a file. */
const readsFiles = process.platform === "linux" || process.platform === "freebsd";

const pemBegin = "-----BEGIN CERTIFICATE-----";
const pemEnd = "-----END CERTIFICATE-----";

export interface AddedAuthorities {
  /** PEM texts, one certificate each. */
  readonly certificates: readonly string[];
  readonly trust: TlsTrust;
}

/** What widens the trust beyond the computer's own. */
export interface TrustOptions {
  readonly caFiles: readonly string[];
  readonly caData: readonly string[];
  readonly insecure: boolean;
  readonly variables: VariableAuthorities;
}

/** PEM texts of what variables of the environment bring. Read once: a file that is judged and one that is used could be two. */
export interface VariableAuthorities {
  /** SSL_CERT_FILE: in place of the system's bundle where the trust is in files, as in Go programs. */
  readonly instead: readonly string[];
  /** NODE_EXTRA_CA_CERTS: counts for Node's default only, and we replace the default. */
  readonly extra: readonly string[];
}

/** What is no file, or holds no certificate, brings nothing. */
export function variableAuthorities(env: Readonly<Record<string, string | undefined>>): VariableAuthorities {
  return { instead: readsFiles ? certificatesOf(env["SSL_CERT_FILE"]) : [], extra: certificatesOf(env["NODE_EXTRA_CA_CERTS"]) };
}

/**
 * Reads `--certificate-authority` and `-data`. SSL_CERT_FILE and NODE_EXTRA_CA_CERTS count in the trust too, with what is neither in the
 * system's own store nor among Node's roots: a kubeconfig's `env` can set them, and must not widen a session's trust (cli.md M2).
 * SETTINGS_INVALID naming the option when one holds no certificate.
 */
export function addedAuthorities(options: TrustOptions): AddedAuthorities {
  const certificates = [
    ...options.caFiles.flatMap((path) => certificatesIn(readBundle(path), `--certificate-authority ${safeText(path)}`)),
    ...options.caData.flatMap((data) => certificatesIn(decode(data), "--certificate-authority-data")),
  ];
  const authorities = [...certificates, ...strangersIn(options.variables)].flatMap(digestOf);
  return { certificates, trust: { insecure: options.insecure, authorities: [...new Set(authorities)].sort() } };
}

/** What the variables bring that this computer does not trust anyway. */
function strangersIn({ instead, extra }: VariableAuthorities): readonly string[] {
  const brought = [...instead, ...extra];
  if (brought.length === 0) return [];
  const own = new Set([...tls.rootCertificates, ...systemCertificates()].map(bare));
  return brought.filter((pem) => !own.has(bare(pem)));
}

/** Lower-case SHA-256 of the DER; none for what is no certificate, which TLS passes over too. */
function digestOf(pem: string): readonly string[] {
  try {
    return [new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase()];
  } catch {
    return [];
  }
}

/** Files differ in the length of their lines. */
const bare = (pem: string) => pem.replace(/\s/g, "");

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

/** Each from its beginning to its end. By searching, not by one expression: a file of beginnings alone would take that the square of its size. */
function pemCertificates(text: string): readonly string[] {
  const found: string[] = [];
  for (let from = text.indexOf(pemBegin); from !== -1; ) {
    const end = text.indexOf(pemEnd, from);
    if (end === -1) return found;
    found.push(text.slice(from, end + pemEnd.length));
    from = text.indexOf(pemBegin, end);
  }
  return found;
}

function certificatesIn(text: string, from: string): readonly string[] {
  const found = pemCertificates(text);
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

/** What may verify a server: PEM texts. */
export interface Roots {
  all(): readonly string[];
  /** Is it one of them? Without reading more than is needed to say so. */
  has(pem: string): boolean;
}

/** Those of a request; `onlyThese`: the added ones and no others. */
export function rootsOf(added: readonly string[], variables: VariableAuthorities, onlyThese: boolean): Roots {
  if (onlyThese) return { all: () => added, has: (pem) => added.includes(pem) };
  const made: { all?: readonly string[] } = {};
  return {
    all() {
      made.all ??= trustedRoots(added, variables);
      return made.all;
    },
    has: (pem) =>
      [tls.rootCertificates, added, variables.extra].some((list) => list.includes(pem)) || (variables.instead.length > 0 ? variables.instead : systemCertificates()).includes(pem),
  };
}

/**
 * What a request trusts: the added authorities beside Node's and the system's own. Node checks against its bundled roots
 * unless told otherwise; companies put theirs in the system's store, so that is read as Go programs do.
 */
export function trustedRoots(added: readonly string[], { instead, extra }: VariableAuthorities): string[] {
  const all = [...tls.rootCertificates, ...(instead.length > 0 ? instead : systemCertificates()), ...extra, ...added];
  // Parsing one certificate costs OpenSSL 0.25 ms and Node's roots are most of the system's, only with longer lines.
  return [...new Map(all.map((pem) => [bare(pem), pem])).values()];
}

/** For people: where the roots come from that a request trusts. Reads the files; nothing of theirs is given. */
export function rootFacts(env: Readonly<Record<string, string | undefined>>): RootFacts {
  const countOf = (name: string) => (env[name] ? certificatesOf(env[name]).length : undefined);
  const bundle = readsFiles ? systemBundles.find((path) => certificatesOf(path).length > 0) : "its own store";
  return { bundle, insteadOfSystem: readsFiles ? countOf("SSL_CERT_FILE") : undefined, extra: countOf("NODE_EXTRA_CA_CERTS") };
}

function systemCertificates(): readonly string[] {
  if (readsFiles) {
    for (const path of systemBundles) {
      const found = certificatesOf(path);
      if (found.length > 0) return found;
    }
    return [];
  }
  // macOS and Windows: Node reads their stores from 22.15 on; before that, only its own roots are there.
  return "getCACertificates" in tls && typeof tls.getCACertificates === "function" ? (tls.getCACertificates("system") as readonly string[]) : [];
}

function certificatesOf(path: string | undefined): readonly string[] {
  try {
    if (path === undefined || path === "") return [];
    return pemCertificates(readFile(path));
  } catch {
    return [];
  }
}

/** PEM of the authorities that options add, for an administrator; undefined when they add none. SETTINGS_INVALID. */
export function addedAuthorityText({ caFiles, caData }: { readonly caFiles: readonly string[]; readonly caData: readonly string[] }): string | undefined {
  const { certificates } = addedAuthorities({ caFiles, caData, insecure: false, variables: { instead: [], extra: [] } });
  return certificates.length === 0 ? undefined : `${certificates.map((pem) => pem.trim()).join("\n")}\n`;
}
