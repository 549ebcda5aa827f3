import type * as http from "node:http";
import type { Duplex } from "node:stream";
import { OidcError } from "../errors/oidc-error.ts";
import type { ResultPage } from "../core/result-page.ts";
import { type ExpectedCallback, judgeCallback } from "./callback-request.ts";
import { formBody } from "./form-body.ts";
import { alreadyUsedPage, contentSecurityPolicy, plainPage, resultPage } from "./result-page.ts";

/** The talk with the browser of one login. */
export interface CallbackConversation {
  handle(request: http.IncomingMessage, response: http.ServerResponse): void;
  /** The query of the right request. Rejects with INTERRUPTED when the signal aborts. */
  next(signal: AbortSignal): Promise<string>;
  /** Answers every waiting browser. Resolves when the answers are sent; a browser that does not take its own delays this. */
  tell(page: ResultPage | undefined): Promise<void>;
}

/**
 * The right request's answer is held until the outcome is known, so that page and terminal never disagree. `expected`: what a
 * request of this login looks like on this local port. `openAfter`: sent as a redirect instead of the success page.
 */
export function callbackConversation(expected: (port: number) => ExpectedCallback, openAfter: string | undefined): CallbackConversation {
  const waiting = new Set<http.ServerResponse>();
  const arrived = new AbortController();
  let query: string | undefined;
  let outcome: { readonly page: ResultPage | undefined } | undefined;

  function answerOutcome(response: http.ServerResponse, page: ResultPage | undefined): void {
    if (page === undefined) {
      response.destroy();
    } else if (page.ok && openAfter !== undefined) {
      response.writeHead(302, { location: new URL(openAfter).href, "cache-control": "no-store", "referrer-policy": "no-referrer", connection: "close" }).end();
    } else {
      answer(response, page.ok ? 200 : 400, resultPage(page));
    }
  }

  function judge(request: http.IncomingMessage, response: http.ServerResponse, wanted: ExpectedCallback, form: string | undefined): void {
    const judged = judgeCallback({ method: request.method, target: request.url ?? "", host: request.headers.host, form }, wanted);
    if (judged.kind === "refused") {
      answer(response, judged.status, plainPage(judged.title, judged.text));
    } else if (outcome?.page?.ok === true) {
      answer(response, 400, alreadyUsedPage());
    } else if (outcome !== undefined) {
      answerOutcome(response, outcome.page);
    } else {
      // Reloads of the page wait beside the first request, and get the same outcome.
      waiting.add(response);
      response.once("close", () => waiting.delete(response));
      query ??= judged.query;
      arrived.abort();
    }
  }

  return {
    handle(request, response) {
      response.on("error", () => undefined);
      const wanted = expected(request.socket.localPort ?? 0);
      if (wanted.formPost && request.method === "POST") void formBody(request).then((form) => judge(request, response, wanted, form));
      else {
        request.resume();
        judge(request, response, wanted, undefined);
      }
    },
    next(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(new OidcError("INTERRUPTED", {}));
        const end = (settle: () => void) => {
          signal.removeEventListener("abort", interrupted);
          arrived.signal.removeEventListener("abort", found);
          settle();
        };
        const interrupted = () => end(() => reject(new OidcError("INTERRUPTED", {})));
        const found = () => end(() => resolve(query ?? ""));
        if (arrived.signal.aborted) return found();
        signal.addEventListener("abort", interrupted);
        arrived.signal.addEventListener("abort", found);
      });
    },
    async tell(page) {
      outcome = { page };
      const told = [...waiting];
      // The connection's end, not the response's: the page has then left this process, through TLS as well.
      const sent = told.map((response) => new Promise<void>((resolve) => (response.socket ?? response).once("close", () => resolve())));
      for (const response of told) answerOutcome(response, page);
      await Promise.all(sent);
    },
  };
}

/** A request that Node could not read. Idle connections (browsers open some ahead of need) and slow ones end without a word. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : /^HPE_/.test(error.code ?? "") ? "400 Bad Request" : undefined;
  if (status === undefined || !socket.writable) socket.destroy();
  else socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`, () => socket.destroy());
}

function answer(response: http.ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "content-security-policy": contentSecurityPolicy,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    connection: "close",
    ...(status === 405 ? { allow: "GET" } : {}),
  });
  response.end(text);
}
