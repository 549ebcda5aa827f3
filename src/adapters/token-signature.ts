import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import { isObject } from "../core/session.ts";

/** How a signature of this algorithm is checked (RFC 7518, section 3; RFC 8037 and RFC 9864 for the Edwards curves). Undefined: not one of the asymmetric ones. */
function check(alg: string, key: KeyObject, data: Buffer, signature: Buffer): boolean | undefined {
  const [, family, bits] = /^(RS|PS|ES)(256|384|512)$/.exec(alg) ?? [];
  if (alg === "EdDSA" || alg === "Ed25519") return key.asymmetricKeyType?.startsWith("ed") === true && verify(null, data, key, signature);
  if (family === undefined) return undefined;
  if ((family === "ES") !== (key.asymmetricKeyType === "ec")) return false;
  if (family === "ES") return verify(`sha${bits}`, data, { key, dsaEncoding: "ieee-p1363" }, signature);
  const padding = family === "PS" ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
  return verify(`sha${bits}`, data, { key, ...padding }, signature);
}

/** Does one of these public keys (JWK) verify the token's signature? Those of another name than the token's `kid` are passed over. */
export function signatureHolds(token: string, keys: readonly object[]): boolean {
  const [head = "", body = "", end = "", ...rest] = token.split(".");
  const header = objectOf(Buffer.from(head, "base64url").toString("utf8"));
  const alg = header?.["alg"];
  if (typeof alg !== "string" || rest.length > 0) return false;
  const kid = header?.["kid"];
  const fits = (key: object) => kid === undefined || !("kid" in key) || key.kid === kid;
  return keys.filter(fits).some((jwk) => {
    try {
      return check(alg, createPublicKey({ key: { ...jwk }, format: "jwk" }), Buffer.from(`${head}.${body}`), Buffer.from(end, "base64url")) === true;
    } catch {
      // A key of a kind or curve that this Node does not know.
      return false;
    }
  });
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
