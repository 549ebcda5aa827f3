import * as client from "openid-client";
import { isObject } from "../core/session.ts";
import { type Secret, secret } from "../core/secret.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { BeforeJudged, IssuerFacts } from "../ports.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { failFrom } from "./openid-faults.ts";

/** What happens at the token endpoint during one exchange. */
export interface TokenHook {
  readonly before?: BeforeJudged | undefined;
  readonly replay?: Secret | undefined;
  /** Of the token request. Milliseconds. */
  readonly deadlineMs?: number | undefined;
}

/** One issuer, discovered; the library's configuration with our fetch around its token endpoint. */
export interface IssuerConnection {
  readonly config: client.Configuration;
  readonly facts: IssuerFacts;
  /** The redirect URI exactly as registered: the library adds a slash to a bare origin (openid-client #791). */
  overrideRedirectUri(uri: string): void;
  /** Runs with this hook on the token endpoint; `replay` answers in its place. */
  during<T>(hook: TokenHook, run: () => Promise<T>): Promise<T>;
  /** Keeps the keys that were fetched for the next run. */
  saveKeys(): void;
}

/** Connects at the first call, once. Discovery comes from the cache while it is young, and is checked the same way. */
export function connectIssuer(options: ProviderOptions, host: string): () => Promise<IssuerConnection> {
  let connection: Promise<IssuerConnection> | undefined;
  return () => {
    connection ??= connectOnce(options, host);
    return connection;
  };
}

async function connectOnce(options: ProviderOptions, host: string): Promise<IssuerConnection> {
  const state: { hook: TokenHook; redirectUri: string | undefined; tokenEndpoint: string | undefined } = {
    hook: {},
    redirectUri: undefined,
    tokenEndpoint: undefined,
  };
  const fetch: client.CustomFetch = async (url, init) => {
    if (url !== state.tokenEndpoint) return options.fetch(url, init);
    const { before, replay, deadlineMs } = state.hook;
    if (replay !== undefined) return jsonResponse(replay.reveal());
    if (state.redirectUri !== undefined && init.body instanceof URLSearchParams && init.body.has("redirect_uri")) init.body.set("redirect_uri", state.redirectUri);
    const response = await options.fetch(url, init, deadlineMs);
    if (response.status >= 400) return withoutChallenge(response);
    if (before === undefined || response.status !== 200) return response;
    const body = await response.text();
    await journal(body, before);
    return new Response(body, { status: response.status, headers: response.headers });
  };

  const cached = options.cache.read(options.issuer, options.now());
  const metadata = cached?.metadata ?? (await discover(options, fetch, host));
  const fetchedAt = cached?.fetchedAt ?? options.now();
  checkMetadata(metadata, options.issuer, host);
  state.tokenEndpoint = endpoint(metadata, "token_endpoint");
  const config = new client.Configuration(metadata as client.ServerMetadata, options.clientId, undefined, clientAuthentication(options, metadata));
  config[client.customFetch] = fetch;
  config.timeout = 20;
  if (options.issuer.startsWith("http:")) client.allowInsecureRequests(config);
  client.enableNonRepudiationChecks(config);
  // The library calls keys older than 300 s stale, and refetches for an unknown key only when they are 60 s old: 61 s is both.
  const given = cached?.jwks;
  if (given !== undefined) client.setJwksCache(config, { jwks: { keys: [...given.keys] }, uat: Math.floor(options.now() / 1000) - 61 });
  if (cached === undefined) options.cache.write({ metadata: { ...metadata, issuer: options.issuer }, fetchedAt, jwks: undefined, jwksAt: 0 });

  return {
    config,
    facts: factsOf(metadata, options.issuer),
    overrideRedirectUri(uri) {
      state.redirectUri = uri;
    },
    async during(hook, run) {
      state.hook = hook;
      try {
        return await run();
      } finally {
        state.hook = {};
      }
    },
    saveKeys() {
      const keys = client.getJwksCache(config);
      if (keys === undefined || keys.jwks.keys === given?.keys || JSON.stringify(keys.jwks.keys) === JSON.stringify(given?.keys)) return;
      options.cache.write({ metadata: { ...metadata, issuer: options.issuer }, fetchedAt, jwks: { keys: keys.jwks.keys }, jwksAt: options.now() });
    },
  };
}

async function discover(options: ProviderOptions, fetch: client.CustomFetch, host: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const config = await client.discovery(new URL(options.issuer), options.clientId, undefined, undefined, {
      [client.customFetch]: fetch,
      timeout: 20,
      ...(options.issuer.startsWith("http:") ? { execute: [client.allowInsecureRequests] } : {}),
    });
    const { supportsPKCE: _, ...metadata } = config.serverMetadata();
    return metadata;
  } catch (error) {
    const named = issuerNamedBy(error);
    if (named !== undefined) return mismatch(named, options.issuer);
    return failFrom(error, "discovery", host);
  }
}

/** Openid-client compares `URL.href`, and not at all for some hosts; we compare the text (protocol.md ID-02). */
function checkMetadata(metadata: Readonly<Record<string, unknown>>, issuer: string, host: string): void {
  if (metadata["issuer"] !== issuer) mismatch(metadata["issuer"], issuer);
  for (const name of ["token_endpoint", "authorization_endpoint", "jwks_uri", "device_authorization_endpoint", "revocation_endpoint"]) {
    const value = metadata[name];
    if (value === undefined) continue;
    const secure = typeof value === "string" && (value.startsWith("https://") || (issuer.startsWith("http:") && value.startsWith("http://")));
    if (!secure) fail("DISCOVERY_INVALID", { message: `the ${name} of ${host} is not an https URL` });
  }
  if (metadata["token_endpoint"] === undefined || metadata["jwks_uri"] === undefined)
    fail("DISCOVERY_INVALID", { message: `the discovery document of ${host} names no token endpoint or no keys` });
}

function mismatch(named: unknown, configured: string): never {
  const other = safeText(named, 200);
  return fail("ISSUER_MISMATCH", {
    message: `the discovery document names the issuer ${other}, not ${safeText(configured, 200)}`,
    hint: `if that is the right issuer, use --oidc-issuer-url=${other}`,
  });
}

/** The issuer of a document that the library refused for its issuer. */
function issuerNamedBy(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return isObject(cause) && isObject(cause["body"]) && cause["attribute"] === "issuer" ? cause["body"]["issuer"] : undefined;
}

/** RFC 6749 2.3.1 prefers Basic, and discovery's default is Basic when the document is silent. */
function clientAuthentication(options: ProviderOptions, metadata: Readonly<Record<string, unknown>>): client.ClientAuth {
  if (options.clientSecret === undefined) return client.None();
  const methods = metadata["token_endpoint_auth_methods_supported"];
  const basic = !Array.isArray(methods) || methods.includes("client_secret_basic");
  return basic ? client.ClientSecretBasic(options.clientSecret.reveal()) : client.ClientSecretPost(options.clientSecret.reveal());
}

const endpoint = (metadata: Readonly<Record<string, unknown>>, name: string) => {
  const value = metadata[name];
  return typeof value === "string" ? new URL(value).href : undefined;
};

function factsOf(metadata: Readonly<Record<string, unknown>>, issuer: string): IssuerFacts {
  const scopes = metadata["scopes_supported"];
  return {
    issuer,
    supportsOffline: Array.isArray(scopes) && scopes.includes("offline_access"),
    supportsDevice: endpoint(metadata, "device_authorization_endpoint") !== undefined,
    supportsRevocation: endpoint(metadata, "revocation_endpoint") !== undefined,
    authorizationEndpoint: endpoint(metadata, "authorization_endpoint"),
    endSessionEndpoint: endpoint(metadata, "end_session_endpoint"),
  };
}

/** The refresh token is durable before anything judges the answer that brought it (cli.md promise 5). */
async function journal(body: string, before: BeforeJudged): Promise<void> {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return;
  }
  const token = isObject(answer) ? answer["refresh_token"] : undefined;
  await before({ refreshToken: typeof token === "string" && token !== "" ? secret(token) : undefined, body: secret(body) });
}

/** With a challenge in the header the library does not read the body, which alone says `invalid_grant` (protocol.md OC-03). */
async function withoutChallenge(response: Response): Promise<Response> {
  if (!response.headers.has("www-authenticate") || !/json/i.test(response.headers.get("content-type") ?? "")) return response;
  const headers = new Headers(response.headers);
  headers.delete("www-authenticate");
  return new Response(await response.text(), { status: response.status, headers });
}

const jsonResponse = (body: string) => new Response(body, { status: 200, headers: { "content-type": "application/json" } });
