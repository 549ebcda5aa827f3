import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** One HTTP answer, or the lack of it. Without `json` and `text` the body is empty. */
export interface Answer {
  /** 200 when not given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** A body that is not JSON; `content-type` is text/html unless the headers say otherwise. */
  readonly text?: string;
  /** Held back until this settles, so that a test decides when and needs no sleep. */
  readonly after?: Promise<unknown>;
  /** `never`: received and not answered. `reset`: received, then the connection is reset. */
  readonly fate?: "never" | "reset";
  /** Writes to the connection itself, in place of an HTTP answer; the connection stays open unless this ends it. */
  readonly wire?: (socket: Socket) => void;
}

/** Sends the answer; resolves when it is on its way or was dropped as its fate says. */
export async function sendAnswer(response: ServerResponse, answer: Answer): Promise<void> {
  await answer.after;
  if (answer.fate === "never") return;
  if (answer.wire !== undefined) {
    const { socket } = response;
    // The program cuts what it does not want.
    socket?.on("error", () => socket.destroy());
    if (socket !== null) answer.wire(socket);
    return;
  }
  if (answer.fate === "reset") {
    // Destroyed without resetting, the peer of a TLS connection may see a clean end.
    const { socket } = response;
    if (socket !== null && "resetAndDestroy" in socket && !("encrypted" in socket)) socket.resetAndDestroy();
    else socket?.destroy();
    return;
  }
  const body = answer.json === undefined ? (answer.text ?? "") : JSON.stringify(answer.json);
  const type = answer.json === undefined ? "text/html; charset=utf-8" : "application/json";
  response.writeHead(answer.status ?? 200, { "content-type": type, "cache-control": "no-store", ...answer.headers });
  response.end(body);
}

/** An OAuth error (RFC 6749 section 5.2) with status 400. */
export function oauthError(error: string, description?: string): Answer {
  return { status: 400, json: { error, ...(description === undefined ? {} : { error_description: description }) } };
}
