import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { TLSSocket } from "node:tls";

export type IssuerRoute =
  | "discovery"
  | "jwks"
  | "authorization"
  | "token"
  | "device_authorization"
  | "verification"
  | "revocation"
  | "end_session"
  | "userinfo"
  | "pushed_authorization"
  | "unknown";

/** One request as it came, byte for byte. It holds secrets, of a test only. */
export interface ReceivedRequest {
  readonly route: IssuerRoute;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The body as it came. */
  readonly body: string;
  /** The body's form parameters; names may repeat. */
  readonly form: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly grantType: string | undefined;
  /** The common name in the client's certificate, when the server asked for one and it was shown. */
  readonly certificate: string | undefined;
}

export const usualRoutes: Readonly<Record<string, IssuerRoute>> = {
  "/.well-known/openid-configuration": "discovery",
  "/jwks": "jwks",
  "/authorize": "authorization",
  "/token": "token",
  "/device_authorization": "device_authorization",
  "/device": "verification",
  "/revoke": "revocation",
  "/logout": "end_session",
  "/userinfo": "userinfo",
  "/par": "pushed_authorization",
};

/** Reads the whole request. `routes`: what lies at which path, or at which `https` URL where the server has several names. */
export async function readRequest(request: IncomingMessage, routes: Readonly<Record<string, IssuerRoute>> = usualRoutes): Promise<ReceivedRequest> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const body = await text(request);
  const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const form = new URLSearchParams(isForm ? body : "");
  return {
    route: routes[pathname] ?? routes[`https://${request.headers.host}${pathname}`] ?? "unknown",
    method: request.method ?? "",
    path: pathname,
    query: searchParams,
    body,
    form,
    headers: request.headers,
    grantType: form.get("grant_type") ?? undefined,
    certificate: request.socket instanceof TLSSocket ? String(request.socket.getPeerCertificate().subject?.CN ?? "") || undefined : undefined,
  };
}
