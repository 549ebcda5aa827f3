import { describe, expect, it } from "vitest";
import { credentialOf } from "../e2e/program.ts";
import type { Forgery } from "../issuer/issuer-keys.ts";
import type { Behaviour } from "../issuer/misbehaving.ts";
import { changeJson, changeRedirect } from "../issuer/misbehaviours.ts";
import { onStage } from "./lying-stage.ts";

const now = () => Math.floor(Date.now() / 1000);
const lists = (...algorithms: string[]) => ({ discovery: changeJson({ id_token_signing_alg_values_supported: algorithms }) });
const signed = (alg: Forgery["alg"]): Behaviour => ({ ...lists(String(alg)), idToken: alg === undefined ? {} : { alg } });
const claims = (changes: Readonly<Record<string, unknown>>): Behaviour => ({ idToken: { claims: changes } });

/** What a strict reader may stumble over, and must not. */
const accepted: readonly (readonly [title: string, behaviour: Behaviour])[] = [
  ["a proper answer [RP-01, RP-30]", {}],
  ["an RS256 signature [RP-08, ID-06]", signed("RS256")],
  ["a PS256 signature, where the issuer lists it [ID-06]", signed("PS256")],
  ["an ES256 signature, where the issuer lists it [ID-06]", signed("ES256")],
  ["an EdDSA signature, where the issuer lists it [ID-06]", signed("EdDSA")],
  ["RS256 from an issuer that does not list its algorithms [ID-07]", { ...signed("RS256"), discovery: changeJson({ id_token_signing_alg_values_supported: undefined }) }],
  ["RS256 from an issuer that lists none and HS256 beside it [ID-07, RP-92]", { ...signed("RS256"), ...lists("none", "HS256", "RS256") }],
  ["a token that names no key, where the issuer has one [RP-06]", { idToken: { header: { kid: undefined } } }],
  ["a token without a type in its header [ID-06]", { idToken: { header: { typ: undefined } } }],
  ["an audience in a list [RP-63, ID-03]", claims({ aud: ["kubernetes"] })],
  ["two audiences, where azp is us (Dex with trusted peers) [ID-04]", claims({ aud: ["kubernetes", "another-cluster"], azp: "kubernetes" })],
  ["azp beside one audience, where it is us [ID-05]", claims({ azp: "kubernetes" })],
  ["a subject of 255 characters [ID-17]", claims({ sub: "s".repeat(255) })],
  ["an issue time two minutes ahead: clocks differ [ID-09]", claims({ iat: now() + 120 })],
  ["a token that begins now [ID-10]", claims({ nbf: now() })],
  ["a token type in capitals [RP-64]", { token: changeJson({ token_type: "BEARER" }) }],
  ["a token type in mixed letters [RP-64]", { token: changeJson({ token_type: "bEaReR" }) }],
  ["no word of how long the access token lives [RP-65]", { token: changeJson({ expires_in: undefined }) }],
  ["a life of the access token as a text [RP-65]", { token: changeJson({ expires_in: "3600" }) }],
  ["an iss in the callback that nobody promised [I-04]", { discovery: changeJson({ authorization_response_iss_parameter_supported: undefined }) }],
  [
    "no iss in the callback, where nobody promised one [I-02, I-04]",
    { discovery: changeJson({ authorization_response_iss_parameter_supported: undefined }), authorization: changeRedirect({ iss: undefined }) },
  ],
  ["members of the token answer that nobody knows [RP-01]", { token: changeJson({ ext_expires_in: 1, nested: { deep: [1] } }) }],
  [
    "aggregated and distributed claims, which are not followed [RP-46]",
    claims({
      _claim_names: { groups: "far", address: "near" },
      _claim_sources: { far: { endpoint: "http://elsewhere.example/claims", access_token: "t" }, near: { JWT: "e30.e30." } },
    }),
  ],
];

describe("a login and the refreshes after it accept", () => {
  it.concurrent.each(accepted)("%s", (_, behaviour) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become(behaviour);
      const first = credentialOf(await logIn()).status.token;
      const second = credentialOf(await refresh()).status.token;
      const third = credentialOf(await refresh()).status.token;
      expect(new Set([first, second, third]).size).toBe(3);
      // Nothing but the endpoints of the flow was asked, whatever a token names.
      expect(issuer.requests.filter(({ route }) => !["discovery", "authorization", "token", "jwks"].includes(route))).toEqual([]);
    }),
  );
});
