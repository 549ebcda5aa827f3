import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readClientCertificate } from "../../src/adapters/client-certificate.ts";
import { isOidcError, type OidcError } from "../../src/errors/oidc-error.ts";
import { type OddAuthority, oddAuthority, type ServerCertificate } from "../issuer/odd-certificates.ts";

let folder: string;
let authority: OddAuthority;
let good: ServerCertificate;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-certificate-"));
  authority = await oddAuthority();
  good = await authority.issue({ commonName: "machine" });
});
afterAll(() => rmSync(folder, { recursive: true }));

const warned: string[] = [];
function read(cert: string, key: string, mode = 0o600) {
  const [certificateFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  for (const path of [certificateFile, keyFile]) rmSync(path, { force: true });
  writeFileSync(certificateFile, cert);
  writeFileSync(keyFile, key, { mode });
  return readClientCertificate(certificateFile, keyFile, { now: Date.now(), warn: (text) => void warned.push(text) });
}

async function faultOf(...given: Parameters<typeof read>): Promise<OidcError> {
  try {
    await read(...given);
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("a client's certificate", () => {
  it("is taken with its key in whatever PEM form, with those above it, and says when it ends [K-06]", async () => {
    const sec1 = String(createPrivateKey(good.key).export({ type: "sec1", format: "pem" }));
    for (const key of [good.key, sec1, `${good.cert}${good.key}`]) {
      const { cert, expiresAt, key: taken } = await read(`subject=/CN=machine\n${good.cert}\n${authority.pem}`, key);
      expect(cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
      expect(cert).not.toContain("subject=");
      expect(taken).toBe(good.key);
      expect(Math.abs(expiresAt - Date.now() - 24 * 3_600_000)).toBeLessThan(60_000);
    }
  });

  it.each<[string, () => Promise<Parameters<typeof read>>, string, RegExp]>([
    [
      "that has expired",
      async () => {
        const { cert, key } = await authority.issue({ from: -2, to: -1 });
        return [cert, key];
      },
      "--client-certificate, ",
      /has expired \(\d{4}-\d\d-\d\d\)/,
    ],
    [
      "that is not valid yet",
      async () => {
        const { cert, key } = await authority.issue({ from: 1, to: 2 });
        return [cert, key];
      },
      "--client-certificate, ",
      /valid from \d{4}-\d\d-\d\d on/,
    ],
    ["that is damaged", async () => [good.cert.replace(/\n[\w+/=]{20}/, "\nAAAAAAAAAAAAAAAAAAAA"), good.key], "--client-certificate, ", /damaged/],
    ["that is none", async () => ["hello", good.key], "--client-certificate, ", /no certificate in PEM/],
    ["whose key is a public key", async () => [good.cert, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"], "--client-key, ", /public key/],
    [
      "whose key has a passphrase",
      async () => [good.cert, String(createPrivateKey(good.key).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }))],
      "--client-key, ",
      /passphrase/,
    ],
    ["whose key everybody can write", async () => [good.cert, good.key, 0o666], "--client-key, ", /can write it/],
  ])("%s is SETTINGS_INVALID, with its option and why [K-06]", async (_, make, option, reason) => {
    const umask = process.umask(0);
    try {
      const fault = await faultOf(...(await make()));
      expect(fault).toMatchObject({ code: "SETTINGS_INVALID", message: expect.stringContaining(option), reason: expect.stringMatching(reason) });
    } finally {
      process.umask(umask);
    }
  });

  it("with the key of another one: both files are named [K-06]", async () => {
    const other = String(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }));
    const { message } = await faultOf(good.cert, other);
    expect(message).toContain(`${join(folder, "key.pem")}, is not that of the certificate ${join(folder, "cert.pem")}`);
    // An authority's certificate before the client's own is the usual slip.
    expect((await faultOf(authority.pem + good.cert, good.key)).hint).toContain("comes first");
  });

  it.skipIf(process.platform === "win32")("with a key that everybody can read: a warning", async () => {
    warned.length = 0;
    await read(good.cert, good.key, 0o644);
    expect(warned).toEqual([expect.stringContaining(`private key in ${join(folder, "key.pem")}`)]);
  });
});
