import { createPrivateKey, sign } from "node:crypto";
import { checkIdToken, decodeJwt, displayName, namesAnotherIdentity } from "../../../src/core/id-token.ts";
import { openIdProvider } from "../../../src/adapters/openid-provider.ts";
import type { ProviderOptions } from "../../../src/adapters/provider-options.ts";
import { isNestedDeeper } from "../../../src/core/json-depth.ts";
import { secret } from "../../../src/core/secret.ts";
import { isObject } from "../../../src/core/session.ts";
import { openableUrl } from "../../../src/core/untrusted-text.ts";
import type { TokenAnswer } from "../../../src/ports.ts";
import { harmIn } from "../../fakes/hostile-texts.ts";
import { mustHold, type Subject, type Target } from "../target.ts";
import { onlyJson } from "./command-line.ts";

const issuer = "https://id.example.com";
const clientId = "kubernetes";
const accessToken = "ACTQ-0123456789abcdefghij";
const refreshToken = "RFTQ-0123456789abcdefghij";
const deviceCode = "DVCQ-0123456789abcdefghij";
const secrets = [accessToken, refreshToken, deviceCode];

/** A key of the fuzzer alone. Ed25519 signs without randomness, so that an input is the same in every run. */
const jwk = { kty: "OKP", crv: "Ed25519", x: "SQw-3uniUxh8yurx9zWqqQb8ud9ebkTXHkEfn6NYxyQ" };
const privateKey = createPrivateKey({ key: { ...jwk, d: "vKm9MF7_vHrF_1WC5CoO2j-0EQwK2Ukz9qmISX-ZE0s" }, format: "jwk" });
const publicKey = { ...jwk, kid: "k1", alg: "EdDSA", use: "sig" };

const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  device_authorization_endpoint: `${issuer}/device`,
  revocation_endpoint: `${issuer}/revoke`,
  end_session_endpoint: `${issuer}/end`,
  scopes_supported: ["openid", "offline_access"],
  id_token_signing_alg_values_supported: ["EdDSA"],
};
const claims = { iss: issuer, aud: clientId, sub: "ann", email: "ann@example.com", nonce: "n", iat: 1_700_000_000, exp: 4_000_000_000, auth_time: 1_700_000_000 };
const header = { alg: "EdDSA", kid: "k1", typ: "JWT" };
/** An object in the place of the ID token is signed: its claims are mutated behind a good signature. */
const answer = { access_token: accessToken, token_type: "Bearer", expires_in: 300, refresh_token: refreshToken, id_token: { header, claims } };
const device = {
  device_code: deviceCode,
  user_code: "WDJB-MJHT",
  verification_uri: `${issuer}/device`,
  verification_uri_complete: `${issuer}/device?user_code=WDJB-MJHT`,
  expires_in: 600,
  interval: 5,
};

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
function signed(token: { readonly header?: unknown; readonly claims?: unknown }): string {
  const text = `${part(token.header ?? {})}.${part(token.claims ?? {})}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString("base64url")}`;
}

/** The answer's text with its ID token signed; as it is when that is a text already, or when it is no JSON. */
function withSignature(body: Buffer): string | Buffer {
  const text = onlyJson(body);
  // Writing it again would overflow the fuzzer's own stack; as it is, it goes to the reader all the same.
  if (isNestedDeeper(text, 1_000)) return body;
  const value: unknown = JSON.parse(text);
  return isObject(value) && isObject(value["id_token"]) ? JSON.stringify({ ...value, id_token: signed(value["id_token"]) }) : body;
}

interface Answers {
  readonly discovery?: Buffer | string;
  readonly jwks?: Buffer | string;
  readonly token?: Buffer | string;
  readonly device?: Buffer | string;
  readonly status?: number;
  readonly contentType?: string;
}

/** The real provider over answers from memory. */
function provider(answers: Answers, more: Partial<ProviderOptions> = {}) {
  const respond = (body: Buffer | string, status = 200) =>
    new Response(typeof body === "string" ? body : new Uint8Array(body), { status, headers: { "content-type": answers.contentType ?? "application/json" } });
  return openIdProvider({
    issuer,
    clientId,
    clientSecret: undefined,
    useAccessToken: false,
    acrValues: undefined,
    maxAge: undefined,
    now: () => 1_800_000_000_000,
    cache: { read: () => undefined, write: () => undefined, unlock: () => undefined },
    async fetch(url) {
      const { pathname } = new URL(url);
      if (pathname.endsWith("/openid-configuration")) return respond(answers.discovery ?? JSON.stringify(metadata), answers.discovery === undefined ? 200 : answers.status);
      if (pathname === "/jwks") return respond(answers.jwks ?? JSON.stringify({ keys: [publicKey] }), answers.jwks === undefined ? 200 : answers.status);
      return respond((pathname === "/device" ? answers.device : answers.token) ?? "{}", answers.status);
    },
    ...more,
  });
}

function judgeAnswer(found: TokenAnswer): void {
  const { iss, aud, sub, azp, exp } = found.claims;
  mustHold(iss === issuer, "a token of another issuer");
  mustHold(aud === clientId || (Array.isArray(aud) && aud.includes(clientId)), "a token for another client");
  mustHold(azp === undefined || azp === clientId, "a token that another client was given");
  mustHold(typeof sub === "string" && sub !== "" && typeof exp === "number", "a token without subject or end");
  const name = displayName(found.claims);
  mustHold(name === undefined || harmIn(name).length === 0, "a name that a terminal obeys");
  // A mutation may have put one into the claims or the scope, where it is the issuer's to say.
  const { claims: _, scope: __, ...tokens } = found;
  mustHold(!JSON.stringify(tokens).includes(accessToken.slice(0, 14)), "an answer tells its tokens");
}

const noop = async () => undefined;
const subject = (run: Subject["run"]): Subject => ({ run });

export const discovery: Target = {
  name: "discovery",
  what: "a discovery document",
  kind: "json",
  secrets: [],
  seeds: [metadata, { ...metadata, token_endpoint_auth_methods_supported: ["client_secret_post"], require_pushed_authorization_requests: false }, { error: "x" }].map((one) =>
    JSON.stringify(one),
  ),
  start: () =>
    subject(async (input, say) => {
      const own = provider({ discovery: input });
      const facts = await own.facts();
      mustHold(facts.issuer === issuer, "another issuer");
      for (const url of [facts.authorizationEndpoint, facts.endSessionEndpoint]) mustHold(url === undefined || openableUrl(url) === url, "an endpoint that may not be opened");
      const { url } = await own.startAuthorization({ redirectUri: "http://localhost:8000", scope: "openid", extra: [["prompt", "none"]], state: "s" });
      mustHold(new URL(url).searchParams.get("code_challenge_method") === "S256", "a login without PKCE");
      say(url);
      return facts;
    }),
};

export const keySets: Target = {
  name: "keys",
  what: "a key set",
  kind: "json",
  secrets: [],
  seeds: [
    { keys: [publicKey] },
    {
      keys: [
        { kty: "RSA", n: "AQAB", e: "AQAB", kid: "k1" },
        { ...publicKey, kid: "other" },
      ],
    },
    { keys: [{ kty: "oct", k: "c2VjcmV0" }] },
  ].map((one) => JSON.stringify(one)),
  start: () =>
    subject(async (input) => {
      const token = JSON.stringify({ ...answer, id_token: signed({ header, claims }) });
      judgeAnswer(await provider({ jwks: input, token }).refresh(secret("r"), [], noop));
    }),
};

/** A code, a refresh and a stored answer, each judged with the same body. */
export const tokenAnswers: Target = {
  name: "tokens",
  what: "a token answer",
  kind: "json",
  secrets,
  seeds: [
    answer,
    { ...answer, id_token: { header, claims: { ...claims, aud: [clientId, "other"], azp: clientId, acr: "mfa" } } },
    { access_token: accessToken, token_type: "bearer", id_token: signed({ header, claims }) },
    { access_token: signed({ header, claims }), token_type: "Bearer", refresh_token: refreshToken },
  ].map((one) => JSON.stringify(one)),
  start: () =>
    subject(async (input) => {
      const token = withSignature(input);
      const text = token.toString();
      namesAnotherIdentity(text, { issuer, clientId, subject: "ann" });
      const stages = [
        () => provider({ token }).refresh(secret("r"), [], noop),
        () =>
          provider({ token }, { maxAge: 60, acrValues: "mfa" }).exchangeCode(
            { url: issuer, state: "s", nonce: "n", verifier: secret("v".repeat(43)) },
            "http://localhost:8000",
            "?code=c&state=s",
            { maxAge: undefined, extra: [] },
            noop,
          ),
        () => provider({ token }).judgeAgain(secret(text)),
        () => provider({ token }, { useAccessToken: true }).machineGrant("client_credentials", [], noop),
      ];
      let fault: unknown;
      for (const [i, stage] of stages.entries()) {
        try {
          const found = await stage();
          if (i < 3) judgeAnswer(found);
        } catch (error) {
          fault ??= error;
        }
      }
      if (fault !== undefined) throw fault;
    }),
};

export const errorAnswers: Target = {
  name: "errors",
  what: "an error of the issuer",
  kind: "json",
  secrets: [],
  seeds: [{ error: "invalid_grant", error_description: "x", error_uri: "https://x" }, { error: "access_denied" }, { error: "slow_down", interval: 5 }, "<html>not JSON</html>"].map(
    (one) => (typeof one === "string" ? one : JSON.stringify(one)),
  ),
  start: () =>
    subject(async (input) => {
      // Of the input, so that a replay has the same ones.
      const status = [400, 401, 403, 404, 429, 500, 503, 302, 200][input.length % 9] ?? 400;
      const contentType = ["application/json", "text/html", "application/json; charset=utf-16", "nonsense"][(input[0] ?? 0) % 4] ?? "";
      const started = {
        deviceCode: secret(deviceCode),
        userCode: "x",
        verificationUri: issuer,
        verificationUriComplete: undefined,
        interval: 1,
        expiresIn: 1,
        verifier: secret("v"),
      };
      await provider({ token: input, status, contentType }).pollDevice(started, noop);
      await provider({ token: input, status, contentType }).refresh(secret("r"), [], noop);
    }),
};

export const deviceAnswers: Target = {
  name: "device",
  what: "a device authorization answer",
  kind: "json",
  secrets: [deviceCode],
  seeds: [device, { ...device, interval: "5", expires_in: 1e9, verification_uri_complete: undefined }].map((one) => JSON.stringify(one)),
  start: () =>
    subject(async (input, say) => {
      const found = await provider({ device: input }).startDevice({ scope: "openid", extra: [] });
      for (const url of [found.verificationUri, found.verificationUriComplete]) mustHold(url === undefined || openableUrl(url) === url, "an address that may not be opened");
      mustHold(found.interval >= 1 && found.interval <= 60 && found.expiresIn >= 1 && found.expiresIn <= 1800, "absurd times");
      say(`open ${found.verificationUri} and enter the code ${found.userCode}`);
    }),
};

export const jwts: Target = {
  name: "jwt",
  what: "a JSON Web Token",
  kind: "bytes",
  secrets: [],
  seeds: [signed({ header, claims }), signed({ header: { alg: "none" }, claims }), `${part(header)}.${part(claims)}.`, "a.b.c", ".."],
  start: () =>
    subject((input) => {
      const text = input.toString();
      const decoded = decodeJwt(text);
      checkIdToken(text, { clientId, now: 1_800_000_000, subject: "ann", acrValues: "mfa", maxAge: 60 });
      return decoded;
    }),
};
