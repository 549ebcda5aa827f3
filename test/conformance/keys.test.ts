import { rmSync } from "node:fs";
import { join } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { describe, it } from "vitest";
import { credentialOf } from "../e2e/program.ts";
import type { Behaviour, Override } from "../issuer/misbehaving.ts";
import { changeJson } from "../issuer/misbehaviours.ts";
import { expectRefusal, type LyingStage, onStage } from "./lying-stage.ts";

type Jwk = Readonly<Record<string, unknown>>;
/** Publishes other keys than the proper ones. */
const publishing =
  (change: (keys: readonly Jwk[]) => readonly unknown[] | Promise<readonly unknown[]>): Override =>
  async (_request, _nth, proper) => ({ json: { keys: await change(((await proper()).json as { keys: readonly Jwk[] }).keys) } });
/** Forgets what is known of the issuer. */
const forgetKeys = ({ home }: LyingStage) => rmSync(join(home.data, "issuers"), { recursive: true });
const unnamed = { idToken: { header: { kid: undefined } } };

describe("keys that the issuer replaces", () => {
  it.concurrent("between the authorization and the token are fetched when the token comes [RP-23]", () =>
    onStage(async ({ issuer, logIn }) => {
      issuer.become({
        token: async (_request, _nth, proper) => {
          await issuer.rotateKeys();
          return proper();
        },
      });
      credentialOf(await logIn());
    }));

  it.concurrent.each([
    ["with a warm cache of keys", false],
    ["with a cold one", true],
  ])("between login and refresh are fetched anew, %s [RP-24]", (_, isCold) =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn());
      for (let i = 0; i < 2; i++) {
        if (isCold) forgetKeys(stage);
        await stage.issuer.rotateKeys();
        credentialOf(await stage.refresh());
      }
    }),
  );

  it.concurrent("seconds after we fetched them are fetched once more [RP-24]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ jwks: { status: 503, text: "" } });
      expectRefusal(issuer, await logIn(), "ISSUER_UNREACHABLE");
      // One run judges the login's answer, for which it fetches the keys, and then refreshes: by then they are others.
      issuer.become({
        token: async (_request, _nth, proper) => {
          await issuer.rotateKeys();
          return proper();
        },
      });
      credentialOf(await refresh("--force-refresh"));
    }));

  it.concurrent("under their old names are fetched anew [RP-24]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      await issuer.rotateKeys({ sameNames: true });
      credentialOf(await refresh());
    }));

  it.concurrent("and never names are fetched anew [RP-24, RP-06]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become(unnamed);
      credentialOf(await logIn());
      await issuer.rotateKeys();
      credentialOf(await refresh());
    }));

  it.concurrent("with keys of an algorithm that it did not list before are used: its document is read anew [RP-24, ID-07]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ discovery: changeJson({ id_token_signing_alg_values_supported: ["ES256"] }) });
      credentialOf(await logIn());
      issuer.become({ idToken: { alg: "PS256" }, discovery: changeJson({ id_token_signing_alg_values_supported: ["PS256"] }) });
      credentialOf(await refresh());
    }));

  it.concurrent("and withdraws: a token of the old key, which we still know, is good; of an unknown one it is not [RP-24]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      issuer.become({ jwks: publishing(() => []) });
      credentialOf(await refresh());
      issuer.become({ jwks: publishing(() => []), idToken: { header: { kid: "unknown" } } });
      expectRefusal(issuer, await refresh(), "ID_TOKEN_INVALID");
      issuer.become({});
      credentialOf(await refresh());
    }));
});

describe("a key proves nothing", () => {
  const useless: readonly (readonly [title: string, behaviour: Behaviour])[] = [
    ["that is for encryption (use)", { jwks: publishing((keys) => keys.map((key) => ({ ...key, use: "enc" }))) }],
    ["that is not for verifying (key_ops)", { jwks: publishing((keys) => keys.map(({ use: _, ...key }) => ({ ...key, key_ops: ["deriveKey"] }))) }],
    ["that is for another algorithm (alg)", { jwks: publishing((keys) => keys.map((key) => ({ ...key, alg: "ES384" }))) }],
    ["of another curve under the right name", { jwks: publishing(async (keys) => [{ ...(await exportJWK((await generateKeyPair("ES384")).publicKey)), kid: keys[0]?.["kid"] }]) }],
    ["of another type under the right name", { jwks: publishing(async (keys) => [{ ...(await exportJWK((await generateKeyPair("RS256")).publicKey)), kid: keys[0]?.["kid"] }]) }],
    [
      "that shares its name with another of its kind",
      { jwks: publishing(async (keys) => [...keys, { ...(await exportJWK((await generateKeyPair("ES256")).publicKey)), kid: keys[0]?.["kid"] }]) },
    ],
    [
      "that is secret (oct), for a token that is signed with it",
      { jwks: publishing(() => [{ kty: "oct", k: "a3ViZXJuZXRlcw", alg: "HS256", use: "sig" }]), idToken: { alg: "HS256" } },
    ],
    ["that is not there", { jwks: publishing(() => []) }],
  ];
  it.concurrent.each(useless)("%s [ID-06]", (_, behaviour) =>
    onStage(async ({ issuer, logIn }) => {
      issuer.become(behaviour);
      expectRefusal(issuer, await logIn(), "ID_TOKEN_INVALID");
    }),
  );
});

describe("a key is found", () => {
  const found: readonly (readonly [title: string, behaviour: Behaviour])[] = [
    ["that says no more than what it is", { jwks: publishing((keys) => keys.map(({ kty, crv, x, y, kid }) => ({ kty, crv, x, y, kid }))) }],
    ["among keys that nobody can use", { jwks: publishing((keys) => [{ kty: "oct", k: "c2VjcmV0" }, { kty: "PQ", kid: "future" }, {}, ...keys]) }],
    [
      "that shares its name with one of another type",
      { jwks: publishing(async (keys) => [{ ...(await exportJWK((await generateKeyPair("RS256")).publicKey)), kid: keys[0]?.["kid"] }, ...keys]) },
    ],
    [
      "by its type, when the token names none and each key has another",
      { ...unnamed, jwks: publishing(async (keys) => [{ ...(await exportJWK((await generateKeyPair("RS256")).publicKey)), use: "sig" }, ...keys]) },
    ],
  ];
  it.concurrent.each(found)("%s [ID-06, RP-21]", (_, behaviour) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become(behaviour);
      credentialOf(await logIn());
      credentialOf(await refresh());
    }),
  );
});
