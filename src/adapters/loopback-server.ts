import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { CallbackOptions } from "../core/callback-options.ts";
import type { CallbackListener, CallbackServer } from "../ports.ts";
import { answerUnreadable, type CallbackConversation, callbackConversation } from "./callback-conversation.ts";
import { hostsOf } from "./callback-request.ts";
import { type BindTarget, bindTargets, redirectUriFor } from "./loopback-addresses.ts";
import { openSockets } from "./open-sockets.ts";
import { readSecretFile } from "./secret-file.ts";

/** More than any browser opens ahead of need. */
const mostSilent = 64;
/** Tries to find an ephemeral port that is free on both families. */
const ephemeralTries = 10;
/** What a computer says that has no such family. */
const missingFamily: readonly string[] = ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"];

/** Milliseconds. */
export interface LoopbackLimits {
  /** For a whole request to come in. */
  readonly request: number;
  /** For the browser to take the last page. */
  readonly lastPage: number;
}

/** A loopback listener for one login (RFC 8252, section 7.3). */
export function loopbackServer(limits: LoopbackLimits = { request: 10_000, lastPage: 1_000 }): CallbackServer {
  return {
    async listen(options) {
      const configured = options.redirectUrl === undefined ? undefined : new URL(options.redirectUrl);
      const certificate = await readCertificate(options);
      const isSecure = certificate !== undefined;
      const conversation = callbackConversation(
        (port) => ({ state: options.state, path: configured?.pathname ?? "/", hosts: hostsOf(port, isSecure, configured), formPost: options.formPost }),
        options.openAfter,
      );
      const refusals: string[] = [];
      for (const target of bindTargets(options.addresses, configured?.hostname)) {
        for (let tries = target.port === 0 ? ephemeralTries : 1; tries > 0; tries--) {
          const bound = await bindAll(target, () => serverFor(certificate, limits, conversation.handle));
          if (bound.kind === "bound") return listenerOf(conversation, bound, redirectUriFor(options.redirectUrl, isSecure, bound.port), limits);
          if (tries === 1) refusals.push(bound.reason);
        }
      }
      return fail("PORTS_IN_USE", { message: `none of the callback addresses can be used: ${safeText(options.addresses.join(", "))}`, reason: safeText(refusals.join(", ")) });
    },
  };
}

type Certificate = { readonly cert: string; readonly key: string };

async function readCertificate(options: CallbackOptions): Promise<Certificate | undefined> {
  if (options.certificateFile === undefined || options.keyFile === undefined) return undefined;
  return { cert: await readSecretFile("local-server-cert", options.certificateFile, { isPublic: true }), key: await readSecretFile("local-server-key", options.keyFile) };
}

/** SETTINGS_INVALID when certificate and key are none, or do not belong together. */
function serverFor(certificate: Certificate | undefined, limits: LoopbackLimits, handle: http.RequestListener): http.Server {
  const options = {
    headersTimeout: limits.request,
    requestTimeout: limits.request,
    // Node looks for slow ones every 30 seconds otherwise, whatever the time-out is.
    connectionsCheckingInterval: Math.min(1_000, limits.request),
    handshakeTimeout: limits.request,
    keepAliveTimeout: 1,
    // Cookies of every other program on localhost come along, whatever its port.
    maxHeaderSize: 65_536,
  };
  let server: http.Server;
  try {
    server = certificate === undefined ? http.createServer(options, handle) : https.createServer({ ...options, ...certificate }, handle);
  } catch {
    return fail("SETTINGS_INVALID", { message: "--local-server-cert and --local-server-key are not a certificate and its key", hint: "give PEM files that belong together" });
  }
  server.on("clientError", answerUnreadable);
  return server;
}

/** A listening socket with the connections that it has. */
interface Listening {
  readonly server: http.Server;
  /** Node's own closeAllConnections passes over those that have not finished their TLS handshake. */
  readonly sockets: ReadonlySet<Socket>;
}

interface BoundPort {
  readonly kind: "bound";
  readonly all: readonly Listening[];
  readonly port: number;
}
type Bound = BoundPort | { readonly kind: "refused"; readonly reason: string };

/** Binds every host of the target on one port, or none. A family that this computer lacks is passed over; one that is taken is not. */
async function bindAll(target: BindTarget, newServer: () => http.Server): Promise<Bound> {
  const all: Listening[] = [];
  let { port } = target;
  let reason = "";
  for (const host of target.hosts) {
    const server = newServer();
    const fault = await bind(server, host, port);
    if (fault === undefined) {
      all.push({ server, sockets: openSockets(server, mostSilent) });
      port = (server.address() as AddressInfo).port;
      continue;
    }
    reason = `${fault} ${host.includes(":") ? `[${host}]` : host}:${port}`;
    if (target.hosts.length > 1 && missingFamily.includes(fault)) continue;
    await closeAll(all);
    return { kind: "refused", reason };
  }
  return all.length === 0 ? { kind: "refused", reason } : { kind: "bound", all, port };
}

/** The fault's code, `EADDRINUSE`; undefined when it is bound. */
function bind(server: http.Server, host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Stays: a later fault of a listening socket (no more descriptors) must not end the program.
    server.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    server.listen({ host, port, exclusive: true }, () => resolve(undefined));
  });
}

async function closeAll(all: readonly Listening[]): Promise<void> {
  const closed = all.map(({ server }) => new Promise((resolve) => server.close(resolve)));
  // Browsers keep idle connections open, and close() waits for them.
  for (const { sockets } of all) for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
}

function listenerOf(conversation: CallbackConversation, { all, port }: BoundPort, redirectUri: string, limits: LoopbackLimits): CallbackListener {
  let finished: Promise<void> | undefined;
  const finish: CallbackListener["finish"] = async (page) => {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limits.lastPage);
    });
    await Promise.race([conversation.tell(page), tooLate]);
    clearTimeout(timer);
    await closeAll(all);
  };
  return {
    redirectUri,
    port,
    next: conversation.next,
    finish(page) {
      finished ??= finish(page);
      return finished;
    },
  };
}
