import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addedAuthorities, trustedRoots } from "../../src/adapters/trust-roots.ts";
import { codeOf } from "../fakes/codes.ts";
import { makeCertificates } from "../issuer/certificates.ts";

let folder: string;
let ours: { readonly pem: string; readonly file: string };
let other: { readonly pem: string; readonly file: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-trust-"));
  const make = async (name: string) => {
    mkdirSync(join(folder, name));
    const { caPem, caFile } = await makeCertificates(join(folder, name));
    return { pem: caPem, file: caFile };
  };
  ours = await make("ours");
  other = await make("other");
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const add = (options: { readonly caFiles?: readonly string[]; readonly caData?: readonly string[] }) => addedAuthorities({ caFiles: [], caData: [], insecure: false, ...options });
const digest = (pem: string) => new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
/** The certificates as such: files differ in the length of their lines. */
const bare = (pems: readonly string[]) => pems.map((pem) => pem.replace(/\s/g, ""));

describe("added authorities", () => {
  it("come from files and from base64 data, and are named by the sorted SHA-256 of their DER", () => {
    const { certificates, trust } = add({ caFiles: [ours.file], caData: [Buffer.from(other.pem).toString("base64")] });
    expect(certificates).toEqual([ours.pem.trim(), other.pem.trim()]);
    expect(trust).toEqual({ insecure: false, authorities: [digest(ours.pem), digest(other.pem)].sort() });
  });
  it("may be several in one file, between other text", () => {
    const bundle = file("bundle.pem", `# ours\r\n${ours.pem}\nother: é\n${other.pem}`);
    expect(add({ caFiles: [bundle] }).trust.authorities).toHaveLength(2);
  });
  it("count once, in whatever order and form they are given", () => {
    const twice = add({ caFiles: [other.file, ours.file, other.file], caData: [ours.pem] }).trust;
    expect(twice).toEqual(add({ caFiles: [ours.file, other.file] }).trust);
  });
  it("are none when nothing was asked for", () => expect(add({})).toEqual({ certificates: [], trust: { insecure: false, authorities: [] } }));

  it.each([
    ["a file that is missing", () => join(folder, "nowhere.pem")],
    ["a folder", () => folder],
    ["an empty file", () => file("empty.pem", "")],
    ["a private key", () => file("key.pem", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWtleQ==\n-----END PRIVATE KEY-----\n")],
    ["a certificate that is none", () => file("broken.pem", "-----BEGIN CERTIFICATE-----\nc2VjcmV0LWtleQ==\n-----END CERTIFICATE-----\n")],
    ["a good certificate beside a broken one", () => file("half.pem", `${ours.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`)],
    ["a certificate without its end", () => file("cut.pem", ours.pem.slice(0, 300))],
  ])("%s is refused, naming the option and the file, quoting nothing of it", (_name, make) => {
    const path = make();
    const read = () => add({ caFiles: [path] });
    expect(codeOf(read)).toBe("SETTINGS_INVALID");
    expect(read).toThrow(`--certificate-authority ${path}`);
    expect(read).toThrow(/^(?!.*c2VjcmV0)/);
  });
  it("a file that is far too large is refused without being read", () => {
    const path = file("large.pem", ours.pem);
    truncateSync(path, 8_388_609);
    expect(codeOf(() => add({ caFiles: [path] }))).toBe("SETTINGS_INVALID");
  });
  it.each(["", "AAAA", "not base64 at all", Buffer.from("-----BEGIN CERTIFICATE-----").toString("base64")])("the data %j is refused, naming the option", (data) => {
    const read = () => add({ caData: [data] });
    expect(codeOf(read)).toBe("SETTINGS_INVALID");
    expect(read).toThrow("--certificate-authority-data");
  });
});

describe("what a request trusts", () => {
  it("is Node's own roots and the added ones, each once", () => {
    const roots = bare(trustedRoots([ours.pem, ours.pem], {}));
    for (const root of bare([...rootCertificates, ours.pem])) expect(roots).toContain(root);
    expect(new Set(roots).size).toBe(roots.length);
    expect(roots).not.toContain(bare([other.pem])[0]);
  });
  it("keeps NODE_EXTRA_CA_CERTS in force", () => expect(bare(trustedRoots([], { NODE_EXTRA_CA_CERTS: other.file }))).toContain(bare([other.pem])[0]));
  it("takes SSL_CERT_FILE as the system's bundle where the system's trust is files, and nowhere else", () => {
    const inFiles = process.platform === "linux" || process.platform === "freebsd";
    expect(bare(trustedRoots([], { SSL_CERT_FILE: other.file })).includes(bare([other.pem])[0]!)).toBe(inFiles);
  });
  it.each(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"])("a %s that is missing, a folder or no certificate takes nothing away", (name) => {
    for (const path of [join(folder, "nowhere.pem"), folder, file("words.pem", "no certificate")]) {
      expect(bare(trustedRoots([ours.pem], { [name]: path }))).toEqual(expect.arrayContaining(bare([...rootCertificates, ours.pem])));
    }
  });
});
