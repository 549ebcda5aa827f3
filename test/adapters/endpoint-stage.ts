import { httpsFetch } from "../../src/adapters/https-fetch.ts";
import type { CachedIssuer, IssuerCache } from "../../src/adapters/issuer-cache.ts";
import { openIdProvider } from "../../src/adapters/openid-provider.ts";
import type { ProviderOptions } from "../../src/adapters/provider-options.ts";
import { secret } from "../../src/core/secret.ts";
import type { StartedAuthorization } from "../../src/core/started-authorization.ts";
import { isOidcError, type OidcError } from "../../src/errors/oidc-error.ts";
import type { OpenIdProvider, TokenAnswer } from "../../src/ports.ts";
import { type Behaviour, type Misbehaving, type Override, startMisbehaving } from "../issuer/misbehaving.ts";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";

const redirectUri = "http://localhost:8000";
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

/** One endpoint of an issuer as the program asks it, with what a proper issuer gives it before. */
export interface Endpoint {
  readonly name: string;
  readonly path: string;
  /** The behaviour in which this endpoint, and no other, answers so. */
  readonly answering: (override: Override) => Behaviour;
  /** Everything up to the question, asked of a proper issuer; gives the question. */
  readonly prepare: (stage: EndpointStage) => Promise<() => Promise<unknown>>;
}

export interface EndpointStage {
  readonly issuer: Misbehaving;
  /** A new run. Without a cache nothing is known of the issuer. */
  provider(cache?: IssuerCache, roots?: ProviderOptions["roots"], more?: Partial<ProviderOptions>): OpenIdProvider;
  /** Bodies that were made durable before they were judged. */
  readonly kept: string[];
  /** Milliseconds for a request to this path; the others have the usual time. */
  hurry: { readonly path: string; readonly ms: number } | undefined;
}

const keep =
  ({ kept }: EndpointStage) =>
  async ({ body }: { readonly body: { reveal(): string } }) =>
    void kept.push(body.reveal());

async function startedLogin(
  { provider }: EndpointStage,
  cache?: IssuerCache,
): Promise<{ readonly asked: OpenIdProvider; readonly started: StartedAuthorization; readonly query: string }> {
  const asked = provider(cache);
  const started = await asked.startAuthorization({ redirectUri, scope: "openid offline_access", extra: [], state: asked.randomState() });
  const { headers } = await fetch(started.url, { redirect: "manual" });
  return { asked, started, query: new URL(headers.get("location") ?? "").search };
}

const exchange = async (stage: EndpointStage) => {
  const { asked, started, query } = await startedLogin(stage);
  return () => asked.exchangeCode(started, redirectUri, query, { maxAge: undefined, extra: [] }, keep(stage));
};

const refresh = async (stage: EndpointStage) => {
  const { refreshToken } = await (await exchange(stage))();
  stage.kept.length = 0;
  // A new run: nothing is known of the issuer's keys.
  const asked = stage.provider();
  await asked.facts();
  return () => asked.refresh(refreshToken ?? secret(""), [], keep(stage));
};

/** A discovery document that names where requests are pushed to; `more`: other members. */
export const withPush = (issuer: string, more: Readonly<Record<string, unknown>> = {}): Override => changeJson({ pushed_authorization_request_endpoint: `${issuer}/par`, ...more });

/** Every request that the program makes. */
export const endpoints: readonly Endpoint[] = [
  {
    name: "discovery",
    path: "/.well-known/openid-configuration",
    answering: (discovery) => ({ discovery }),
    prepare:
      async ({ provider }) =>
      () =>
        provider().facts(),
  },
  { name: "token, for a code", path: "/token", answering: (override) => ({ token: onlyFor("authorization_code", override) }), prepare: exchange },
  { name: "token, at a refresh", path: "/token", answering: (override) => ({ token: onlyFor("refresh_token", override) }), prepare: refresh },
  { name: "keys, at a login", path: "/jwks", answering: (jwks) => ({ jwks }), prepare: exchange },
  { name: "keys, at a refresh", path: "/jwks", answering: (jwks) => ({ jwks }), prepare: refresh },
  {
    name: "device authorization",
    path: "/device_authorization",
    answering: (override) => ({ device_authorization: override }),
    prepare: async ({ provider }) => {
      const asked = provider();
      await asked.facts();
      return () => asked.startDevice({ scope: "openid", extra: [] });
    },
  },
  {
    name: "token, at a device's poll",
    path: "/token",
    answering: (override) => ({ token: onlyFor(deviceGrant, override) }),
    prepare: async (stage) => {
      const asked = stage.provider();
      const device = await asked.startDevice({ scope: "openid", extra: [] });
      return () => asked.pollDevice(device, keep(stage));
    },
  },
  {
    name: "pushed authorization request",
    path: "/par",
    answering: (pushed_authorization) => ({ pushed_authorization }),
    prepare: async ({ provider, issuer }) => {
      issuer.become({ discovery: withPush(issuer.issuer) });
      const asked = provider(undefined, undefined, { par: "always" });
      await asked.facts();
      return () => asked.startAuthorization({ redirectUri, scope: "openid offline_access", extra: [], state: asked.randomState() });
    },
  },
  {
    name: "revocation",
    path: "/revoke",
    answering: (revocation) => ({ revocation }),
    prepare: async ({ provider }) => {
      const asked = provider();
      await asked.facts();
      return () => asked.revoke(secret("refresh-secret"));
    },
  },
];

/** An issuer for each endpoint, so that all are tried at once. */
export async function endpointStages(): Promise<{ readonly stages: ReadonlyMap<Endpoint, EndpointStage>; stop(): Promise<void> }> {
  const stages = new Map(await Promise.all(endpoints.map(async (endpoint): Promise<[Endpoint, EndpointStage]> => [endpoint, await endpointStage()])));
  return {
    stages,
    async stop() {
      await Promise.all([...stages.values()].map(({ issuer }) => issuer.stop()));
    },
  };
}

export async function endpointStage(): Promise<EndpointStage> {
  const issuer = await startMisbehaving();
  const http = httpsFetch({
    caFiles: [],
    caData: [],
    insecure: false,
    env: {},
    headers: {},
    origin: issuer.issuer,
    version: "1.2.3",
    log: () => undefined,
    signal: new AbortController().signal,
  });
  const stage: EndpointStage = { issuer, provider, kept: [], hurry: undefined };
  return stage;

  function provider(
    cache: IssuerCache = { read: () => undefined, write: () => undefined, unlock: () => undefined },
    roots?: ProviderOptions["roots"],
    more: Partial<ProviderOptions> = {},
  ): OpenIdProvider {
    return openIdProvider({
      issuer: issuer.issuer,
      clientId: "kubernetes",
      clientSecret: undefined,
      useAccessToken: false,
      acrValues: undefined,
      maxAge: undefined,
      fetch: (url, init, ms) => http.fetch(url, init, stage.hurry !== undefined && new URL(url).pathname === stage.hurry.path ? stage.hurry.ms : ms),
      cache,
      ...(roots === undefined ? {} : { roots }),
      now: () => Date.now(),
      ...more,
    });
  }
}

export interface Outcome {
  readonly endpoint: string;
  /** `none` when it did not fail. */
  readonly code: string;
  readonly error: OidcError | undefined;
  readonly milliseconds: number;
}

/** Asks the endpoint while it answers so; `ms` is the time for that request when it is short. */
export async function outcomeOf(endpoint: Endpoint, stage: EndpointStage, override: Override, ms?: number): Promise<Outcome> {
  stage.hurry = undefined;
  stage.issuer.become({});
  stage.kept.length = 0;
  const ask = await endpoint.prepare(stage);
  stage.issuer.become(endpoint.answering(override));
  stage.hurry = ms === undefined ? undefined : { path: endpoint.path, ms };
  const since = performance.now();
  try {
    await ask();
    return { endpoint: endpoint.name, code: "none", error: undefined, milliseconds: performance.now() - since };
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { endpoint: endpoint.name, code: error.code, error, milliseconds: performance.now() - since };
  }
}

/** A cache in memory, for several runs. */
export function memoryCache(): IssuerCache & { entry: CachedIssuer | undefined } {
  const cache = {
    entry: undefined as CachedIssuer | undefined,
    read: () => cache.entry,
    write: (entry: CachedIssuer) => {
      cache.entry = JSON.parse(JSON.stringify(entry)) as CachedIssuer;
    },
    unlock: () => undefined,
  };
  return cache;
}

/** A login from its start to its tokens. */
export async function logIn(stage: EndpointStage, cache?: IssuerCache): Promise<TokenAnswer> {
  const { asked, started, query } = await startedLogin(stage, cache);
  return asked.exchangeCode(started, redirectUri, query, { maxAge: undefined, extra: [] }, keep(stage));
}

/** A refresh in a run of its own. */
export const refreshWith = (stage: EndpointStage, answer: TokenAnswer, cache?: IssuerCache): Promise<TokenAnswer> =>
  stage.provider(cache).refresh(answer.refreshToken ?? secret(""), [], keep(stage));
