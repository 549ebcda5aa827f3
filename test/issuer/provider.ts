import type { IncomingMessage, RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import type { ClientMetadata, KoaContextWithOIDC, Provider } from "oidc-provider";
import { noteExchange } from "../canaries.ts";
import { deployClient, registerExchangeGrants } from "./exchange-grants.ts";
import { type LocalServer, listenOnLocalhost, type ServerTls } from "./listen-on-localhost.ts";
import type { Platform } from "./platform-tokens.ts";
import { defaultClients, type ProviderChoices, providerConfiguration } from "./provider-configuration.ts";
import { answerInteraction, showInteraction } from "./provider-interactions.ts";
import { makeProviderMemory, type ProviderMemory } from "./provider-memory.ts";
import { type LoggedRequest, type RequestLog, makeRequestLog } from "./request-log.ts";

export interface ProviderOptions extends ProviderChoices {
  readonly certificates: ServerTls;
  /** Tried first; any other when it is taken. */
  readonly port?: number | undefined;
  /** Whose tokens may be exchanged, by the public client `deploy` (exchange-grants.ts); nobody's when not given. */
  readonly platforms?: readonly Platform[];
  /** Of the one that this is the restart of: its sessions, tokens and keys. */
  readonly memory?: ProviderMemory | undefined;
  /** Stands before the issuer: what it does not pass on was never asked. */
  readonly before?: ((issuer: RequestListener) => RequestListener) | undefined;
  /** What is handed out and received becomes a canary (test/canaries.ts). */
  readonly canaries?: boolean | undefined;
}

export interface RunningProvider {
  /** `https://localhost:12345` */
  readonly issuer: string;
  /** In the order in which they were answered. */
  readonly requests: readonly LoggedRequest[];
  /** Requests to one route, of one grant type when that is given: `count("token", "refresh_token")`. */
  count(route: string, grantType?: string): number;
  /** Every refresh token, grant and browser session is gone at once; access and ID tokens that are out stay valid. */
  revokeEverything(): void;
  /** Ends every connection and frees the port. */
  stop(): Promise<void>;
}

/**
 * Starts a real OpenID Provider over TLS on localhost, in memory, with the people of `accounts.ts`, the public client `kubernetes`
 * and the confidential client `pipeline`. PKCE with S256 is required.
 */
export async function startProvider(options: ProviderOptions): Promise<RunningProvider> {
  const { default: ProviderClass, errors } = await importQuietly();
  const memory = options.memory ?? (await makeProviderMemory());
  const log = makeRequestLog();
  const { platforms, clients = defaultClients } = options;
  const configuration = providerConfiguration(memory, platforms === undefined ? options : { ...options, clients: [...clients, { ...deployClient } as unknown as ClientMetadata] });
  // The issuer's name holds the port, so the server listens before there is a provider to answer.
  const ready: { answer?: ReturnType<Provider["callback"]> } = {};
  const answer: RequestListener = (request, response) => void ready.answer?.(request, response);
  const server: LocalServer = await listenOnLocalhost(options.before?.(answer) ?? answer, options.certificates, options.port);
  try {
    const provider = new ProviderClass(server.origin, configuration);
    if (platforms !== undefined) registerExchangeGrants(provider, platforms, errors);
    provider.use((ctx, next) => logAnswer(log, ctx as KoaContextWithOIDC, next));
    if (options.canaries === true) provider.use((ctx, next) => noteSecrets(ctx as KoaContextWithOIDC, next));
    provider.use((ctx, next) => interact(provider, ctx as KoaContextWithOIDC, next));
    ready.answer = provider.callback();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { issuer: server.origin, requests: log.requests, count: log.count, revokeEverything: memory.storage.clear, stop: server.stop };
}

/** On Node 20 the library prints while it is loaded that it wants 22; it works, and a test's output must stay clean. */
async function importQuietly(): Promise<typeof import("oidc-provider")> {
  const { warn } = console;
  console.warn = () => {};
  try {
    return await import("oidc-provider");
  } finally {
    console.warn = warn;
  }
}

async function logAnswer(log: RequestLog, ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  const isOurs = ctx.path.startsWith("/interaction/");
  try {
    await next();
  } finally {
    // Absent for our own pages and for paths that nobody serves (a browser asks for /favicon.ico), whatever the type says.
    const oidc = ctx.oidc as KoaContextWithOIDC["oidc"] | undefined;
    const body: Readonly<Record<string, unknown>> = oidc?.body ?? {};
    const grantType = body["grant_type"];
    log.add({
      method: ctx.method,
      path: ctx.path,
      route: isOurs ? "interaction" : (oidc?.route ?? "unknown"),
      parameters: Object.keys(body).sort(),
      grantType: typeof grantType === "string" ? grantType : undefined,
      status: ctx.status,
    });
  }
}

async function noteSecrets(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  const oidc = ctx.oidc as KoaContextWithOIDC["oidc"] | undefined;
  const form = Object.entries(oidc?.body ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  noteExchange(form, ctx.get("authorization") || undefined, ctx.body, ctx.response.get("location") || undefined);
}

async function interact(provider: Provider, ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  if (!ctx.path.startsWith("/interaction/")) return next();
  const answer = ctx.method === "POST" ? await answerInteraction(provider, ctx.req, ctx.res, await formOf(ctx.req)) : await showInteraction(provider, ctx.req, ctx.res);
  if (answer === undefined) {
    // The library has written the redirect itself.
    ctx.respond = false;
    return;
  }
  ctx.status = answer.status;
  ctx.type = "html";
  ctx.set("cache-control", "no-store");
  ctx.body = answer.html;
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams(await text(request));
}
