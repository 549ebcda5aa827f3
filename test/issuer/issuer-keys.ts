import { createHmac, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** How one token differs from a proper one. Nothing given: properly signed with ES256. */
export interface Forgery {
  readonly alg?: "ES256" | "RS256" | "HS256" | "none";
  /** Laid over the proper claims; `undefined` takes a claim away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Laid over the proper header; `undefined` takes a member away. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** `stranger`: signed with a key that the issuer never published, under the name of one that it did. */
  readonly key?: "ours" | "stranger";
}

export interface IssuerKeys {
  /** The public keys that exist so far: the RSA key is made when it is first asked for, because that takes a while. */
  published(): { readonly keys: readonly JWK[] };
  sign(claims: Readonly<Record<string, unknown>>, forgery?: Forgery): Promise<string>;
}

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
type SignatureAlgorithm = "ES256" | "RS256";

/** Fresh keys of one issuer. */
export async function makeIssuerKeys(): Promise<IssuerKeys> {
  const suffix = randomBytes(4).toString("hex");
  const kidOf = (alg: SignatureAlgorithm) => `${alg.toLowerCase()}-${suffix}`;
  const pairs = new Map<string, Promise<Pair>>();
  const published: JWK[] = [];
  const pairOf = (alg: SignatureAlgorithm, owner: "ours" | "stranger"): Promise<Pair> => {
    const name = `${owner} ${alg}`;
    const known = pairs.get(name);
    if (known !== undefined) return known;
    const made = generateKeyPair(alg, { extractable: true }).then(async (pair) => {
      if (owner === "ours") published.push({ ...(await exportJWK(pair.publicKey)), alg, use: "sig", kid: kidOf(alg) });
      return pair;
    });
    pairs.set(name, made);
    return made;
  };
  await pairOf("ES256", "ours");

  return {
    published: () => ({ keys: [...published] }),
    sign: async (properClaims, { alg = "ES256", claims = {}, header = {}, key = "ours" } = {}) => {
      const payload = withoutUndefined({ ...properClaims, ...claims });
      if (alg === "none" || alg === "HS256") return compact(withoutUndefined({ alg, typ: "JWT", ...header }), payload, alg);
      const { privateKey } = await pairOf(alg, key);
      // The published key of this name must exist before anybody can look it up.
      await pairOf(alg, "ours");
      return new SignJWT(payload).setProtectedHeader({ alg, ...withoutUndefined({ typ: "JWT", kid: kidOf(alg), ...header }) }).sign(privateKey);
    },
  };
}

/** Written by hand: no library signs what must never be accepted. */
function compact(header: object, payload: object, alg: "none" | "HS256"): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${alg === "none" ? "" : createHmac("sha256", "kubernetes").update(input).digest("base64url")}`;
}

function withoutUndefined(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
