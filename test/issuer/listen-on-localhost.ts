import { createServer as createPlainServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificates } from "./certificates.ts";

/** How a server proves itself, and whose certificates of clients it knows. */
export type ServerTls = Pick<Certificates, "certPem" | "keyPem"> & {
  /** PEM: it asks for a client's certificate. */
  readonly clientCaPem?: string;
  /** It takes no connection without one that it knows. */
  readonly demandsCertificate?: true;
};

/** A server that answers on 127.0.0.1 and ::1 under one port. */
export interface LocalServer {
  readonly port: number;
  /** `https://localhost:12345`, without a slash at its end. */
  readonly origin: string;
  /** Ends every connection and frees the port. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Serves on a port that the system picks, with TLS when certificates are given. Both loopback addresses are bound, so that whoever
 * looks up "localhost" finds this server and not a stranger's on the other address; a machine without IPv6 gets 127.0.0.1 alone.
 * `wanted` is a port to try first, for a page that names it.
 */
export async function listenOnLocalhost(listener: RequestListener, certificates?: ServerTls, wanted?: number): Promise<LocalServer> {
  const make = (): Server => (certificates === undefined ? createPlainServer(listener) : createTlsServer(tlsOptions(certificates), listener));
  for (let attempt = 1; ; attempt++) {
    const first = make();
    await listen(first, "127.0.0.1", attempt === 1 ? (wanted ?? 0) : 0).catch((error: NodeJS.ErrnoException) => {
      if (attempt > 1 || wanted === undefined) throw error;
    });
    if (!first.listening) continue;
    const { port } = first.address() as AddressInfo;
    const second = make();
    try {
      await listen(second, "::1", port);
      return running([first, second], port, certificates !== undefined);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return running([first], port, certificates !== undefined);
      await close(first);
      if (attempt === 20) throw error;
    }
  }
}

function tlsOptions({ certPem, keyPem, clientCaPem, demandsCertificate }: ServerTls) {
  const own = { cert: certPem, key: keyPem };
  return clientCaPem === undefined ? own : { ...own, ca: clientCaPem, requestCert: true, rejectUnauthorized: demandsCertificate === true };
}

function running(servers: readonly Server[], port: number, tls: boolean): LocalServer {
  return {
    port,
    origin: `${tls ? "https" : "http"}://localhost:${port}`,
    stop: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // The callback's error only says that it was closed before.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
