import { createPrivateKey, createPublicKey, createVerify, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PrivateKeyJwt } from "openid-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientAuthentication } from "../../src/adapters/client-authentication.ts";
import { readClientKey } from "../../src/adapters/client-key.ts";
import type { ProviderOptions } from "../../src/adapters/provider-options.ts";
import { decodeJwt } from "../../src/core/id-token.ts";
import { isOidcError, type OidcError } from "../../src/errors/oidc-error.ts";
import { type OddAuthority, oddAuthority } from "../issuer/odd-certificates.ts";

let folder: string;
let authority: OddAuthority;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const ed25519 = generateKeyPairSync("ed25519").privateKey;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-key-"));
  authority = await oddAuthority();
});
afterAll(() => rmSync(folder, { recursive: true }));

const pem = (key: KeyObject, type: "pkcs8" | "pkcs1" | "sec1" = "pkcs8") => String(key.export({ type, format: "pem" } as { type: "pkcs8"; format: "pem" }));
const jwk = (key: KeyObject, more: object = {}) => JSON.stringify({ ...key.export({ format: "jwk" }), ...more });

const warned: string[] = [];
function read(text: string, keyId?: string, mode = 0o600) {
  const path = join(folder, "key");
  rmSync(path, { force: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return readClientKey({ option: "client-key-file", path, warn: (said) => void warned.push(said) }, keyId);
}

async function faultOf(text: string, mode?: number): Promise<OidcError> {
  try {
    await read(text, undefined, mode);
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
  throw new Error("it was taken");
}

/** The assertion that a request carries, with its signature verified. */
async function assertionOf(text: string, listed: unknown, keyId?: string) {
  const clientKey = await read(text, keyId);
  const authenticate = clientAuthentication({ clientKey } as ProviderOptions, { token_endpoint_auth_signing_alg_values_supported: listed });
  const body = new URLSearchParams();
  await authenticate({ issuer: "https://id.example.com" }, { client_id: "machine" }, body, new Headers());
  return { body, jwt: body.get("client_assertion") ?? "", ...decodeJwt(body.get("client_assertion") ?? "") };
}

function holds(jwt: string, key: KeyObject, alg: string): boolean {
  const [header, claims, signature = ""] = jwt.split(".");
  const data = Buffer.from(`${header}.${claims}`);
  const bytes = Buffer.from(signature, "base64url");
  const hash = `sha${alg.slice(2)}`;
  const publicKey = createPublicKey(key);
  if (alg.startsWith("RS")) return createVerify(hash).update(data).verify(publicKey, bytes);
  if (alg.startsWith("PS")) return verify(hash, data, { key: publicKey, padding: 6, saltLength: Number(alg.slice(2)) / 8 }, bytes);
  if (alg.startsWith("ES")) return verify(hash, data, { key: publicKey, dsaEncoding: "ieee-p1363" }, bytes);
  return verify(null, data, publicKey, bytes);
}

describe("a client's key signs an assertion that its public key verifies", () => {
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
  const p521 = generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey;
  it.each<[string, KeyObject, string, readonly string[] | undefined, string]>([
    ["RSA, PKCS #8", rsa, pem(rsa), undefined, "RS256"],
    ["RSA, PKCS #1", rsa, pem(rsa, "pkcs1"), ["PS256", "ES256"], "PS256"],
    ["RSA, JWK", rsa, jwk(rsa), ["RS384"], "RS384"],
    ["RSA, a JWK that says how", rsa, jwk(rsa, { alg: "PS512", use: "sig" }), ["RS256", "PS512"], "PS512"],
    ["P-256, PKCS #8", p256, pem(p256), ["RS256", "ES256"], "ES256"],
    ["P-256, SEC 1", p256, pem(p256, "sec1"), undefined, "ES256"],
    ["P-256, JWK", p256, jwk(p256), undefined, "ES256"],
    ["P-384", p384, pem(p384), undefined, "ES384"],
    ["P-521", p521, jwk(p521), undefined, "ES512"],
    ["Ed25519, PKCS #8", ed25519, pem(ed25519), ["EdDSA"], "EdDSA"],
    ["Ed25519, JWK, by its newer name", ed25519, jwk(ed25519), ["Ed25519"], "Ed25519"],
    ["with words around it, and Windows' line ends", p256, `Bag Attributes\n${pem(p256)}`.replaceAll("\n", "\r\n"), undefined, "ES256"],
  ])("%s [K-01, K-09]", async (_, key, text, listed, alg) => {
    const { jwt, header } = await assertionOf(text, listed);
    expect(header?.["alg"]).toBe(alg);
    expect(holds(jwt, key, alg)).toBe(true);
  });

  it("as openssl writes it, parameters before it included", async () => {
    const text = execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey"], { encoding: "utf8" });
    expect(text).toContain("BEGIN EC PARAMETERS");
    const { jwt } = await assertionOf(text, undefined);
    expect(holds(jwt, createPrivateKey(text.slice(text.indexOf("-----BEGIN EC PRIVATE"))), "ES256")).toBe(true);
  });

  it("for this issuer and no other, for a minute, and good on a clock that is half a minute slow [K-01, K-03]", async () => {
    const now = Math.floor(Date.now() / 1000);
    const { claims, body } = await assertionOf(pem(p256), undefined);
    expect(claims).toMatchObject({ iss: "machine", sub: "machine", aud: "https://id.example.com", jti: expect.stringMatching(/^[\w-]{20,}$/) });
    const { iat, nbf, exp } = claims as Record<"iat" | "nbf" | "exp", number>;
    for (const early of [iat, nbf]) expect(now - early).toBeGreaterThanOrEqual(29);
    expect(exp - now).toBeGreaterThanOrEqual(59);
    expect(exp - now).toBeLessThanOrEqual(62);
    expect(Object.fromEntries([...body].filter(([name]) => name !== "client_assertion"))).toEqual({
      client_id: "machine",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    });
  });

  it("a new one for each request", async () => {
    const clientKey = await read(pem(p256));
    const authenticate = clientAuthentication({ clientKey } as ProviderOptions, {});
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const body = new URLSearchParams();
        await authenticate({ issuer: "https://id.example.com" }, { client_id: "machine" }, body, new Headers());
        return decodeJwt(body.get("client_assertion") ?? "")?.claims["jti"];
      }),
    );
    expect(new Set(ids).size).toBe(2);
  });
});

describe("the key's name", () => {
  it("is --client-key-id, else the JWK's own, else none", async () => {
    expect((await assertionOf(jwk(p256, { kid: "own" }), undefined)).header).toEqual({ alg: "ES256", kid: "own" });
    expect((await assertionOf(jwk(p256, { kid: "own" }), undefined, "given")).header).toEqual({ alg: "ES256", kid: "given" });
    expect((await assertionOf(pem(p256), undefined, "given")).header).toEqual({ alg: "ES256", kid: "given" });
    expect((await assertionOf(pem(p256), undefined)).header).toEqual({ alg: "ES256" });
  });

  it("is its certificate's thumbprint too, where the file holds both (Entra ID)", async () => {
    const { cert, key } = await authority.issue();
    const stranger = await authority.issue();
    writeFileSync(join(folder, "cert.pem"), cert);
    const print = (digest: string) => {
      const [, hex = ""] = execFileSync("openssl", ["x509", "-in", join(folder, "cert.pem"), "-noout", "-fingerprint", `-${digest}`], { encoding: "utf8" }).split("=");
      return Buffer.from(hex.replace(/[:\s]/g, ""), "hex").toString("base64url");
    };
    for (const text of [key + cert, cert + key, key + stranger.cert + cert])
      expect((await assertionOf(text, undefined)).header).toEqual({ alg: "ES256", x5t: print("sha1"), "x5t#S256": print("sha256") });
    expect((await assertionOf(key + stranger.cert, undefined)).header).toEqual({ alg: "ES256" });
    expect((await assertionOf(jwk(p256, { x5t: "thumb" }), undefined)).header).toEqual({ alg: "ES256", x5t: "thumb" });
  });
});

describe("what is no key that a client can prove itself with is SETTINGS_INVALID, with the option, the file and why, and nothing of it", () => {
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  const secp256k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
  const x25519 = generateKeyPairSync("x25519").privateKey;
  const pss = generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey;
  const encrypted = (type: "pkcs8" | "sec1") => String(p256.export({ type, format: "pem", cipher: "aes-256-cbc", passphrase: "passphrase" } as { type: "pkcs8"; format: "pem" }));
  const damaged = pem(p256).replace(/\n[\w+/=]{10}/, "\nAAAAAAAAAA");
  it.each<[string, string, RegExp]>([
    ["a key with a passphrase (PKCS #8)", encrypted("pkcs8"), /passphrase/],
    ["a key with a passphrase (SEC 1)", encrypted("sec1"), /passphrase/],
    ["a public key", String(createPublicKey(p256).export({ type: "spki", format: "pem" })), /public key/],
    ["a public JWK", JSON.stringify(createPublicKey(p256).export({ format: "jwk" })), /public key/],
    ["a symmetric JWK", JSON.stringify({ kty: "oct", k: "c2VjcmV0LXNlY3JldC1zZWNyZXQ" }), /symmetric/],
    ["a set of keys", JSON.stringify({ keys: [p256.export({ format: "jwk" })] }), /set of keys/],
    ["a JWK for encryption", jwk(p256, { use: "enc" }), /not for signatures/],
    ["a JWK with an algorithm of another kind", jwk(p256, { alg: "RS256" }), /does not fit/],
    ["a JWK with an algorithm that is none", jwk(p256, { alg: "none" }), /does not fit/],
    ["a JWK that is no JSON", '{"kty":"EC","d":"SECRETSECRET', /no JSON/],
    ["a service account of Google", '{"type":"service_account","private_key":"SECRETSECRET"}', /no JWK/],
    ["a damaged JWK", jwk(p256).replace(/"x":"[^"]+"/, '"x":"AAAA"'), /damaged/],
    ["a damaged key", damaged, /damaged/],
    ["a small RSA key", pem(small), /1024 bits/],
    ["another curve", pem(secp256k1), /curve/],
    ["a key that signs nothing", pem(x25519), /none of RSA, EC and Ed25519/],
    ["an RSA key for PSS only", pem(pss), /none of RSA, EC and Ed25519/],
    ["two keys", pem(p256) + pem(rsa), /more than one/],
    ["a client secret", "SECRETSECRET", /no private key/],
    ["OpenSSH's own form", "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRETSECRET\n-----END OPENSSH PRIVATE KEY-----\n", /ssh-keygen -p -m PKCS8/],
    ["a key that is cut off", pem(rsa).slice(0, 800), /no private key/],
  ])("%s [K-02]", async (_, text, reason) => {
    const fault = await faultOf(text);
    expect(fault).toMatchObject({ code: "SETTINGS_INVALID", exitStatus: 40, reason: expect.stringMatching(reason) });
    const said = `${fault.message} ${fault.reason} ${fault.hint}`;
    expect(said).toContain(`--client-key-file, ${join(folder, "key")}`);
    for (const part of text.match(/[\w+/-]{10,}/g) ?? []) if (!/^(PRIVATE|private_key|service_account|-----)/.test(part)) expect(said).not.toContain(part);
    expect(fault.cause).toBeUndefined();
  });
  it("a key whose parts do not belong together, when it is to sign at the latest [K-02]", async () => {
    const { x } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
    const fault = await (async () => (await read(jwk(p256, { x }))).signer(undefined))().catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: "SETTINGS_INVALID", reason: expect.stringContaining("damaged") });
    const split = pem(p256).replace("-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA");
    expect((await faultOf(split)).reason).toContain("damaged");
  });
  it("a certificate alone", async () => expect((await faultOf((await authority.issue()).cert)).reason).toContain("a certificate and no private key"));
  it("a file that is not there, a folder, an empty file", async () => {
    const fileOf = (path: string) => () => readClientKey({ option: "client-key-file", path, warn: () => undefined }, undefined);
    await expect(fileOf(join(folder, "missing"))()).rejects.toThrow(expect.objectContaining({ code: "SETTINGS_INVALID", reason: "ENOENT" }));
    await expect(fileOf(folder)()).rejects.toThrow(expect.objectContaining({ code: "SETTINGS_INVALID" }));
    expect((await faultOf("")).reason).toBe("it is empty");
  });
});

describe.skipIf(process.platform === "win32")("the mode of a key's file", () => {
  it("that everybody may write: refused, since its content is whose it was last", async () => {
    for (const mode of [0o602, 0o666, 0o777]) expect(await faultOf(pem(p256), mode)).toMatchObject({ code: "SETTINGS_INVALID", reason: "everybody on this computer can write it" });
  });
  it("that everybody may read, and that is ours: taken, with a warning and the cure; for a group, as Kubernetes mounts secrets, without", async () => {
    warned.length = 0;
    for (const mode of [0o400, 0o600, 0o640, 0o440, 0o660]) await read(pem(p256), undefined, mode);
    expect(warned).toEqual([]);
    await read(pem(p256), undefined, 0o644);
    expect(warned).toEqual([`everybody on this computer can read the private key in ${join(folder, "key")}; run: chmod 600 on it`]);
  });
});

it("the library's own way to name an algorithm would say Ed25519 where most issuers know EdDSA", async () => {
  const { key } = await (await read(pem(ed25519))).signer(undefined);
  const body = new URLSearchParams();
  await PrivateKeyJwt(key)({ issuer: "https://id.example.com" }, { client_id: "machine" }, body, new Headers());
  expect(decodeJwt(body.get("client_assertion") ?? "")?.header["alg"]).toBe("Ed25519");
});
