import type * as http from "node:http";

/** A code and a state are some KB at most. Bytes. */
const mostBytes = 65_536;

/**
 * The form of a POST (OAuth 2.0 Form Post Response Mode), as a query that begins with `?`. Undefined for another content type, for more than
 * 64 KiB, and when the connection ends before.
 */
export function formBody(request: http.IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
      request.resume();
      return resolve(undefined);
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= mostBytes) chunks.push(chunk);
    });
    request.on("end", () => resolve(size <= mostBytes ? `?${Buffer.concat(chunks).toString("utf8")}` : undefined));
    request.on("close", () => resolve(undefined));
  });
}
