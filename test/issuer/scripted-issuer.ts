import { createHash, randomBytes } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { noteExchange } from "../canaries.ts";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** What a part of the issuer answers: a status with a body, nothing ever, or a cut connection. */
export type Reply = { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> } | "hang" | "reset";

export type Form = Readonly<Record<string, string>>;

/** What one test changes. Each function gets what a proper issuer would do. */
export interface Play {
  discovery?: (proper: Record<string, unknown>) => Reply | Record<string, unknown>;
  jwks?: (proper: Reply) => Reply;
  /** Gives the query of the redirect. */
  authorize?: (query: URLSearchParams, proper: URLSearchParams) => URLSearchParams;
  token?: (form: Form, proper: () => Promise<Reply>) => Reply | Promise<Reply>;
  device?: (proper: Record<string, unknown>) => Reply | Record<string, unknown>;
  /** Answers of the device poll before the tokens come. */
  polls?: Reply[];
  revoke?: Reply;
  claims?: (proper: JWTPayload) => JWTPayload;
  idToken?: (claims: JWTPayload, proper: () => Promise<string>) => string | Promise<string>;
  /** Seconds; default 300. */
  life?: number;
  /** Default true: every refresh gives a new refresh token and ends the old one. */
  rotate?: boolean;
  /** Default true. */
  refreshTokens?: boolean;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly form: Form;
  readonly headers: http.IncomingHttpHeaders;
}

export interface ScriptedIssuer {
  readonly url: string;
  play: Play;
  readonly seen: SeenRequest[];
  /** Requests to this path. */
  count(path: string): number;
  /** Refresh tokens that would be accepted now. */
  readonly live: Set<string>;
  stop(): Promise<void>;
}

const keys = generateKeyPair("ES256");

/**
 * A small issuer that behaves until a test says otherwise: code with PKCE, refresh with rotation, device grant, client
 * credentials, password, revocation. Plain http on loopback; TLS has its own tests.
 */
export async function startScriptedIssuer(play: Play = {}): Promise<ScriptedIssuer> {
  const { privateKey, publicKey } = await keys;
  const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" };
  const codes = new Map<string, URLSearchParams>();
  const seen: SeenRequest[] = [];
  const live = new Set<string>();
  const devices = new Set<string>();
  const sockets = new Set<import("node:net").Socket>();
  let url = "";

  const issuer: ScriptedIssuer = {
    get url() {
      return url;
    },
    play,
    seen,
    live,
    count: (path) => seen.filter((request) => request.path === path).length,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  /** `resource`: the access token's audience (RFC 8707), in place of the client. */
  async function tokens(clientId: string, more: JWTPayload, resource?: string): Promise<Reply> {
    const now = Math.floor(Date.now() / 1000);
    const life = issuer.play.life ?? 300;
    const proper: JWTPayload = { iss: url, aud: clientId, sub: "user-1", email: "ann@example.com", iat: now, exp: now + life, ...more };
    const claims = issuer.play.claims?.(proper) ?? proper;
    const sign = (aud = claims.aud) => new SignJWT(aud === undefined ? claims : { ...claims, aud }).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(privateKey);
    const idToken = issuer.play.idToken === undefined ? await sign() : await issuer.play.idToken(claims, () => sign());
    const refreshToken = `refresh-${randomBytes(8).toString("hex")}`;
    const gives = issuer.play.refreshTokens !== false;
    if (gives) live.add(refreshToken);
    return {
      status: 200,
      body: { access_token: await sign(resource ?? claims.aud), token_type: "Bearer", expires_in: life, id_token: idToken, ...(gives ? { refresh_token: refreshToken } : {}) },
    };
  }

  async function properToken(form: Form): Promise<Reply> {
    const refused = (error: string): Reply => ({ status: 400, body: { error } });
    const clientId = form["client_id"] ?? "kubernetes";
    switch (form["grant_type"]) {
      case "authorization_code": {
        const asked = codes.get(form["code"] ?? "");
        codes.delete(form["code"] ?? "");
        if (asked === undefined || asked.get("redirect_uri") !== form["redirect_uri"]) return refused("invalid_grant");
        const challenge = createHash("sha256")
          .update(form["code_verifier"] ?? "")
          .digest("base64url");
        if (challenge !== asked.get("code_challenge") || asked.get("code_challenge_method") !== "S256") return refused("invalid_grant");
        return tokens(clientId, { nonce: asked.get("nonce") ?? "" }, form["resource"]);
      }
      case "refresh_token": {
        const token = form["refresh_token"] ?? "";
        if (!live.has(token)) return refused("invalid_grant");
        if (issuer.play.rotate !== false) live.delete(token);
        return tokens(clientId, {}, form["resource"]);
      }
      case "urn:ietf:params:oauth:grant-type:device_code": {
        const next = issuer.play.polls?.shift();
        if (next !== undefined) return next;
        return devices.has(form["device_code"] ?? "") ? tokens(clientId, {}, form["resource"]) : refused("invalid_grant");
      }
      case "client_credentials":
      case "password":
        return tokens(clientId, {}, form["resource"]);
      default:
        return refused("unsupported_grant_type");
    }
  }

  async function answer(path: string, query: URLSearchParams, form: Form): Promise<Reply> {
    switch (path) {
      case "/.well-known/openid-configuration": {
        const proper = {
          issuer: url,
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/jwks`,
          device_authorization_endpoint: `${url}/device`,
          revocation_endpoint: `${url}/revoke`,
          end_session_endpoint: `${url}/end`,
          scopes_supported: ["openid", "offline_access", "email"],
          response_types_supported: ["code"],
          id_token_signing_alg_values_supported: ["ES256"],
          authorization_response_iss_parameter_supported: true,
          code_challenge_methods_supported: ["S256"],
        };
        return replyOf(issuer.play.discovery?.(proper) ?? proper);
      }
      case "/jwks": {
        const proper: Reply = { status: 200, body: { keys: [jwk] } };
        return issuer.play.jwks?.(proper) ?? proper;
      }
      case "/authorize": {
        const code = randomBytes(8).toString("hex");
        codes.set(code, query);
        const proper = new URLSearchParams({ code, state: query.get("state") ?? "", iss: url });
        const back = issuer.play.authorize?.(query, proper) ?? proper;
        const target = query.get("redirect_uri") ?? "";
        return { status: 302, body: "", headers: { location: `${target}${target.includes("?") ? "&" : "?"}${back}` } };
      }
      case "/token":
        return issuer.play.token === undefined ? properToken(form) : issuer.play.token(form, () => properToken(form));
      case "/device": {
        const deviceCode = randomBytes(8).toString("hex");
        devices.add(deviceCode);
        const proper = {
          device_code: deviceCode,
          user_code: "WDJB-MJHT",
          verification_uri: `${url}/activate`,
          verification_uri_complete: `${url}/activate?user_code=WDJB-MJHT`,
          expires_in: 600,
          interval: 1,
        };
        return replyOf(issuer.play.device?.(proper) ?? proper);
      }
      case "/revoke":
        live.delete(form["token"] ?? "");
        return issuer.play.revoke ?? { status: 200, body: "" };
      default:
        return { status: 404, body: { error: "not_found" } };
    }
  }

  const server = http.createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { pathname, searchParams } = new URL(request.url ?? "/", url);
      const form = Object.fromEntries(new URLSearchParams(body));
      seen.push({ method: request.method ?? "", path: pathname, form, headers: request.headers });
      const reply = await answer(pathname, searchParams, form);
      const [json, location] = typeof reply === "string" ? [undefined, undefined] : [reply.body, reply.headers?.["location"]];
      noteExchange(Object.entries(form), request.headers.authorization, json, location);
      if (reply === "hang") return;
      if (reply === "reset") return void request.socket.resetAndDestroy();
      const isText = typeof reply.body === "string";
      response.writeHead(reply.status, { "content-type": isText ? "text/plain" : "application/json", "cache-control": "no-store", ...reply.headers });
      response.end(isText ? (reply.body as string) : JSON.stringify(reply.body));
    })().catch(() => request.socket.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return issuer;
}

const replyOf = (value: Reply | Record<string, unknown>): Reply =>
  value === "hang" || value === "reset" || (typeof value["status"] === "number" && "body" in value) ? (value as Reply) : { status: 200, body: value };
