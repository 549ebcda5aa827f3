import { createHmac, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** How one token differs from a proper one. Nothing given: properly signed with ES256. */
export interface Forgery {
  readonly alg?: SignatureAlgorithm | "HS256" | "none";
  /** Laid over the proper claims; `undefined` takes a claim away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Laid over the proper header; `undefined` takes a member away. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** `stranger`: signed with a key that the issuer never published, under the name of one that it did. */
  readonly key?: "ours" | "stranger";
  /** Of HS256; the client ID when not given. */
  readonly hmacKey?: string;
  /** What becomes of the whole token at last. */
  readonly bent?: (token: string) => string;
}

export interface IssuerKeys {
  /** The public keys that exist so far: the RSA key is made when it is first asked for, because that takes a while. */
  published(): { readonly keys: readonly JWK[] };
  sign(claims: Readonly<Record<string, unknown>>, forgery?: Forgery): Promise<string>;
  /** New keys from here on, and only they are published; under the names of the old ones if `sameNames`. */
  rotate(how?: { readonly sameNames?: boolean }): Promise<void>;
}

/** A header parameter that nobody knows, for `crit`. */
export const unknownExtension = "urn:example:unknown";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
export type SignatureAlgorithm = "ES256" | "ES384" | "RS256" | "PS256" | "EdDSA";

/** Fresh keys of one issuer. */
export async function makeIssuerKeys(): Promise<IssuerKeys> {
  const state = { suffix: randomBytes(4).toString("hex") };
  const kidOf = (alg: SignatureAlgorithm) => `${alg.toLowerCase()}-${state.suffix}`;
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
    async rotate({ sameNames = false } = {}) {
      const algorithms = published.splice(0).map(({ alg }) => alg as SignatureAlgorithm);
      for (const alg of algorithms) pairs.delete(`ours ${alg}`);
      if (!sameNames) state.suffix = randomBytes(4).toString("hex");
      for (const alg of algorithms) await pairOf(alg, "ours");
    },
    sign: async (properClaims, { alg = "ES256", claims = {}, header = {}, key = "ours", hmacKey = "kubernetes", bent = (token: string) => token } = {}) => {
      const payload = withoutUndefined({ ...properClaims, ...claims });
      if (alg === "none" || alg === "HS256") return bent(compact(withoutUndefined({ alg, typ: "JWT", ...header }), payload, alg, hmacKey));
      const { privateKey } = await pairOf(alg, key);
      // The published key of this name must exist before anybody can look it up.
      await pairOf(alg, "ours");
      const { alg: named = alg, ...rest } = header;
      const token = await new SignJWT(payload)
        .setProtectedHeader({ alg, ...withoutUndefined({ typ: "JWT", kid: kidOf(alg), ...rest }) })
        .sign(privateKey, { crit: { [unknownExtension]: true } });
      return bent(named === alg ? token : renamed(token, named));
    },
  };
}

/** Written by hand: no library signs what must never be accepted. */
function compact(header: object, payload: object, alg: "none" | "HS256", hmacKey: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${alg === "none" ? "" : createHmac("sha256", hmacKey).update(input).digest("base64url")}`;
}

/** The same token under a header that names another algorithm: jose signs with none but the one it names. */
function renamed(token: string, alg: unknown): string {
  const [header = "", ...rest] = token.split(".");
  const changed = { ...JSON.parse(Buffer.from(header, "base64url").toString()), alg };
  return [Buffer.from(JSON.stringify(changed)).toString("base64url"), ...rest].join(".");
}

function withoutUndefined(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
