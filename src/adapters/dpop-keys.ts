import * as client from "openid-client";
import type { DpopKey } from "../core/dpop.ts";
import { type Secret, secret } from "../core/secret.ts";
import { isObject } from "../core/session.ts";
import { fail } from "../errors/oidc-error.ts";

type Proofs = Pick<client.DPoPOptions, "DPoP"> | undefined;

/** A key pair of this algorithm, as it is stored (RFC 7517): the private members, which hold the public ones. */
export async function newDpopKey(algorithm: string): Promise<DpopKey> {
  const { privateKey } = await client.randomDPoPKeyPair(algorithm, { extractable: true });
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey("jwk", privateKey);
  // RFC 7638, section 3.2: these members, in this order.
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify({ crv, kty, x, y })));
  return { key: secret(JSON.stringify({ kty, crv, x, y, d })), thumbprint: Buffer.from(digest).toString("base64url") };
}

/**
 * What makes the proofs with one key, in the form that the library's requests take. One for a whole run: it remembers the issuer's nonce, without
 * which each poll of a device would be asked twice. That is not kept for later runs: such a nonce is good for minutes (RFC 9449, section 8), a token
 * for longer. SESSION_REVOKED for a text that is no key: the session is lost with it.
 */
export function dpopHandles(): { of(config: client.Configuration, key: Secret | undefined): Promise<Proofs> } {
  const made = new Map<string, Promise<client.DPoPHandle>>();
  return {
    async of(config, key) {
      if (key === undefined) return undefined;
      const text = key.reveal();
      const handle = made.get(text) ?? handleOf(config, text);
      made.set(text, handle);
      return { DPoP: await handle };
    },
  };
}

async function handleOf(config: client.Configuration, text: string): Promise<client.DPoPHandle> {
  const lost = () => fail("SESSION_REVOKED", { message: "the key that the stored session is bound to cannot be read" });
  try {
    const jwk: unknown = JSON.parse(text);
    if (!isObject(jwk) || typeof jwk["crv"] !== "string") return lost();
    const { crv = "", x = "", y = "", d = "" } = jwk as Readonly<Record<string, string>>;
    const algorithm = { name: "ECDSA", namedCurve: crv };
    const [privateKey, publicKey] = await Promise.all([
      crypto.subtle.importKey("jwk", { kty: "EC", crv, x, y, d }, algorithm, false, ["sign"]),
      // It stands in every proof.
      crypto.subtle.importKey("jwk", { kty: "EC", crv, x, y }, algorithm, true, ["verify"]),
    ]);
    return client.getDPoPHandle(config, { privateKey, publicKey });
  } catch {
    return lost();
  }
}
