import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { safeText } from "../core/untrusted-text.ts";
import { fail, OidcError } from "../errors/oidc-error.ts";
import type { CallbackListener, CallbackOptions, CallbackServer, ResultPage } from "../ports.ts";
import { type BindTarget, bindTargets, redirectUriFor } from "./loopback-addresses.ts";
import { contentSecurityPolicy, plainPage, resultPage } from "./result-page.ts";

/** A callback's URL: a code of some KB at most. Characters. */
const longestUrl = 16_384;
/** Milliseconds for a browser to take the last page. */
const lastPageDeadline = 1_000;
/** Tries to find an ephemeral port that is free on both families. */
const ephemeralTries = 10;

/** A loopback listener for one login (RFC 8252, section 7.3). */
export function loopbackServer(): CallbackServer {
  return {
    async listen(options) {
      const configured = options.redirectUrl === undefined ? undefined : new URL(options.redirectUrl);
      const certificate = readCertificate(options);
      for (const target of bindTargets(options.addresses, configured?.hostname)) {
        for (let tries = target.port === 0 ? ephemeralTries : 1; tries > 0; tries--) {
          const callback = callbackHandler(options, configured);
          const servers = await bindAll(target, certificate, callback.handle);
          if (servers === undefined) continue;
          const port = portOf(servers);
          return callback.listener(redirectUriFor(options.redirectUrl, certificate !== undefined, port), servers);
        }
      }
      return fail("PORTS_IN_USE", { message: `none of the callback addresses can be used: ${safeText(options.addresses.join(", "))}` });
    },
  };
}

function portOf(servers: readonly http.Server[]): number {
  const address = servers[0]?.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

type Certificate = { readonly cert: string; readonly key: string };

function readCertificate(options: CallbackOptions): Certificate | undefined {
  if (options.certificateFile === undefined || options.keyFile === undefined) return undefined;
  const read = (option: string, path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      return fail("SETTINGS_INVALID", {
        message: `--${option} ${safeText(path)} cannot be read`,
        reason: (error as NodeJS.ErrnoException).code ?? "unknown",
        hint: `check the path of --${option}`,
      });
    }
  };
  return { cert: read("local-server-cert", options.certificateFile), key: read("local-server-key", options.keyFile) };
}

/** Binds every host of the target on one port, or none: undefined when one is taken. A family that this computer lacks is passed over. */
async function bindAll(target: BindTarget, certificate: Certificate | undefined, handle: http.RequestListener): Promise<readonly http.Server[] | undefined> {
  const servers: http.Server[] = [];
  let port = target.port;
  for (const host of target.hosts) {
    const server = newServer(certificate, handle);
    const fault = await listen(server, host, port);
    if (fault === undefined) {
      servers.push(server);
      port = (server.address() as AddressInfo).port;
    } else if (!(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"].includes(fault) && target.hosts.length > 1)) {
      for (const bound of servers) bound.close();
      return undefined;
    }
  }
  return servers.length === 0 ? undefined : servers;
}

function newServer(certificate: Certificate | undefined, handle: http.RequestListener): http.Server {
  const limits = { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 1, maxHeaderSize: 2 * longestUrl };
  let server: http.Server;
  try {
    server = certificate === undefined ? http.createServer(limits, handle) : https.createServer({ ...limits, ...certificate }, handle);
  } catch {
    return fail("SETTINGS_INVALID", { message: "--local-server-cert and --local-server-key are not a certificate and its key", hint: "give PEM files that belong together" });
  }
  server.maxConnections = 64;
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

function listen(server: http.Server, host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    server.listen({ host, port, exclusive: true }, () => resolve(undefined));
  });
}

/** The conversation with the browser. The answer to the right request is held until the outcome is known. */
function callbackHandler(options: CallbackOptions, configured: URL | undefined) {
  const waiting = new Set<http.ServerResponse>();
  const state: { query?: string; page?: ResultPage | undefined; finished?: true; onQuery?: (query: string) => void } = {};
  const path = configured?.pathname ?? "/";

  function handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    response.on("error", () => undefined);
    request.resume();
    const address = request.url ?? "";
    const at = address.indexOf("?");
    const query = at === -1 ? "" : address.slice(at);
    const refused = refusal(request, at === -1 ? address : address.slice(0, at), query);
    if (refused !== undefined) {
      answer(response, refused.status, plainPage(refused.title, refused.text, nonceOf()));
    } else if (state.finished) {
      answerOutcome(response);
    } else {
      waiting.add(response);
      if (state.query !== undefined) return;
      state.query = query;
      state.onQuery?.(query);
    }
  }

  /** Why a request is not this login's answer; it does not end the wait. */
  function refusal(request: http.IncomingMessage, asked: string, query: string): { readonly status: number; readonly title: string; readonly text: string } | undefined {
    if ((request.url ?? "").length > longestUrl) return { status: 414, title: "Too long", text: "This address is too long." };
    if (request.method !== "GET") return { status: 405, title: "Not allowed", text: "Only a browser's GET is answered here." };
    if (!isOurHost(request.headers.host, request.socket.localPort, configured)) return { status: 400, title: "Wrong host", text: "This request was not meant for kubectl-oidc." };
    if (asked !== path) return { status: 404, title: "Not found", text: "There is nothing here." };
    const problem = problemOf(new URLSearchParams(query), options.state);
    return problem === undefined ? undefined : { status: 400, title: "Not this login", text: problem };
  }

  function answerOutcome(response: http.ServerResponse): void {
    const { page } = state;
    if (page === undefined) {
      response.destroy();
    } else if (page.ok && options.openAfter !== undefined) {
      response.writeHead(302, { location: new URL(options.openAfter).href, "cache-control": "no-store", "referrer-policy": "no-referrer", connection: "close" });
      response.end();
    } else {
      const nonce = nonceOf();
      answer(response, page.ok ? 200 : 400, resultPage(page, nonce), nonce);
    }
  }

  function listener(redirectUri: string, servers: readonly http.Server[]): CallbackListener {
    let closing: Promise<void> | undefined;
    return {
      redirectUri,
      next: (signal) =>
        new Promise((resolve, reject) => {
          const interrupted = () => reject(new OidcError("INTERRUPTED", {}));
          if (signal.aborted) return interrupted();
          if (state.query !== undefined) return resolve(state.query);
          state.onQuery = resolve;
          signal.addEventListener("abort", interrupted, { once: true });
        }),
      finish(page) {
        closing ??= finish(page, servers);
        return closing;
      },
    };
  }

  async function finish(page: ResultPage | undefined, servers: readonly http.Server[]): Promise<void> {
    state.page = page;
    state.finished = true;
    const sent = [...waiting].map((response) => new Promise<void>((resolve) => response.once("close", resolve)));
    for (const response of waiting) answerOutcome(response);
    for (const server of servers) server.close();
    await Promise.race([Promise.all(sent), new Promise((resolve) => setTimeout(resolve, lastPageDeadline).unref())]);
    for (const server of servers) server.closeAllConnections();
  }

  return { handle, listener };
}

/** Why a request is not this login's answer; undefined when it is. The state is compared in constant time. */
function problemOf(parameters: URLSearchParams, expected: string): string | undefined {
  const states = parameters.getAll("state");
  const [given = ""] = states;
  const same = given.length === expected.length && timingSafeEqual(Buffer.from(given.padEnd(expected.length).slice(0, expected.length), "latin1"), Buffer.from(expected, "latin1"));
  if (states.length !== 1 || !same) return "This answer belongs to another login. Use the newest window, or start again.";
  if (["code", "error", "iss"].some((name) => parameters.getAll(name).length > 1)) return "This answer names something twice.";
  return parameters.has("code") || parameters.has("error") ? undefined : "This answer holds neither a code nor an error.";
}

/** A name that an attacker's DNS points here is refused (DNS rebinding). */
function isOurHost(host: string | undefined, port: number | undefined, configured: URL | undefined): boolean {
  const names = ["localhost", "127.0.0.1", "[::1]"].map((name) => `${name}:${port}`);
  return host !== undefined && (names.includes(host) || host === configured?.host || ["localhost", "127.0.0.1", "[::1]"].includes(host));
}

const nonceOf = () => randomBytes(16).toString("base64url");

function answer(response: http.ServerResponse, status: number, page: string, nonce = /nonce="([^"]+)"/.exec(page)?.[1] ?? ""): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-length": Buffer.byteLength(page),
    "content-security-policy": contentSecurityPolicy(nonce),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    connection: "close",
  });
  response.end(page);
}
