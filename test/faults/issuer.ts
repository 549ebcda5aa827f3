import { randomBytes } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from "jose";
import { discovery } from "./discovery.ts";
import { idTokenSigner } from "./id-token-signer.ts";
import { ledger, type Verdict } from "./ledger.ts";

/** Where an issuer may fail a refresh. `judging`: it answered, has new keys, and is asked for them. */
export type IssuerPoint = "before-commit" | "after-commit" | "mid-answer" | "after-answer" | "judging";
/**
 * `hold`: no answer, ever. `cut`: the connection is reset. `kill`: the program is killed. `pause`: it is stopped until its deadline is
 * over. `stale`: the answer's ID token is over already, so that it cannot be judged; its refresh token is the newest all the same.
 */
export type IssuerAction = "hold" | "cut" | "kill" | "pause" | "stale" | "503" | "429";

/** What the issuer does at one refresh, once. */
export interface Misdeed {
  readonly point?: IssuerPoint;
  readonly action?: IssuerAction;
  /** Milliseconds between (half) the answer and the action. */
  readonly delayMs?: number;
  /** Signs this refresh with a key that nobody knows yet. */
  readonly newKey?: boolean;
  readonly graceMs?: number;
  signal?(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
  /** The old token is spent and the new one not sent. */
  onCommit?(): Promise<void> | void;
}

export interface RotatingIssuer {
  readonly url: string;
  /** Misbehaves like this at the next refresh request, and forgets what it saw. */
  begin(misdeed: Misdeed): void;
  /** Refresh requests since `begin`, and what became of those that were looked at. */
  readonly asked: number;
  readonly refreshes: readonly Verdict["result"][];
  /** The ID token that was made last. */
  readonly newest: string;
  readonly logins: number;
  stop(): Promise<void>;
}

/** Longer than the program's deadline for one request, as it is in these rounds. Milliseconds. */
const stopped = 3_000;
/** Lives this long. Seconds. */
const life = 3_600;

/** A small issuer with rotating refresh tokens that minds a spent one, and fails where it is told to. */
export async function startRotatingIssuer(): Promise<RotatingIssuer> {
  const books = ledger();
  const codes = new Map<string, string>();
  const sockets = new Set<Socket>();
  /** Refresh token → the key that it is bound to. */
  const bound = new Map<string, string | undefined>();
  const state = { url: "", misdeed: {} as Misdeed, struck: false, keysAwaited: false, asked: 0, refreshes: [] as Verdict["result"][], newest: "", logins: 0 };
  const signer = await idTokenSigner();

  async function newIdToken(more: Readonly<Record<string, unknown>>): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    state.newest = await signer.sign({ iss: state.url, aud: "kubernetes", sub: "ann", iat: now, exp: now + life, jti: randomBytes(6).toString("hex"), ...more });
    return state.newest;
  }

  async function tokens(refreshToken: string, key: string | undefined, more: Readonly<Record<string, unknown>> = {}) {
    bound.set(refreshToken, key);
    return {
      access_token: `faults-access-${randomBytes(6).toString("hex")}`,
      token_type: key === undefined ? "Bearer" : "DPoP",
      expires_in: life,
      id_token: await newIdToken(more),
      refresh_token: refreshToken,
    };
  }

  /** True when the exchange ends here. */
  function strike(point: IssuerPoint, request: http.IncomingMessage, response: http.ServerResponse): boolean {
    const { misdeed } = state;
    if (state.struck || misdeed.point !== point) return false;
    state.struck = true;
    switch (misdeed.action) {
      case "cut":
        request.socket.resetAndDestroy();
        return true;
      case "kill":
        misdeed.signal?.("SIGKILL");
        request.socket.destroy();
        return true;
      case "503":
      case "429":
        send(response, Number(misdeed.action), { error: "temporarily_unavailable" });
        return true;
      case "pause":
        // The answer is sent all the same, and waits in the program's socket.
        misdeed.signal?.("SIGSTOP");
        setTimeout(() => misdeed.signal?.("SIGCONT"), stopped);
        return false;
      case "stale":
        return false;
      default:
        return true;
    }
  }

  async function refresh(request: http.IncomingMessage, response: http.ServerResponse, token: string): Promise<void> {
    state.asked++;
    if (strike("before-commit", request, response)) return;
    const key = await keyOf(request);
    // A session that lost its key is a lost session.
    if (bound.get(token) !== key) {
      state.refreshes.push("unknown");
      return send(response, 400, { error: "invalid_grant" });
    }
    const verdict = books.spend(token, state.misdeed.graceMs ?? 0);
    state.refreshes.push(verdict.result);
    if (!("next" in verdict)) return send(response, 400, { error: "invalid_grant" });
    const first = state.refreshes.length === 1;
    if (first && state.misdeed.newKey) await signer.addKey();
    const body = await tokens(verdict.next, key, first && state.misdeed.action === "stale" ? over() : {});
    if (first) await state.misdeed.onCommit?.();
    if (strike("after-commit", request, response)) return;
    const text = JSON.stringify(body);
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store", "content-length": Buffer.byteLength(text) });
    if (state.misdeed.point === "mid-answer" && !state.struck) {
      response.write(text.slice(0, text.length / 2));
      await pause(state.misdeed.delayMs ?? 10);
      if (strike("mid-answer", request, response)) return;
    }
    state.keysAwaited = state.misdeed.point === "judging";
    response.end(text);
    if (state.misdeed.point !== "after-answer") return;
    await pause(state.misdeed.delayMs ?? 0);
    strike("after-answer", request, response);
  }

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { pathname, searchParams } = new URL(request.url ?? "/", state.url);
    const form = new URLSearchParams(body);
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return send(response, 200, discovery(state.url));
      case "/jwks":
        if (state.keysAwaited && strike("judging", request, response)) return;
        return send(response, 200, { keys: signer.keys() });
      case "/authorize": {
        const code = randomBytes(8).toString("hex");
        codes.set(code, searchParams.get("nonce") ?? "");
        const back = new URLSearchParams({ code, state: searchParams.get("state") ?? "", iss: state.url });
        response.writeHead(302, { location: `${searchParams.get("redirect_uri")}?${back}` }).end();
        return;
      }
      case "/token": {
        if (form.get("grant_type") === "refresh_token") return refresh(request, response, form.get("refresh_token") ?? "");
        const nonce = codes.get(form.get("code") ?? "");
        if (nonce === undefined) return send(response, 400, { error: "invalid_grant" });
        codes.delete(form.get("code") ?? "");
        state.logins++;
        return send(response, 200, await tokens(books.begin(), await keyOf(request), { nonce }));
      }
      case "/revoke":
        books.revoke(form.get("token") ?? "");
        return send(response, 200, {});
      default:
        return send(response, 404, { error: "not_found" });
    }
  }

  const server = http.createServer((request, response) => void answer(request, response).catch(() => request.socket.destroy()));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 1_024, resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    get url() {
      return state.url;
    },
    begin(misdeed) {
      Object.assign(state, { misdeed, struck: false, keysAwaited: false, asked: 0, refreshes: [] });
    },
    get asked() {
      return state.asked;
    },
    get refreshes() {
      return state.refreshes;
    },
    get newest() {
      return state.newest;
    },
    get logins() {
      return state.logins;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The thumbprint of the key that proves this request (RFC 9449); undefined when there is no proof, or none that holds. */
async function keyOf(request: http.IncomingMessage): Promise<string | undefined> {
  try {
    const { protectedHeader } = await jwtVerify(String(request.headers["dpop"]), EmbeddedJWK, { typ: "dpop+jwt" });
    return protectedHeader.jwk && (await calculateJwkThumbprint(protectedHeader.jwk));
  } catch {
    return undefined;
  }
}

function send(response: http.ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(body));
}

/** Times of an ID token that was good an hour ago. */
const over = () => ({ iat: Math.floor(Date.now() / 1000) - life - 60, exp: Math.floor(Date.now() / 1000) - 60 });

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
