import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addedAuthorities, type TrustOptions, trustedRoots, variableAuthorities } from "../../src/adapters/trust-roots.ts";
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
const add = (options: Partial<TrustOptions>) => addedAuthorities({ caFiles: [], caData: [], insecure: false, variables: variableAuthorities({}), ...options });
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

describe("variables that bring authorities", () => {
  const inFiles = process.platform === "linux" || process.platform === "freebsd";
  const digests = (env: Readonly<Record<string, string>>) => add({ variables: variableAuthorities(env) }).trust.authorities;

  it("count as added: a kubeconfig's env can set them [NW-07]", () => {
    expect(digests({ NODE_EXTRA_CA_CERTS: ours.file })).toEqual([digest(ours.pem)]);
    expect(digests({ SSL_CERT_FILE: ours.file })).toEqual(inFiles ? [digest(ours.pem)] : []);
    expect(digests({ NODE_EXTRA_CA_CERTS: file("both.pem", ours.pem + other.pem) })).toEqual([digest(ours.pem), digest(other.pem)].sort());
  });
  it("do not count with what Node or the system trusts anyway, however the lines are cut [NW-07]", () => {
    const [root = ""] = rootCertificates;
    const [begin, ...lines] = root.trim().split("\n");
    const wide = [begin, lines.slice(0, -1).join(""), lines.at(-1)].join("\n");
    expect(digests({ NODE_EXTRA_CA_CERTS: file("known.pem", [...rootCertificates.slice(0, 5), root.replaceAll("\n", "\r\n"), wide].join("\n")) })).toEqual([]);
    expect(digests({ NODE_EXTRA_CA_CERTS: file("one-more.pem", `${root}\n${ours.pem}`) })).toEqual([digest(ours.pem)]);
  });
  it.skipIf(!existsSync("/etc/ssl/certs/ca-certificates.crt"))("do not count when they name the system's own bundle (where there is one)", () => {
    expect(digests({ SSL_CERT_FILE: "/etc/ssl/certs/ca-certificates.crt", NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt" })).toEqual([]);
  });
  it("count once beside the option that names the same", () => {
    expect(add({ caFiles: [ours.file], variables: variableAuthorities({ NODE_EXTRA_CA_CERTS: ours.file }) }).trust).toEqual(add({ caFiles: [ours.file] }).trust);
  });
  it("are read once: what is judged is what is used", () => {
    const path = file("swapped.pem", ours.pem);
    const variables = variableAuthorities({ NODE_EXTRA_CA_CERTS: path });
    writeFileSync(path, other.pem);
    expect(add({ variables }).trust.authorities).toEqual([digest(ours.pem)]);
    expect(bare(trustedRoots([], variables))).not.toContain(bare([other.pem])[0]);
  });
  it("that hold what is no certificate bring nothing", () => {
    expect(digests({ NODE_EXTRA_CA_CERTS: file("junk.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") })).toEqual([]);
    expect(digests({ NODE_EXTRA_CA_CERTS: folder, SSL_CERT_FILE: "/dev/zero" })).toEqual([]);
  });
});

describe("what a request trusts", () => {
  it("is Node's own roots and the added ones, each once [NW-07]", () => {
    const roots = bare(trustedRoots([ours.pem, ours.pem], variableAuthorities({})));
    for (const root of bare([...rootCertificates, ours.pem])) expect(roots).toContain(root);
    expect(new Set(roots).size).toBe(roots.length);
    expect(roots).not.toContain(bare([other.pem])[0]);
  });
  it("keeps NODE_EXTRA_CA_CERTS in force", () => expect(bare(trustedRoots([], variableAuthorities({ NODE_EXTRA_CA_CERTS: other.file })))).toContain(bare([other.pem])[0]));
  it("takes SSL_CERT_FILE as the system's bundle where the system's trust is files, and nowhere else", () => {
    const inFiles = process.platform === "linux" || process.platform === "freebsd";
    expect(bare(trustedRoots([], variableAuthorities({ SSL_CERT_FILE: other.file }))).includes(bare([other.pem])[0]!)).toBe(inFiles);
  });
  it.each(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"])("a %s that is missing, a folder or no certificate takes nothing away", (name) => {
    for (const path of [join(folder, "nowhere.pem"), folder, file("words.pem", "no certificate")]) {
      expect(bare(trustedRoots([ours.pem], variableAuthorities({ [name]: path })))).toEqual(expect.arrayContaining(bare([...rootCertificates, ours.pem])));
    }
  });
});

it("a file of beginnings alone is looked through once, not once for each", () => {
  const text = "-----BEGIN CERTIFICATE-----".repeat(200_000);
  const started = performance.now();
  expect(() => addedAuthorities({ caFiles: [], caData: [text], insecure: false, variables: { instead: [], extra: [] } })).toThrow(
    expect.objectContaining({ code: "SETTINGS_INVALID" }),
  );
  expect(performance.now() - started).toBeLessThan(2_000);
});
