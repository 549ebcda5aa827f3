import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { decodeJwt, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { secret } from "../../src/core/secret.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import type { Override } from "../issuer/misbehaving.ts";
import { onlyFor } from "../issuer/misbehaviours.ts";
import { type EndpointStage, endpointStage, logIn, memoryCache, refreshWith } from "./endpoint-stage.ts";

let stage: EndpointStage;
beforeAll(async () => {
  stage = await endpointStage();
});
afterAll(() => stage.issuer.stop());
beforeEach(() => {
  stage.issuer.become({});
  stage.kept.length = 0;
});

/** The proper token answer with its ID token signed anew. */
const signed =
  (sign: (claims: Record<string, unknown>) => string | Promise<string>): Override =>
  async (_request, _nth, proper) => {
    const answer = await proper();
    const json = answer.json as Record<string, unknown>;
    return typeof json["id_token"] === "string" ? { ...answer, json: { ...json, id_token: await sign(decodeJwt(json["id_token"])) } } : answer;
  };

interface Key {
  readonly jwk: JWK;
  readonly signs: Override;
}

/** A key of the issuer's; without a name its tokens name none. */
async function newKey(kid?: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const header = { alg: "ES256", ...(kid === undefined ? {} : { kid }) };
  return {
    jwk: { ...(await exportJWK(publicKey)), alg: "ES256", use: "sig", ...(kid === undefined ? {} : { kid }) },
    signs: signed((claims) => new SignJWT(claims).setProtectedHeader(header).sign(privateKey)),
  };
}
const publishes = (...keys: object[]) => ({ jwks: { json: { keys } } });
const metadata = async (_request: unknown, _nth: number, proper: () => Promise<{ readonly json?: unknown }>) => {
  const answer = await proper();
  return { ...answer, json: { ...(answer.json as object), id_token_signing_alg_values_supported: ["RS256", "ES256"] } };
};

describe("a key set", () => {
  it("of a hundred keys serves; of more it is a fault that leaves the answer for later [NW-03]", async () => {
    const key = await newKey("ours");
    const others = (count: number) => Array.from({ length: count }, (_, n) => ({ ...key.jwk, kid: `other-${n}` }));
    stage.issuer.become({ token: key.signs, ...publishes(...others(99), key.jwk) });
    const tokens = await logIn(stage);
    stage.issuer.become({ token: key.signs, ...publishes(...others(100), key.jwk) });
    stage.kept.length = 0;
    await expect(refreshWith(stage, tokens)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", reason: "more than 100 keys" });
    expect(stage.kept.length).toBe(1);
  });
  it("of ten thousand keys is refused in no time [NW-03]", async () => {
    stage.issuer.become(publishes(...Array.from({ length: 10_000 }, (_, n) => ({ kty: "EC", kid: `${n}` }))));
    const since = performance.now();
    expect(await codeOfPromise(logIn(stage))).toBe("ISSUER_UNREACHABLE");
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it("with odd keys beside the right one serves", async () => {
    const key = await newKey("ours");
    stage.issuer.become({ token: key.signs, ...publishes(...oddKeys().map(([, jwk]) => jwk), key.jwk) });
    expect((await logIn(stage)).claims["sub"]).toBe("alice");
  });
  it("is stored with what proves something, and nothing else [NW-09]", async () => {
    const key = await newKey("ours");
    const cache = memoryCache();
    stage.issuer.become({ token: key.signs, ...publishes(...oddKeys().map(([, jwk]) => jwk), key.jwk) });
    await logIn(stage, cache);
    expect(JSON.stringify(cache.entry?.jwks)).not.toMatch(/"(d|p|q|k)":/);
    expect(cache.entry?.jwks?.keys).toContainEqual(key.jwk);
  });

  it.each(oddKeys())("whose key for the token is %s proves nothing, in bounded time", async (_, jwk) => {
    stage.issuer.become({ discovery: metadata, token: signed((claims) => tokenFor(jwk, claims)), ...publishes(jwk) });
    const since = performance.now();
    await expect(logIn(stage)).rejects.toMatchObject({ code: "ID_TOKEN_INVALID", exitStatus: 30 });
    expect(performance.now() - since).toBeLessThan(5_000);
  });
  it("with two keys of one name does not choose", async () => {
    const [first, second] = [await newKey("ours"), await newKey("ours")];
    stage.issuer.become({ token: first.signs, ...publishes(second.jwk, first.jwk) });
    await expect(logIn(stage)).rejects.toMatchObject({ code: "ID_TOKEN_INVALID", reason: expect.stringContaining("multiple") });
  });
});

/** Keys that nobody should have, each under the name that the token asks for. */
function oddKeys(): [string, JWK & { readonly kty: string }][] {
  const rsa = (bits: number) => ({ ...generateKeyPairSync("rsa", { modulusLength: bits }).publicKey.export({ format: "jwk" }), kid: "odd", alg: "RS256" }) as JWK & { kty: string };
  const [modern, point] = [rsa(2048), generateKeyPairSync("ec", { namedCurve: "P-256" })];
  const ec = { ...point.publicKey.export({ format: "jwk" }), kid: "odd", alg: "ES256" } as JWK & { kty: string };
  const number = (bytes: number) => Buffer.concat([Buffer.from([0xc1]), randomBytes(bytes - 2), Buffer.from([0x01])]).toString("base64url");
  return [
    ["RSA of 512 bits", rsa(512)],
    ["RSA of 1024 bits", rsa(1024)],
    ["RSA of 16,384 bits", { ...modern, n: number(2048) }],
    ["RSA of 65,536 bits", { ...modern, n: number(8192) }],
    ["RSA with an exponent of 16,384 bits", { ...modern, n: number(2048), e: number(2047) }],
    ["RSA with the exponent 1", { ...modern, e: "AQ" }],
    ["RSA with the exponent 0", { ...modern, e: "AA" }],
    ["RSA without numbers", { kty: "RSA", kid: "odd", alg: "RS256" }],
    ["a point beside its curve", { ...ec, x: ec.y ?? "", y: ec.x ?? "" }],
    ["a point at infinity", { ...ec, x: "AA", y: "AA" }],
    ["on a curve that is not its algorithm's", { ...ec, crv: "P-384" }],
    ["a private key", { ...(point.privateKey.export({ format: "jwk" }) as JWK & { kty: string }), kid: "odd", alg: "ES256" }],
    ["a symmetric key", { kty: "oct", k: Buffer.from("secret").toString("base64url"), kid: "odd", alg: "HS256" }],
    ["for encryption only", { ...ec, use: "enc" }],
    ["for another operation", { ...ec, key_ops: ["wrapKey"] }],
  ];
}

/** A token under the name of that key; with the exponent 1 its padded digest is its own signature. */
function tokenFor(jwk: JWK & { readonly kty: string }, claims: Record<string, unknown>): string {
  const alg = jwk.kty === "RSA" ? "RS256" : jwk.kty === "oct" ? "HS256" : "ES256";
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ alg, kid: "odd" })}.${encode(claims)}`;
  const size = alg === "RS256" ? Math.max(64, Buffer.from(jwk.n ?? "", "base64url").length) : 64;
  const digest = Buffer.concat([Buffer.from("3031300d060960864801650304020105000420", "hex"), createHash("sha256").update(input).digest()]);
  const padded = Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(Math.max(8, size - digest.length - 3), 0xff), Buffer.from([0]), digest]);
  return `${input}.${(alg === "RS256" ? padded : Buffer.alloc(64, 1)).toString("base64url")}`;
}

describe("keys that are replaced", () => {
  it("before the exchange are those of the exchange", async () => {
    const [old, young] = [await newKey("old"), await newKey("young")];
    stage.issuer.become({ token: old.signs, ...publishes(old.jwk) });
    await stage.provider().facts();
    stage.issuer.become({ token: young.signs, ...publishes(young.jwk) });
    expect((await logIn(stage)).claims["sub"]).toBe("alice");
  });

  it.each<[string, string | undefined, string | undefined]>([
    ["under a new name", "old", "young"],
    ["under their old name", "same", "same"],
    ["and have no names", undefined, undefined],
    ["and lose their names", "old", undefined],
  ])("between two refreshes, %s: the stored set is fetched anew, and the answer judged without another request", async (_, oldName, youngName) => {
    const [old, young] = [await newKey(oldName), await newKey(youngName)];
    const cache = memoryCache();
    stage.issuer.become({ token: old.signs, ...publishes(old.jwk) });
    const first = await logIn(stage, cache);
    const [asked, keys] = [stage.issuer.count("token"), stage.issuer.count("jwks")];
    const second = await refreshWith(stage, first, cache);
    expect(stage.issuer.count("jwks"), "the stored set serves").toBe(keys);
    stage.issuer.become({ token: young.signs, ...publishes(young.jwk) });
    stage.kept.length = 0;
    const third = await refreshWith(stage, second, cache);
    expect(third.refreshToken?.reveal()).not.toBe(second.refreshToken?.reveal());
    expect([stage.issuer.count("token") - asked, stage.issuer.count("jwks") - keys]).toEqual([2, 1]);
    // One answer, made durable once.
    expect(stage.kept.length).toBe(1);
    await refreshWith(stage, third, cache);
    expect(stage.issuer.count("jwks") - keys, "the new set is stored").toBe(1);
  });

  it("never make a stranger's token pass, and are fetched anew once", async () => {
    const [ours, stranger] = [await newKey("same"), await newKey("same")];
    const cache = memoryCache();
    stage.issuer.become({ token: ours.signs, ...publishes(ours.jwk) });
    const tokens = await logIn(stage, cache);
    const keys = stage.issuer.count("jwks");
    stage.issuer.become({ token: onlyFor("refresh_token", stranger.signs), ...publishes(ours.jwk) });
    expect(await codeOfPromise(refreshWith(stage, tokens, cache))).toBe("ID_TOKEN_INVALID");
    expect(stage.issuer.count("jwks") - keys).toBe(1);
  });

  it.each<[string, object, string]>([
    ["cannot be had", { status: 503, text: "" }, "ISSUER_UNREACHABLE"],
    ["have not changed, they say", { status: 304 }, "ISSUER_UNREACHABLE"],
    ["are none", { json: { keys: [] } }, "ID_TOKEN_INVALID"],
    ["are no set", { json: { keys: "none" } }, "ISSUER_UNREACHABLE"],
    ["never come", { fate: "reset" }, "ISSUER_UNREACHABLE"],
  ])("and at that moment %s: the answer is kept, and judged later without a token request", async (_, jwks, code) => {
    const [old, young] = [await newKey("old"), await newKey("young")];
    const cache = memoryCache();
    stage.issuer.become({ token: old.signs, ...publishes(old.jwk) });
    const tokens = await logIn(stage, cache);
    stage.kept.length = 0;
    stage.issuer.become({ token: young.signs, jwks });
    expect(await codeOfPromise(refreshWith(stage, tokens, cache))).toBe(code);
    const [body = ""] = stage.kept;
    const asked = stage.issuer.count("token");
    stage.issuer.become(publishes(young.jwk));
    const judged = await stage.provider(cache).judgeAgain({ reveal: () => body, toString: () => "", toJSON: () => "" });
    expect(judged.refreshToken?.reveal()).toBe(JSON.parse(body).refresh_token);
    expect(stage.issuer.count("token")).toBe(asked);
  });
});

describe("the roots of an issuer's connections", () => {
  it("are kept with what it says, the next run begins with them, and the keys are no younger for it", async () => {
    const cache = memoryCache();
    const tokens = await logIn(stage, cache);
    const begun: (readonly string[])[] = [];
    const roots = (...learned: readonly string[]) => ({ begin: (pems: readonly string[]) => void begun.push(pems), learned: () => learned });
    const run = async (known: ReturnType<typeof roots>, refreshToken = tokens.refreshToken) =>
      stage.provider(cache, known).refresh(refreshToken ?? secret(""), [], async (answer) => void stage.kept.push(answer.body.reveal()));
    const first = await run(roots("one"));
    expect(cache.entry?.roots).toEqual(["one"]);
    const aged = { ...cache.entry, jwksAt: (cache.entry?.jwksAt ?? 0) - 60_000 };
    cache.entry = aged as typeof cache.entry;
    await run(roots("one", "two"), first.refreshToken);
    expect(begun.at(-1)).toEqual(["one"]);
    expect(cache.entry).toEqual({ ...aged, roots: ["one", "two"] });
  });
});
