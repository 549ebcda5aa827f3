import * as client from "openid-client";
import { acceptedAlgorithms } from "../core/id-token.ts";
import { type Secret, secret } from "../core/secret.ts";
import { plainDeviceAnswer } from "../core/device-answer.ts";
import { pushedRequest } from "../core/pushed-answer.ts";
import { provingKeys } from "../core/key-set.ts";
import { isObject } from "../core/session.ts";
import { plainTokenAnswer } from "../core/token-answer.ts";
import { fail } from "../errors/oidc-error.ts";
import type { BeforeJudged, IssuerFacts } from "../ports.ts";
import { clientAuthentication } from "./client-authentication.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { checkMetadata, discover, endpoint, factsOf, type IssuerMetadata } from "./issuer-metadata.ts";
import { doubtedBy, failNotJson } from "./openid-faults.ts";

/** What happens at the token endpoint during one exchange. */
export interface TokenHook {
  readonly before?: BeforeJudged | undefined;
  readonly replay?: Secret | undefined;
  /** Of each POST request. Milliseconds. */
  readonly deadlineMs?: number | undefined;
}

/** One issuer, discovered; the library's configuration with our fetch around its endpoints. */
export interface IssuerConnection {
  /** To be read anew in each run, as the facts: they change when what was kept turns out to be old. */
  readonly config: client.Configuration;
  readonly facts: IssuerFacts;
  /** Seconds that the issuer keeps the authorization request that was pushed last. */
  readonly pushedLife: number | undefined;
  /** The redirect URI exactly as registered: the library adds a slash to a bare origin (openid-client #791). */
  overrideRedirectUri(uri: string): void;
  /** Runs with this hook on the token endpoint; `replay` answers in its place. May run twice, with one request. */
  during<T>(hook: TokenHook, run: () => Promise<T>): Promise<T>;
  /** The issuer's keys, for what the library does not verify: those that are known, or fetched now. `new`: none when they came during this exchange. */
  keys(which: "known" | "new"): Promise<readonly object[]>;
  /** Keeps the keys that were fetched for the next run. */
  saveKeys(): void;
  /** Keeps all that was learned, when nothing of it came from the cache. */
  save(): void;
}

/** An issuer as it is known now: from the disk cache, or just discovered. */
interface Known {
  readonly metadata: IssuerMetadata;
  readonly fetchedAt: number;
  readonly config: client.Configuration;
  readonly facts: IssuerFacts;
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
  const state: {
    hook: TokenHook;
    /** Of the exchange that runs. */
    answer?: string | undefined;
    /** They came during the exchange that runs. */
    keysAreNew: boolean;
    redirectUri?: string;
    tokenEndpoint?: string | undefined;
    revocationEndpoint?: string | undefined;
    deviceEndpoint?: string | undefined;
    pushEndpoint?: string | undefined;
    pushedLife?: number | undefined;
    keysAt?: string | undefined;
  } = { hook: {}, keysAreNew: false };
  const fetch: client.CustomFetch = async (url, init) => {
    if (url === state.keysAt) state.keysAreNew = true;
    if (init.method !== "POST") return url === state.keysAt ? keySet(await options.fetch(url, init), host) : options.fetch(url, init);
    const isExchange = url === state.tokenEndpoint;
    const { before, replay, deadlineMs } = state.hook;
    if (isExchange && replay !== undefined) return jsonResponse(replay.reveal());
    if (isExchange && state.redirectUri !== undefined && init.body instanceof URLSearchParams && init.body.has("redirect_uri")) init.body.set("redirect_uri", state.redirectUri);
    const response = await options.fetch(url, init, deadlineMs);
    if (response.status >= 400) return plainError(response);
    if (url === state.revocationEndpoint) await refusePage(response, host);
    if (url === state.deviceEndpoint && response.status === 200) return plainDevice(response);
    if (url === state.pushEndpoint && [200, 201].includes(response.status)) return plainPushed(response);
    if (!isExchange || response.status !== 200) return response;
    const body = plainTokenAnswer(await response.text());
    state.answer = body;
    if (before !== undefined) await journal(body, before);
    return new Response(body, { status: response.status, headers: response.headers });
  };

  const cached = options.cache.read(options.issuer, options.now());
  if (cached?.roots !== undefined) options.roots?.begin(cached.roots);
  let isKept = cached !== undefined;
  let savedKeys: readonly object[] | undefined = cached?.jwks?.keys;
  let savedKeysAt = cached?.jwksAt ?? 0;
  let savedRoots = cached?.roots ?? [];
  let current = cached === undefined ? await learn() : know(cached.metadata, cached.fetchedAt);
  // The library calls keys older than 300 s stale, and refetches for an unknown key only when they are 60 s old: 61 s is both.
  if (savedKeys !== undefined) client.setJwksCache(current.config, { jwks: { keys: [...savedKeys] }, uat: Math.floor(options.now() / 1000) - 61 });

  async function learn(): Promise<Known> {
    const learned = know(await discover(options.issuer, options.clientId, fetch, host), options.now());
    write(learned, undefined, 0);
    return learned;
  }

  function know(metadata: IssuerMetadata, fetchedAt: number): Known {
    const usesAliases = options.usesCertificate === true && isObject(metadata["mtls_endpoint_aliases"]);
    checkMetadata(metadata, options.issuer, host, usesAliases);
    state.tokenEndpoint = endpoint(metadata, "token_endpoint", usesAliases);
    state.revocationEndpoint = endpoint(metadata, "revocation_endpoint", usesAliases);
    state.deviceEndpoint = endpoint(metadata, "device_authorization_endpoint", usesAliases);
    state.pushEndpoint = endpoint(metadata, "pushed_authorization_request_endpoint", usesAliases);
    state.keysAt = endpoint(metadata, "jwks_uri");
    const config = new client.Configuration(
      metadata as client.ServerMetadata,
      options.clientId,
      { ...expected(metadata), use_mtls_endpoint_aliases: usesAliases },
      clientAuthentication(options, metadata),
    );
    config[client.customFetch] = fetch;
    config.timeout = 20;
    if (options.issuer.startsWith("http:")) client.allowInsecureRequests(config);
    client.enableNonRepudiationChecks(config);
    return { metadata, fetchedAt, config, facts: factsOf(metadata, options.issuer) };
  }

  /** Some issuers answer 200 where RFC 9126 has 201, and the library takes that one only. */
  async function plainPushed(response: Response): Promise<Response> {
    const body = await response.text();
    const answer = parsed(body);
    const pushed = pushedRequest(answer);
    state.pushedLife = pushed?.expiresIn;
    if (!isObject(answer)) return new Response(body, { status: 201, headers: response.headers });
    return jsonResponse(JSON.stringify(pushed === undefined ? {} : { request_uri: pushed.requestUri, expires_in: pushed.expiresIn }), 201);
  }

  /**
   * A key can be replaced under its old name, or have none, and algorithms can be added: then only a token that does not fit says that what
   * we knew before it is old. That is fetched anew, and the same answer judged once more.
   */
  async function judgeAnew<T>(error: unknown, run: () => Promise<T>): Promise<T> {
    const doubted = doubtedBy(error);
    const isOld = doubted === "algorithms" ? isKept : !state.keysAreNew;
    if (!isOld || doubted === undefined || state.answer === undefined) throw error;
    try {
      current = await learn();
    } catch (fault) {
      // The algorithm is judged before the nonce: an answer that got no further must not wait for better days.
      throw doubted === "algorithms" ? error : fault;
    }
    isKept = false;
    state.hook = { replay: secret(state.answer) };
    return run();
  }

  return {
    get config() {
      return current.config;
    },
    get facts() {
      return current.facts;
    },
    get pushedLife() {
      return state.pushedLife;
    },
    overrideRedirectUri(uri) {
      state.redirectUri = uri;
    },
    async keys(which) {
      const known = client.getJwksCache(current.config)?.jwks.keys;
      if (which === "known" && known !== undefined) return known;
      if (state.keysAreNew || state.keysAt === undefined) return [];
      const keys = await fetchedKeys(await fetch(state.keysAt, { method: "GET", headers: { accept: "application/json" }, body: undefined, redirect: "manual" }), host);
      client.setJwksCache(current.config, { jwks: { keys: [...keys] }, uat: Math.floor(options.now() / 1000) });
      return keys;
    },
    async during(hook, run) {
      state.hook = hook;
      state.answer = hook.replay?.reveal();
      state.keysAreNew = false;
      try {
        return await run().catch((error: unknown) => judgeAnew(error, run));
      } finally {
        state.hook = {};
        state.answer = undefined;
      }
    },
    saveKeys() {
      const keys = client.getJwksCache(current.config)?.jwks.keys;
      const areNew = keys !== undefined && JSON.stringify(keys) !== JSON.stringify(savedKeys);
      if (areNew || JSON.stringify(options.roots?.learned() ?? []) !== JSON.stringify(savedRoots)) write(current, keys ?? savedKeys, areNew ? options.now() : savedKeysAt);
    },
    save() {
      if (cached === undefined) write(current, client.getJwksCache(current.config)?.jwks.keys, options.now());
    },
  };

  function write({ metadata, fetchedAt }: Known, keys: readonly object[] | undefined, keysAt: number): void {
    savedKeys = keys;
    savedKeysAt = keysAt;
    savedRoots = options.roots?.learned() ?? [];
    options.cache.write({
      metadata: { ...metadata, issuer: options.issuer },
      fetchedAt,
      jwks: keys === undefined ? undefined : { keys },
      jwksAt: keys === undefined ? 0 : keysAt,
      roots: savedRoots,
    });
  }
}

/** The library compares with a list as well as with the one name that its types know (protocol.md ID-07). */
function expected(metadata: IssuerMetadata): Partial<client.ClientMetadata> {
  return { id_token_signed_response_alg: acceptedAlgorithms(metadata["id_token_signing_alg_values_supported"]) as unknown as string };
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

/** Of an answer that `keySet` made plain. */
async function fetchedKeys(response: Response, host: string): Promise<readonly object[]> {
  const set = response.status === 200 ? parsed(await response.text()) : undefined;
  const keys = isObject(set) ? set["keys"] : undefined;
  return Array.isArray(keys) ? keys.filter(isObject) : fail("ISSUER_UNREACHABLE", { message: `the keys of ${host} cannot be had`, reason: `HTTP ${response.status}` });
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

/** A revocation's answer has a body that says nothing (RFC 7009, section 2.2); a page says that somebody else answered. */
async function refusePage(response: Response, host: string): Promise<void> {
  if (response.status === 200 && (await response.clone().text()).trimStart().startsWith("<")) failNotJson("revocation", host);
}

async function plainDevice(response: Response): Promise<Response> {
  const body = await response.text();
  const answer = parsed(body);
  return answer === undefined ? new Response(body, { status: 200, headers: response.headers }) : jsonResponse(JSON.stringify(plainDeviceAnswer(answer)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const jsonResponse = (body: string, status = 200) => new Response(body, { status, headers: { "content-type": "application/json" } });
