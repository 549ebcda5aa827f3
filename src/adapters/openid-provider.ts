import type { DeviceAuthorization } from "../core/device-answer.ts";
import * as client from "openid-client";
import { checkAnswerIssuer } from "../core/callback.ts";
import { secret } from "../core/secret.ts";
import { isTokenAnswer } from "../core/token-answer.ts";
import { openableUrlOf, safeText } from "../core/untrusted-text.ts";
import { fail, OidcError } from "../errors/oidc-error.ts";
import type { OpenIdProvider, Parameters } from "../ports.ts";
import { authorizationUrl } from "./authorization-request.ts";
import { withoutSecretsOf } from "./echoed-secrets.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { dpopHandles, newDpopKey } from "./dpop-keys.ts";
import { judgedAnswer } from "./judged-answer.ts";
import { connectIssuer, type IssuerConnection, type TokenHook } from "./issuer-connection.ts";
import { type Exchange, failFrom, laterBy } from "./openid-faults.ts";
import { exchangeAt } from "./token-exchange.ts";
import { verifiedClaims } from "./verified-token.ts";

/** Milliseconds for a revocation (cli.md M11). */
const revocationDeadline = 10_000;

const bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

/** The OpenID Provider over openid-client. Nothing is requested before the first method is called. */
export function openIdProvider(options: ProviderOptions): OpenIdProvider {
  const host = safeText(new URL(options.issuer).host, 100);
  const connect = connectIssuer(options, host);

  /** Runs one exchange; whatever goes wrong becomes one of our errors. */
  async function exchange<T>(kind: Exchange, run: (connection: IssuerConnection) => Promise<T>, hook: TokenHook = {}): Promise<T> {
    const connection = await connect();
    try {
      return await connection.during(hook, () => run(connection));
    } catch (error) {
      return failFrom(error, kind, host);
    } finally {
      connection.saveKeys();
    }
  }

  const judge = (answer: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers, maxAge?: number | undefined) => judgedAnswer(answer, options, maxAge);
  const proofs = dpopHandles();
  const searchParams = (parameters: Parameters) => new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value]));

  return {
    async facts() {
      return (await connect()).facts;
    },
    randomState: () => client.randomState(),
    newDpopKey,
    async startAuthorization({ redirectUri, scope, extra, dpopKey, state }) {
      const connection = await connect();
      if (connection.facts.authorizationEndpoint === undefined) fail("DISCOVERY_INVALID", { message: `${host} names no authorization endpoint` });
      const nonce = client.randomNonce();
      const verifier = client.randomPKCECodeVerifier();
      const parameters = searchParams(extra);
      const own = {
        response_type: "code",
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      };
      // Ours last: an extra parameter must not switch a protection off.
      for (const [name, value] of Object.entries(own)) parameters.set(name, value);
      // What would stand in the place of the whole request.
      for (const name of ["client_id", "request", "request_uri"]) parameters.delete(name);
      const { href, expiresIn } = await exchange("authorization", () => authorizationUrl(connection, parameters, options, host, () => proofs.of(connection.config, dpopKey)));
      const url = openableUrlOf(options.issuer, href);
      if (url === undefined) return fail("DISCOVERY_INVALID", { message: `the authorization endpoint of ${host} is not an https URL` });
      return { url, state, nonce, verifier: secret(verifier), expiresIn };
    },
    exchangeCode(started, redirectUri, query, checks, before) {
      return exchange(
        "code",
        async (connection) => {
          // Before the library looks: it tells a wrong issuer from other faults by its words only.
          checkAnswerIssuer(query, options.issuer, connection.config.serverMetadata().authorization_response_iss_parameter_supported === true);
          connection.overrideRedirectUri(redirectUri);
          const answer = await client.authorizationCodeGrant(
            connection.config,
            new URL(withoutEchoes(query), redirectUri),
            {
              expectedState: started.state,
              expectedNonce: started.nonce,
              pkceCodeVerifier: started.verifier.reveal(),
              // OIDC Core 3.1.3.3: the code flow always answers with an ID token, also when the access token is wanted.
              idTokenExpected: true,
              ...(checks.maxAge === undefined ? {} : { maxAge: checks.maxAge }),
            },
            searchParams(checks.extra),
            await proofs.of(connection.config, checks.dpopKey),
          );
          return judge(answer);
        },
        { before },
      );
    },
    startDevice({ scope, extra }) {
      return exchange("device", async (connection) => {
        if (!connection.facts.supportsDevice) fail("GRANT_UNSUPPORTED", { message: `${host} does not offer device authorization` });
        const verifier = client.randomPKCECodeVerifier();
        const parameters = searchParams(extra);
        // Keycloak can require PKCE here too; other issuers ignore parameters that they do not know (RFC 6749, section 3.2).
        const own = { scope, code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" };
        for (const [name, value] of Object.entries(own)) parameters.set(name, value);
        const answer = await client.initiateDeviceAuthorization(connection.config, parameters);
        return deviceAuthorization(answer, verifier, options.issuer, host);
      });
    },
    async pollDevice(device, before, { resources = [], dpopKey } = {}) {
      const connection = await connect();
      const proof = await proofs.of(connection.config, dpopKey);
      // Once an answer came the code is spent: whoever is busy then (the keys' endpoint) must not have it sent again.
      let isSpent = false;
      const noted: typeof before = async (received) => {
        isSpent = true;
        await before(received);
      };
      try {
        const answer = await connection.during({ before: noted }, () =>
          client.genericGrantRequest(
            connection.config,
            deviceGrant,
            searchParams([...resources, ["device_code", device.deviceCode.reveal()], ["code_verifier", device.verifier.reveal()]]),
            proof,
          ),
        );
        return { kind: "tokens", answer: judge(answer, options.maxAge) };
      } catch (error) {
        if (error instanceof client.ResponseBodyError && error.error === "authorization_pending") return { kind: "pending" };
        if (error instanceof client.ResponseBodyError && error.error === "slow_down") return { kind: "slow-down" };
        const seconds = isSpent ? undefined : laterBy(error);
        return seconds === undefined ? failFrom(error, "poll", host) : { kind: "later", seconds };
      } finally {
        connection.saveKeys();
      }
    },
    refresh(refreshToken, parameters, before, how) {
      const ask = async ({ config }: IssuerConnection) =>
        judge(await client.refreshTokenGrant(config, refreshToken.reveal(), searchParams(parameters), await proofs.of(config, how?.dpopKey)));
      return exchange("refresh", ask, { before, deadlineMs: how?.deadlineMs });
    },
    async judgeAgain(body) {
      if (!isTokenAnswer(body.reveal())) fail("ID_TOKEN_INVALID", { message: "the issuer's last answer is no token answer" });
      // The library judges the stored answer as if it came now; the fetch gives it back without a request.
      return exchange("refresh", async (connection) => judge(await client.refreshTokenGrant(connection.config, "stored-answer", {})), { replay: body });
    },
    machineGrant(grant, parameters, before) {
      const isBearer = grant === "jwt-bearer";
      const ask = async (connection: IssuerConnection) => {
        const answer = await client.genericGrantRequest(connection.config, isBearer ? bearerGrant : grant, searchParams(parameters));
        // A machine's grant makes no ID token at most issuers: the access token is what there is (protocol.md K-08).
        const useAccessToken = options.useAccessToken || (grant !== "password" && answer.id_token === undefined);
        const judged = judgedAnswer(answer, { ...options, useAccessToken }, undefined);
        if (!isBearer || !useAccessToken) return judged;
        const audiences = parameters.flatMap(([name, value]) => (name === "resource" ? [value] : []));
        return { ...judged, claims: await verifiedClaims(answer.access_token, { issuer: options.issuer, audiences, now: options.now() / 1000 }, connection) };
      };
      return exchange(isBearer ? "assertion" : "machine", ask, { before });
    },
    exchangeToken(request, signal) {
      return untilAborted(signal, () => exchange("exchange", (connection) => exchangeAt(connection, request, options, host)));
    },
    async remember(cacheKey) {
      options.cache.unlock(cacheKey);
      (await connect()).save();
    },
    async revoke(refreshToken) {
      const connection = await connect();
      if (!connection.facts.supportsRevocation) return false;
      const ask = ({ config }: IssuerConnection) => client.tokenRevocation(config, refreshToken.reveal(), { token_type_hint: "refresh_token" });
      await exchange("revocation", ask, { deadlineMs: revocationDeadline });
      return true;
    },
  };
}

/** Checks and clamps the device answer: the library lets any URL scheme and any number through (protocol.md DV-08, DV-14). */
function deviceAuthorization(answer: client.DeviceAuthorizationResponse, verifier: string, issuer: string, host: string): DeviceAuthorization {
  const verificationUri = openableUrlOf(issuer, answer.verification_uri);
  const userCode = safeText(answer.user_code, 40);
  if (verificationUri === undefined || userCode === "")
    return fail("DISCOVERY_INVALID", { message: `the device authorization answer of ${host} cannot be used`, reason: "no user code, or a verification URL that is not https" });
  const clamp = (value: number | undefined, byDefault: number, least: number, most: number) =>
    Math.min(most, Math.max(least, Number.isFinite(value) ? (value ?? byDefault) : byDefault));
  return {
    deviceCode: secret(answer.device_code),
    userCode,
    verificationUri,
    verificationUriComplete: openableUrlOf(issuer, answer.verification_uri_complete),
    interval: clamp(answer.interval, 5, 1, 60),
    expiresIn: clamp(answer.expires_in, 600, 1, 1800),
    verifier: secret(verifier),
  };
}

/** An error beside a code would have its description shown: the code is taken out of it. */
function withoutEchoes(query: string): string {
  const clean = withoutSecretsOf(query.replace(/^\?/, ""), {});
  return `?${new URLSearchParams([...new URLSearchParams(query)].map(([name, value]): [string, string] => [name, name.startsWith("error") ? clean(value) : value]))}`;
}

/** INTERRUPTED as soon as the signal aborts; what was asked runs into its own deadline. */
async function untilAborted<T>(signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
  if (signal === undefined) return ask();
  if (signal.aborted) return fail("INTERRUPTED");
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new OidcError("INTERRUPTED", {}));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([ask(), aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
