import http, { type ClientRequest, type IncomingMessage } from "node:http";
import type { Recorder } from "./recorder.ts";

/** Replaces http.request: the start of a request and the end of its whole answer are operations. The issuer of this ring speaks http. */
export function patchRequests(recorder: Recorder): void {
  const request = http.request as (url: URL, options: http.RequestOptions) => ClientRequest;
  Object.assign(http, {
    request(url: URL, options: http.RequestOptions): ClientRequest {
      const about = `${options.method ?? "GET"} ${url.pathname}`;
      const outgoing = recorder.around({ kind: "request", about }, () => request(url, options));
      outgoing.once("response", (incoming: IncomingMessage) => {
        // First in line: the program must not have seen the end of the answer yet.
        incoming.once("end", () => recorder.passed({ kind: "response", about: `${incoming.statusCode} ${about}` }));
      });
      return outgoing;
    },
  });
}
