import { webcrypto } from "node:crypto";
import type { Name, X509CertificateGenerator } from "@peculiar/x509";
import { provideReflectMetadata } from "./reflect-metadata.ts";

type CertificateParameters = Parameters<typeof X509CertificateGenerator.create>[0];

/** A certificate with its key, both PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface OddAuthority {
  readonly pem: string;
  /** For localhost, valid today, unless the options say otherwise. */
  issue(options?: CertificateOptions): Promise<ServerCertificate>;
}

export interface CertificateOptions {
  /** DNS names. */
  readonly names?: readonly string[];
  readonly commonName?: string;
  /** Hours from now. */
  readonly from?: number;
  readonly to?: number;
  /** Signed with its own key. */
  readonly selfSigned?: boolean;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const hours = (count: number) => new Date(Date.now() + count * 3_600_000);
const serial = () =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)))
    .toString("hex")
    .replace(/^./, "1");

/** An authority that signs what no good one does. `permitted`: the only domain that it may sign for (RFC 5280, section 4.2.1.10). */
export async function oddAuthority(options: { readonly name?: string; readonly permitted?: string } = {}): Promise<OddAuthority> {
  provideReflectMetadata();
  const x509 = await import("@peculiar/x509");
  const keys = await newKeys();
  const subject = [{ CN: [options.name ?? "an odd authority"] }];
  const make = (parameters: object) =>
    x509.X509CertificateGenerator.create({ serialNumber: serial(), signingAlgorithm: algorithm, ...parameters } as CertificateParameters, webcrypto);
  const ca = await make({
    subject,
    issuer: subject,
    signingKey: keys.privateKey,
    publicKey: keys.publicKey,
    notBefore: hours(-2),
    notAfter: hours(24),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ...(options.permitted === undefined ? [] : [new x509.Extension("2.5.29.30", true, nameConstraints(options.permitted))]),
    ],
  });
  const issuer: Name = ca.subjectName;

  return {
    pem: `${ca.toString("pem")}\n`,
    async issue({ names = ["localhost"], commonName = "localhost", from = -1, to = 24, selfSigned = false } = {}) {
      const own = await newKeys();
      const name = [{ CN: [commonName] }];
      const certificate = await make({
        subject: name,
        issuer: selfSigned ? name : issuer.toJSON(),
        signingKey: selfSigned ? own.privateKey : keys.privateKey,
        publicKey: own.publicKey,
        notBefore: hours(from),
        notAfter: hours(to),
        extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value })))],
      });
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", own.privateKey)).toString("base64");
      return { cert: `${certificate.toString("pem")}\n`, key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})/g, "$1\n").trimEnd()}\n-----END PRIVATE KEY-----\n` };
    },
  };
}

/** DER of NameConstraints { permittedSubtrees [0] { GeneralSubtree { dNSName [2] } } }. */
function nameConstraints(domain: string): Uint8Array<ArrayBuffer> {
  const wrap = (tag: number, content: Uint8Array) => Uint8Array.from([tag, content.length, ...content]);
  return wrap(0x30, wrap(0xa0, wrap(0x30, wrap(0x82, Buffer.from(domain)))));
}
