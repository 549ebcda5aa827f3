import { webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { X509CertificateGenerator } from "@peculiar/x509";
import { provideReflectMetadata } from "./reflect-metadata.ts";

/** A throw-away certificate authority and one server certificate that it signed. */
export interface Certificates {
  readonly caPem: string;
  /** Where `caPem` lies, for `--certificate-authority` and kubeconfig files. */
  readonly caFile: string;
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
}

type CertificateParameters = Parameters<typeof X509CertificateGenerator.create>[0];

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hourMs = 3_600_000;

/** What the server's certificate says of itself. */
interface ServerNames {
  /** Attributes of the subject: `{ CN: ["localhost"] }`. */
  readonly subject: Readonly<Record<string, readonly string[]>>;
  readonly names: readonly { readonly type: "dns" | "ip" | "url" | "email"; readonly value: string }[];
}

const localServer: ServerNames = {
  subject: { CN: ["localhost"] },
  names: [
    { type: "dns", value: "localhost" },
    { type: "ip", value: "127.0.0.1" },
    { type: "ip", value: "::1" },
  ],
};

/**
 * Makes a certificate authority and a server certificate for localhost, 127.0.0.1 and ::1 (or `about`), valid for a day, and writes the
 * authority to `<folder>/ca.pem`. The folder must exist; the caller removes it. The authority's key is thrown away.
 */
export async function makeCertificates(folder: string, about: ServerNames = localServer): Promise<Certificates> {
  provideReflectMetadata();
  const x509 = await import("@peculiar/x509");
  const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  // An hour back: a container's clock may lag behind its host's.
  const notBefore = new Date(Date.now() - hourMs);
  const notAfter = new Date(Date.now() + 24 * hourMs);
  const create = (parameters: object) =>
    x509.X509CertificateGenerator.create({ notBefore, notAfter, signingAlgorithm: algorithm, ...parameters } as CertificateParameters, webcrypto);

  const caKeys = await newKeys();
  const caName = "CN=kubectl-oidc throw-away authority";
  const ca = await create({
    serialNumber: "01",
    subject: caName,
    issuer: caName,
    signingKey: caKeys.privateKey,
    publicKey: caKeys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
    ],
  });

  const serverKeys = await newKeys();
  const server = await create({
    serialNumber: "02",
    subject: [about.subject],
    issuer: caName,
    signingKey: caKeys.privateKey,
    publicKey: serverKeys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([...about.names]),
      await x509.AuthorityKeyIdentifierExtension.create(ca, false, webcrypto),
    ],
  });

  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", serverKeys.privateKey)).toString("base64");
  const keyPem = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})/g, "$1\n").trimEnd()}\n-----END PRIVATE KEY-----\n`;
  const caPem = `${ca.toString("pem")}\n`;
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, caPem, { mode: 0o600 });
  return { caPem, caFile, certPem: `${server.toString("pem")}\n`, keyPem };
}
