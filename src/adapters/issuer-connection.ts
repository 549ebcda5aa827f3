import * as client from "openid-client";
import { type Secret, secret } from "../core/secret.ts";
import { provingKeys } from "../core/key-set.ts";
import { isObject } from "../core/session.ts";
import { fail } from "../errors/oidc-error.ts";
import type { BeforeJudged, IssuerFacts } from "../ports.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { checkMetadata, discover, endpoint, factsOf } from "./issuer-metadata.ts";
import { blamesKeys } from "./openid-faults.ts";

/** What happens at the token endpoint during one exchange. */
export interface TokenHook {
  readonly before?: BeforeJudged | undefined;
  readonly replay?: Secret | undefined;
  /** Of each POST request. Milliseconds. */
  readonly deadlineMs?: number | undefined;
}

/** One issuer, discovered; the library's configuration with our fetch around its endpoints. */
export interface IssuerConnection {
  /** To be read anew in each run: it changes when the keys are fetched anew. */
  readonly config: client.Configuration;
  readonly facts: IssuerFacts;
  /** The redirect URI exactly as registered: the library adds a slash to a bare origin (openid-client #791). */
  overrideRedirectUri(uri: string): void;
  /** Runs with this hook on the token endpoint; `replay` answers in its place. May run twice, with one request. */
  during<T>(hook: TokenHook, run: () => Promise<T>): Promise<T>;
  /** Keeps the keys that were fetched for the next run. */
  saveKeys(): void;
  /** Keeps all that was learned, when nothing of it came from the cache. */
  save(): void;
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
  const state: { hook: TokenHook; answer: string | undefined; redirectUri: string | undefined; tokenEndpoint: string | undefined; keysAt: string | undefined } = {
    hook: {},
    answer: undefined,
    redirectUri: undefined,
    tokenEndpoint: undefined,
    keysAt: undefined,
  };
  const fetch: client.CustomFetch = async (url, init) => {
    if (init.method !== "POST") return url === state.keysAt ? keySet(await options.fetch(url, init), host) : options.fetch(url, init);
    const isExchange = url === state.tokenEndpoint;
    const { before, replay, deadlineMs } = state.hook;
    if (isExchange && replay !== undefined) return jsonResponse(replay.reveal());
    if (isExchange && state.redirectUri !== undefined && init.body instanceof URLSearchParams && init.body.has("redirect_uri")) init.body.set("redirect_uri", state.redirectUri);
    const response = await options.fetch(url, init, deadlineMs);
    if (response.status >= 400) return plainError(response);
    if (!isExchange || response.status !== 200) return response;
    const body = await response.text();
    state.answer = body;
    if (before !== undefined) await journal(body, before);
    return new Response(body, { status: response.status, headers: response.headers });
  };

  const cached = options.cache.read(options.issuer, options.now());
  const metadata = cached?.metadata ?? (await discover(options.issuer, options.clientId, fetch, host));
  const fetchedAt = cached?.fetchedAt ?? options.now();
  checkMetadata(metadata, options.issuer, host);
  state.tokenEndpoint = endpoint(metadata, "token_endpoint");
  state.keysAt = endpoint(metadata, "jwks_uri");
  const given = cached?.jwks;
  const current = { config: configuration() };
  // The library calls keys older than 300 s stale, and refetches for an unknown key only when they are 60 s old: 61 s is both.
  const givenAt = Math.floor(options.now() / 1000) - 61;
  if (given !== undefined) client.setJwksCache(current.config, { jwks: { keys: [...given.keys] }, uat: givenAt });
  if (cached === undefined) write(undefined);

  function configuration(): client.Configuration {
    const config = new client.Configuration(metadata as client.ServerMetadata, options.clientId, undefined, clientAuthentication(options, metadata));
    config[client.customFetch] = fetch;
    config.timeout = 20;
    if (options.issuer.startsWith("http:")) client.allowInsecureRequests(config);
    client.enableNonRepudiationChecks(config);
    return config;
  }

  return {
    get config() {
      return current.config;
    },
    facts: factsOf(metadata, options.issuer),
    overrideRedirectUri(uri) {
      state.redirectUri = uri;
    },
    async during(hook, run) {
      state.hook = hook;
      state.answer = hook.replay?.reveal();
      try {
        return await run();
      } catch (error) {
        // A key can be replaced under its old name, or have none: then only a signature that does not fit says that ours are old.
        const usedGiven = given !== undefined && client.getJwksCache(current.config)?.uat === givenAt;
        if (!usedGiven || state.answer === undefined || !blamesKeys(error)) throw error;
        current.config = configuration();
        state.hook = { replay: secret(state.answer) };
        return await run();
      } finally {
        state.hook = {};
        state.answer = undefined;
      }
    },
    saveKeys() {
      const keys = client.getJwksCache(current.config);
      if (keys !== undefined && JSON.stringify(keys.jwks.keys) !== JSON.stringify(given?.keys)) write(keys.jwks.keys);
    },
    save() {
      if (cached === undefined) write(client.getJwksCache(current.config)?.jwks.keys);
    },
  };

  function write(keys: readonly object[] | undefined): void {
    options.cache.write({
      metadata: { ...metadata, issuer: options.issuer },
      fetchedAt,
      jwks: keys === undefined ? undefined : { keys },
      jwksAt: keys === undefined ? 0 : options.now(),
    });
  }
}

/** RFC 6749 2.3.1 prefers Basic, and discovery's default is Basic when the document is silent. */
function clientAuthentication(options: ProviderOptions, metadata: Readonly<Record<string, unknown>>): client.ClientAuth {
  if (options.clientSecret === undefined) return client.None();
  const methods = metadata["token_endpoint_auth_methods_supported"];
  const basic = !Array.isArray(methods) || methods.includes("client_secret_basic");
  return basic ? client.ClientSecretBasic(options.clientSecret.reveal()) : client.ClientSecretPost(options.clientSecret.reveal());
}

/** The refresh token is durable before anything judges the answer that brought it (cli.md promise 5). */
async function journal(body: string, before: BeforeJudged): Promise<void> {
  const answer = parsed(body);
  if (answer === undefined) return;
  const token = isObject(answer) ? answer["refresh_token"] : undefined;
  await before({ refreshToken: typeof token === "string" && token !== "" ? secret(token) : undefined, body: secret(body) });
}

/** Only keys that prove something reach the library and the cache. ISSUER_UNREACHABLE for too many: what was to be judged is kept. */
async function keySet(response: Response, host: string): Promise<Response> {
  if (response.status !== 200) return response;
  const body = await response.text();
  const keys = provingKeys(parsed(body));
  if (keys === "too many") return fail("ISSUER_UNREACHABLE", { message: `the key set of ${host} is too large`, reason: "more than 100 keys" });
  return keys === undefined ? new Response(body, { status: 200, headers: response.headers }) : jsonResponse(JSON.stringify({ keys }));
}

/**
 * An OAuth error is known by its body: issuers send it as text/plain or text/html too, and the library looks at JSON's own content type only.
 * With a challenge in the header it does not read the body at all, which alone says `invalid_grant` (protocol.md OC-03).
 */
async function plainError(response: Response): Promise<Response> {
  const body = await response.text();
  const answer = parsed(body);
  const headers = new Headers(response.headers);
  if (isObject(answer) && typeof answer["error"] === "string") {
    headers.delete("www-authenticate");
    headers.set("content-type", "application/json");
  }
  return new Response(body, { status: response.status, headers });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const jsonResponse = (body: string) => new Response(body, { status: 200, headers: { "content-type": "application/json" } });
