import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { now } from "../clock.ts";

export interface Asked {
  readonly path: string;
  readonly grant: string | null;
  /** From when the request's head was read until its answer was handed over, by the clock of `process.hrtime`. Milliseconds. */
  readonly from: number;
  readonly to: number;
}

export interface Issuer {
  readonly url: string;
  /** Those that were answered. */
  readonly requests: Asked[];
  /** Seconds that the ID tokens to come live. */
  lifetime: number;
  readonly publicKeys: readonly object[];
  /** Begins a session; gives its refresh token. */
  newSession(): string;
  stop(): void;
}

/** A server's certificate and key, in PEM. */
export interface ServerTls {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A person in many groups: with these a token has some 2 KB, as those of companies do. */
const groups = Array.from({ length: 60 }, (_, i) => `team-${String(i).padStart(2, "0")}-namespace-admins`);

/**
 * A small issuer that says yes at once, by device or by browser. With rotation a refresh token that comes twice ends its session (RFC 9700,
 * section 4.14.2); without, each one stays good. `tls`: over https.
 */
export async function startIssuer({ rotates = true, tls }: { readonly rotates?: boolean; readonly tls?: ServerTls } = {}): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256", use: "sig" }];
  /** The number of each session's newest refresh token. */
  const sessions = new Map<string, number>();
  const requests: Asked[] = [];
  const issuer = { url: "", requests, lifetime: 3600, publicKeys: keys, newSession, stop };

  const answerTo = async (request: IncomingMessage, response: ServerResponse) => {
    const from = now();
    const url = new URL(request.url ?? "/", issuer.url);
    let text = "";
    for await (const chunk of request) text += chunk;
    const form = new URLSearchParams(text);
    if (url.pathname === "/a") response.writeHead(302, { location: answeredAt(url.searchParams) }).end();
    else {
      const body = await answer(url.pathname, form, request);
      response.writeHead(body === undefined ? 404 : "error" in body ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? {}));
    }
    requests.push({ path: url.pathname, grant: form.get("grant_type"), from, to: now() });
  };
  const server = tls === undefined ? createServer(answerTo) : createSecureServer({ cert: tls.certPem, key: tls.keyPem }, answerTo);

  async function answer(path: string, form: URLSearchParams, request: IncomingMessage): Promise<object | undefined> {
    const { url } = issuer;
    switch (path) {
      case "/.well-known/openid-configuration":
        return {
          issuer: url,
          authorization_endpoint: `${url}/a`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/jwks`,
          device_authorization_endpoint: `${url}/device`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          scopes_supported: ["openid", "offline_access"],
          code_challenge_methods_supported: ["S256"],
          id_token_signing_alg_values_supported: ["ES256"],
        };
      case "/jwks":
        return { keys };
      case "/device":
        return { device_code: "d", user_code: "BENCH", verification_uri: `${url}/v`, expires_in: 60, interval: 1 };
      case "/token": {
        const refreshToken = form.get("grant_type") === "refresh_token" ? nextRefreshToken(form.get("refresh_token") ?? "") : newSession();
        if (refreshToken === undefined) return { error: "invalid_grant" };
        const nonce = form.get("code") ?? "";
        return { access_token: "a", token_type: "Bearer", expires_in: issuer.lifetime, id_token: await idToken(clientOf(form, request), nonce), refresh_token: refreshToken };
      }
      default:
        return undefined;
    }
  }

  function newSession(): string {
    const name = `s${sessions.size}`;
    sessions.set(name, 0);
    return `${name}.0`;
  }

  function nextRefreshToken(token: string): string | undefined {
    const [name = "", number] = token.split(".");
    if (!sessions.has(name)) return undefined;
    if (!rotates) return token;
    if (sessions.get(name) !== Number(number)) {
      // Not forgotten, so that its name is not given again.
      sessions.set(name, Number.NaN);
      return undefined;
    }
    sessions.set(name, Number(number) + 1);
    return `${name}.${Number(number) + 1}`;
  }

  function idToken(client: string, nonce: string): Promise<string> {
    const issued = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer.url, aud: client, sub: "bench", iat: issued, exp: issued + issuer.lifetime, groups, ...(nonce === "" ? {} : { nonce }) };
    // Signatures of one second differ by themselves (ECDSA takes a random number), so two answers are never one token.
    return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "k" }).sign(privateKey);
  }

  function stop(): void {
    server.close();
    server.closeAllConnections();
  }

  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  issuer.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return issuer;
}

/** The code is the nonce that the ID token must bring back. */
function answeredAt(query: URLSearchParams): string {
  const to = new URL(query.get("redirect_uri") ?? "");
  to.searchParams.set("code", query.get("nonce") ?? "none");
  to.searchParams.set("state", query.get("state") ?? "");
  return to.href;
}

/** In the form, or in Go's first guess of how a client shows itself. */
function clientOf(form: URLSearchParams, { headers }: IncomingMessage): string {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? "")?.[1];
  return (
    form.get("client_id") ??
    decodeURIComponent(
      Buffer.from(basic ?? "", "base64")
        .toString()
        .split(":")[0] ?? "",
    )
  );
}
