import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { exportJWK, type JWTPayload, SignJWT } from "jose";

/** Signs with its newest key; the one before stays published, as real issuers do it. */
export async function idTokenSigner() {
  const keys: { readonly kid: string; readonly privateKey: KeyObject; readonly jwk: object }[] = [];

  async function addKey(): Promise<void> {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const kid = randomBytes(6).toString("hex");
    keys.push({ kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" } });
    if (keys.length > 2) keys.shift();
  }

  await addKey();
  return {
    addKey,
    keys: () => keys.map(({ jwk }) => jwk),
    async sign(claims: JWTPayload): Promise<string> {
      const { kid, privateKey } = keys.at(-1)!;
      return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid }).sign(privateKey);
    },
  };
}
