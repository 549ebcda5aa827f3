import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import type { JWK } from "oidc-provider";
import { makeProviderStorage, type ProviderStorage } from "./provider-storage.ts";

/** What an issuer has beside its program: a second one that is started with it is the first one after a restart. */
export interface ProviderMemory {
  readonly storage: ProviderStorage;
  readonly cookieKey: string;
  /** The signing keys; the first of each algorithm signs. */
  keys(): readonly JWK[];
  /** New keys sign from the next start on. `keepOld`: the former ones are still published, so that tokens that are out stay good. */
  rotateKeys(how: { readonly keepOld: boolean }): Promise<void>;
}

export async function makeProviderMemory(): Promise<ProviderMemory> {
  const fresh = async () => [await signingKey("RS256"), await signingKey("ES256")];
  const state = { keys: await fresh() };
  return {
    storage: makeProviderStorage(),
    cookieKey: randomBytes(32).toString("base64url"),
    keys: () => state.keys,
    async rotateKeys({ keepOld }) {
      state.keys = [...(await fresh()), ...(keepOld ? state.keys.slice(0, 2) : [])];
    },
  };
}

async function signingKey(alg: "RS256" | "ES256"): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `${alg.toLowerCase()}-${randomBytes(4).toString("hex")}` } as JWK;
}
