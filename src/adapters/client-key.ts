import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { CryptoKey } from "openid-client";
import { algorithmsOf, chosenAlgorithm, type KeyKind } from "../core/client-signature.ts";
import { isObject } from "../core/session.ts";
import { blocksOf, damaged, type KeyFile, pemPrivateKey, readKeyFile, whole } from "./private-key.ts";
import { badFile } from "./secret-file.ts";

/** A client's private key, for its assertions (RFC 7523) and its request objects (RFC 9101). */
export interface ClientKey {
  /** What it can sign with, the usual one first. */
  readonly algorithms: readonly string[];
  /** Ready for what the issuer lists. */
  signer(listed: unknown): Promise<Signer>;
}

export interface Signer {
  readonly key: CryptoKey;
  /** Members of the JOSE header: `alg`, and what tells the issuer which key it is. */
  readonly header: Readonly<Record<string, string>>;
}

/** Bits. RFC 7518, section 3.3. */
const leastModulus = 2048;

/** The key of `--client-key-file`, PEM or JWK. `keyId`: in place of the JWK's own. SETTINGS_INVALID naming the option, never the content; INTERRUPTED. */
export async function readClientKey(file: KeyFile, keyId: string | undefined): Promise<ClientKey> {
  const text = await readKeyFile(file);
  return text.trimStart().startsWith("{") ? jwkKey(file, text, keyId) : pemKey(file, text, keyId);
}

function pemKey(file: KeyFile, text: string, keyId: string | undefined): ClientKey {
  const key = pemPrivateKey(file, text);
  return clientKeyOf(file, key, algorithmsOf[kindOf(file, key)], { ...(keyId === undefined ? {} : { kid: keyId }), ...thumbprints(file, key, text) });
}

/**
 * Entra ID knows a key by its certificate's thumbprint (RFC 7515, sections 4.1.7 and 4.1.8), and `az ad sp create-for-rbac --create-cert` writes
 * both into one file. Without a certificate there is none to name.
 */
function thumbprints(file: KeyFile, key: KeyObject, text: string): Readonly<Record<string, string>> {
  for (const pem of blocksOf(text, /^CERTIFICATE$/)) {
    try {
      const certificate = new X509Certificate(pem);
      if (!certificate.checkPrivateKey(key)) continue;
      const encoded = (print: string) => Buffer.from(print.replaceAll(":", ""), "hex").toString("base64url");
      return { x5t: encoded(certificate.fingerprint), "x5t#S256": encoded(certificate.fingerprint256) };
    } catch {
      return badFile(file.option, file.path, "it holds a certificate that cannot be read");
    }
  }
  return {};
}

function jwkKey(file: KeyFile, text: string, keyId: string | undefined): ClientKey {
  const bad = (reason: string) => badFile(file.option, file.path, reason);
  const jwk = parsed(text);
  if (!isObject(jwk)) return bad("it is no JSON");
  if (Array.isArray(jwk["keys"])) return bad("it is a set of keys; the file must hold one of them");
  if (jwk["kty"] === "oct") return bad("it is a symmetric key; the issuer must not know a key that proves who we are");
  if (typeof jwk["kty"] !== "string") return bad("it is no JWK");
  if (jwk["d"] === undefined) return bad("it holds the public key; the private one is needed");
  if (jwk["use"] !== undefined && jwk["use"] !== "sig") return bad('its "use" says that it is not for signatures');
  const key = jwkObject(file, jwk);
  const able = algorithmsOf[kindOf(file, key)];
  const { alg, kid } = jwk;
  if (alg !== undefined && (typeof alg !== "string" || !able.includes(alg))) return bad('its "alg" does not fit it');
  const id = keyId ?? (typeof kid === "string" && kid !== "" ? kid : undefined);
  const named = ["x5t", "x5t#S256"].flatMap((name) => (typeof jwk[name] === "string" ? [[name, jwk[name]] as const] : []));
  return clientKeyOf(file, key, alg === undefined ? able : [alg], { ...(id === undefined ? {} : { kid: id }), ...Object.fromEntries(named) });
}

function jwkObject(file: KeyFile, jwk: Readonly<Record<string, unknown>>): KeyObject {
  try {
    return whole(createPrivateKey({ key: { ...jwk }, format: "jwk" }));
  } catch {
    return badFile(file.option, file.path, damaged);
  }
}

/** A SyntaxError would quote the file. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const curves: Readonly<Record<string, KeyKind>> = { prime256v1: "P-256", "P-256": "P-256", secp384r1: "P-384", "P-384": "P-384", secp521r1: "P-521", "P-521": "P-521" };

function kindOf(file: KeyFile, key: KeyObject): KeyKind {
  const bad = (reason: string) => badFile(file.option, file.path, reason);
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case "rsa":
      return (details?.modulusLength ?? 0) < leastModulus ? bad(`its RSA key has ${details?.modulusLength ?? 0} bits; 2048 are the least`) : "RSA";
    case "ec":
      return curves[details?.namedCurve ?? ""] ?? bad("its curve is none of P-256, P-384 and P-521");
    case "ed25519":
      return "Ed25519";
    default:
      return bad("its key is none of RSA, EC and Ed25519");
  }
}

function clientKeyOf(file: KeyFile, key: KeyObject, algorithms: readonly string[], names: Readonly<Record<string, string>>): ClientKey {
  return {
    algorithms,
    async signer(listed) {
      const alg = chosenAlgorithm(algorithms, listed);
      // OpenSSL asks less than WebCrypto whether its parts belong together.
      const refused = () => badFile(file.option, file.path, damaged);
      const der = key.export({ type: "pkcs8", format: "der" });
      return { key: await crypto.subtle.importKey("pkcs8", new Uint8Array(der), parametersOf(alg), false, ["sign"]).catch(refused), header: { alg, ...names } };
    },
  };
}

/** WebCrypto's words for a JWS algorithm. */
function parametersOf(alg: string) {
  const hash = `SHA-${alg.slice(2)}`;
  switch (alg.slice(0, 2)) {
    case "RS":
      return { name: "RSASSA-PKCS1-v1_5", hash };
    case "PS":
      return { name: "RSA-PSS", hash };
    case "ES":
      return { name: "ECDSA", namedCurve: alg === "ES512" ? "P-521" : `P-${alg.slice(2)}` };
    default:
      return { name: "Ed25519" };
  }
}
