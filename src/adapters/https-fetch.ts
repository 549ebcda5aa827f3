import * as http from "node:http";
import * as https from "node:https";
import type { CustomFetch } from "openid-client";
import type { TlsTrust } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { isOidcError, missingPart } from "../errors/oidc-error.ts";
import { deadline } from "./deadline.ts";
import { withoutSecretsOf } from "./echoed-secrets.ts";
import { keptConnection } from "./kept-connection.ts";
import { type Identity, type KnownRoots, knownRoots } from "./known-roots.ts";
import { failFromNetwork, isCertificateFault, isStale, proxyFault, requestFault } from "./network-faults.ts";
import { proxyFor } from "./proxy.ts";
import { makeSignaturesReady } from "./signature-warmup.ts";
import { steadyNow } from "./steady-clock.ts";
import { type AddedAuthorities, addedAuthorities, type Roots, rootsOf, type VariableAuthorities, variableAuthorities } from "./trust-roots.ts";

/** No answer of an issuer is larger; a key set of a hundred keys has 100 KB. Bytes. */
const mostBytes = 1_048_576;

export interface FetchOptions {
  readonly caFiles: readonly string[];
  readonly caData: readonly string[];
  readonly insecure: boolean;
  /** True: nobody but `caFiles` and `caData` is trusted, as kubectl does with a cluster's own authority. */
  readonly onlyThese?: boolean;
  /** The name in the server's certificate, when it is not the host's. */
  readonly serverName?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** In place of the environment's proxy; NO_PROXY does not count for it. */
  readonly proxy?: URL;
  /** Sent to `origin` only. */
  readonly headers: Readonly<Record<string, string>>;
  /** The issuer's origin. */
  readonly origin: string;
  /** Shown to the issuer: to its origin, and to those of its endpoints that something is sent to. Never to a proxy. */
  readonly certificate?: () => Identity | undefined | Promise<Identity | undefined>;
  readonly version: string;
  readonly log: (level: 4 | 8, text: string) => void;
  /** Ends requests that change nothing (GET); a token request that was sent is finished, so that its answer is stored. */
  readonly signal: AbortSignal;
  /** Milliseconds for one request, connecting included. Default 15,000. */
  readonly deadlineMs?: number;
}

/** openid-client's fetch, with a deadline of its own for one request. Milliseconds. */
export type DeadlineFetch = (...request: [...Parameters<CustomFetch>, deadlineMs?: number]) => ReturnType<CustomFetch>;

export interface IssuerHttp {
  readonly fetch: DeadlineFetch;
  /** The requests of `action` end within `ms` in all (protocol.md NW-04); those that change something are not begun without their whole time. */
  within<T>(ms: number, action: () => Promise<T>): Promise<T>;
  /** Has Node load, once nothing else is to be done, what the signature of an answer will be checked with. */
  makeReady(): void;
  /** Which roots of that trust are needed. */
  readonly roots: Pick<KnownRoots, "begin" | "learned">;
  /** The TLS trust that every request has. SETTINGS_INVALID for certificate authorities that cannot be used. */
  trust(): TlsTrust;
}

/** What a request that only asks is given at the end of `within`. Milliseconds. */
const leastForAsking = 1_000;

/** Headers whose values may be logged. */
const shownHeaders = new Set(["content-type", "content-length", "date", "cache-control", "retry-after", "server"]);

/**
 * node:https under openid-client (architecture.md, rule 3): authorities added to the system's, proxies, redirects never
 * followed, a cap on the answer, one deadline. ISSUER_UNREACHABLE, ISSUER_TLS_UNTRUSTED, SETTINGS_INVALID, INTERRUPTED.
 */
export function httpsFetch(options: FetchOptions): IssuerHttp {
  const cache: { variables?: VariableAuthorities; added?: AddedAuthorities; roots?: Roots; isReady?: true } = {};
  const variables = () => {
    cache.variables ??= variableAuthorities(options.env);
    return cache.variables;
  };
  const added = () => {
    cache.added ??= addedAuthorities({ ...options, variables: variables() });
    return cache.added;
  };
  const roots = knownRoots(() => {
    cache.roots ??= rootsOf(added().certificates, variables(), options.onlyThese === true);
    return cache.roots;
  });
  const tlsOptions = (identity?: Identity) => (options.insecure ? { rejectUnauthorized: false, minVersion: "TLSv1.2", ...identity } : roots.options(identity));

  const kept = keptConnection();
  let end = Number.POSITIVE_INFINITY;
  const timeLeft = () => end - steadyNow();

  const fetch: DeadlineFetch = async (address, init, wanted = options.deadlineMs ?? 15_000) => {
    const url = new URL(address);
    const asksOnly = init.method === "GET";
    const deadlineMs = asksOnly ? Math.min(wanted, Math.max(timeLeft(), leastForAsking)) : wanted;
    // Cut short, it could lose a refresh token that the issuer has replaced already.
    if (timeLeft() < (asksOnly ? 0 : wanted)) failFromNetwork(requestFault("NO_TIME"), url, undefined, 0);
    const body = init.body === undefined || init.body === null ? undefined : String(init.body);
    const headers: Record<string, string> = {
      ...init.headers,
      "user-agent": `kubectl-oidc/${options.version}`,
      "accept-encoding": "identity",
      ...(url.origin === options.origin ? options.headers : {}),
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    };
    if (body !== undefined) headers["content-type"] ??= "application/x-www-form-urlencoded;charset=UTF-8";
    const proxy = options.proxy ?? proxyFor(url, options.env);
    const clean = withoutSecretsOf(body, { ...options.headers, ...init.headers });
    const started = Date.now();
    // Whose root nobody notes.
    if (proxy?.protocol === "https:") roots.widen();
    // Keys may lie anywhere, and who has them need not know who asks.
    const identity = url.origin === options.origin || !asksOnly ? await options.certificate?.() : undefined;
    const ask = async (timeForIt: number) => {
      const tunnelEnd = new AbortController();
      const agent = proxy === undefined ? kept.agent(url, init.method) : await throughProxy(url, proxy, () => tlsOptions(), tunnelEnd.signal);
      return request(
        url,
        {
          method: init.method,
          headers,
          body,
          agent,
          endTunnel: () => tunnelEnd.abort(),
          tunnels: proxy !== undefined && url.protocol === "https:",
          tls: url.protocol === "https:" ? { ...tlsOptions(identity), ...(options.serverName === undefined ? {} : { servername: options.serverName }) } : {},
          deadlineMs: timeForIt,
          answered: roots.learn,
        },
        options,
        clean,
      );
    };
    try {
      const answer = await ask(deadlineMs).catch((error: unknown) => {
        const isGone = isStale(error);
        if (isGone) kept.drop();
        if (!isGone && (!isCertificateFault(error) || !roots.widen())) throw error;
        return ask(Math.max(leastForAsking, deadlineMs - (Date.now() - started)));
      });
      kept.answered();
      options.log(4, `${init.method} ${url.origin}${safeText(url.pathname)} -> ${answer.status} in ${Date.now() - started} ms`);
      for (const [name, value] of answer.headers) options.log(8, `  ${clean(name)}${shownHeaders.has(name) ? `: ${safeText(value)}` : ""}`);
      return answer;
    } catch (error) {
      options.log(4, `${init.method} ${url.origin}${safeText(url.pathname)} failed in ${Date.now() - started} ms`);
      if (isOidcError(error)) throw error;
      return failFromNetwork(error, url, proxy, deadlineMs / 1000);
    }
  };
  return {
    fetch,
    makeReady() {
      if (!cache.isReady) makeSignaturesReady();
      cache.isReady = true;
    },
    roots,
    trust: () => added().trust,
    async within(ms, action) {
      const before = end;
      end = Math.min(before, steadyNow() + ms);
      try {
        return await action();
      } finally {
        end = before;
      }
    },
  };
}

/** TLS to the issuer runs inside CONNECT with the same authorities. One connection a request: its end is the tunnel's. */
async function throughProxy(url: URL, proxy: URL, tlsOptions: () => object, signal: AbortSignal): Promise<http.Agent> {
  const { proxyAgent } = await import("./proxy-agent.ts").catch((error: unknown) => {
    throw missingPart(error);
  });
  return proxyAgent(url, proxy, { keepAlive: false, signal, ...(proxy.protocol === "https:" ? tlsOptions() : {}) });
}

interface Prepared {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly agent: http.Agent;
  /** TLS runs inside a CONNECT of a proxy. */
  readonly tunnels: boolean;
  readonly tls: object;
  /** A proxy's answer to CONNECT is read by the agent, without an end, until this ends its connection. */
  readonly endTunnel: () => void;
  readonly deadlineMs: number;
  /** Told the connection of an answer. */
  readonly answered: (socket: unknown) => void;
}

function request(url: URL, prepared: Prepared, options: FetchOptions, clean: (text: string) => string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const interruptible = prepared.method === "GET";
    if (interruptible && options.signal.aborted) return reject(requestFault("INTERRUPTED"));
    const send = url.protocol === "https:" ? https.request : http.request;
    const outgoing = send(url, { method: prepared.method, headers: { ...prepared.headers }, agent: prepared.agent, maxHeaderSize: 65_536, ...prepared.tls });
    const open = { tunnel: !prepared.tunnels, sent: false, answered: false };
    const end = (error: unknown) => {
      settle();
      outgoing.destroy();
      if (!open.tunnel) prepared.endTunnel();
      reject(error);
    };
    const interrupted = () => end(requestFault("INTERRUPTED"));
    const stopTimer = deadline(prepared.deadlineMs, () => end(requestFault(open.sent ? "DEADLINE" : "NOT_CONNECTED")));
    const settle = () => {
      stopTimer();
      options.signal.removeEventListener("abort", interrupted);
    };
    // Stays after the end: a request that is destroyed before it has a socket still emits an error, and nobody else listens.
    // A request that only asks, on a connection that was there already: the server had closed it.
    const faultOf = (error: NodeJS.ErrnoException) =>
      interruptible && outgoing.reusedSocket && !open.answered && ["ECONNRESET", "EPIPE"].includes(error.code ?? "") ? requestFault("STALE") : error;
    outgoing.on("error", (error) => end(open.tunnel ? faultOf(error) : proxyFault(error)));
    // The agent gives a refused CONNECT back as if it were the answer; anyone on the way to the proxy could speak for the issuer.
    const tunnelAnswered = (answer: { readonly statusCode: number }) => {
      open.tunnel = answer.statusCode === 200;
      if (!open.tunnel) end(proxyFault(requestFault(`PROXY_STATUS_${answer.statusCode}`)));
    };
    if (prepared.tunnels) outgoing.on("proxyConnect", tunnelAnswered);
    // Flushed: from here on the issuer may have acted on it.
    outgoing.on("finish", () => {
      open.sent = true;
    });
    // Status 101, which nobody asked for: what follows is no HTTP.
    outgoing.on("upgrade", () => end(requestFault("UPGRADE")));
    outgoing.on("response", (incoming) => {
      open.answered = true;
      prepared.answered(incoming.socket);
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("error", end);
      incoming.on("aborted", () => end(requestFault("ECONNRESET", "socket hang up")));
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > mostBytes) end(requestFault("TOO_LARGE"));
        else chunks.push(chunk);
      });
      incoming.on("end", () => {
        settle();
        try {
          resolve(responseOf(incoming, Buffer.concat(chunks), clean));
        } catch (error) {
          reject(error);
        }
      });
    });
    if (interruptible) options.signal.addEventListener("abort", interrupted, { once: true });
    outgoing.end(prepared.body);
  });
}

/** An answer that is no success is shown to people, in parts, and holds nothing that the protocol needs unchanged. */
function responseOf(incoming: http.IncomingMessage, body: Buffer, clean: (text: string) => string): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const text of Array.isArray(value) ? value : [value ?? ""]) headers.append(name, clean(text));
  }
  const status = incoming.statusCode ?? 0;
  // The Response constructor takes 200 to 599; what else an issuer may send is a fault of its own.
  if (status < 200 || status > 599) return new Response(null, { status: 502, headers });
  const shown = status >= 300 ? clean(body.toString("utf8")) : new Uint8Array(body);
  return new Response([204, 205, 304].includes(status) ? null : shown, { status, headers });
}
