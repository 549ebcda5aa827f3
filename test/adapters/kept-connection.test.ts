import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { fetchWith, listen, stage, useStage } from "./fetch-stage.ts";

useStage();

/** A server that notes which connection each request came on; `after` is told the socket of each answer that went out. */
async function serve(tls: boolean, after: (socket: Socket, nth: number) => void = () => undefined) {
  const seen: { readonly method: string; readonly connection: number }[] = [];
  const connections = new Map<Socket, number>();
  const handle: http.RequestListener = (request, response) => {
    const { socket } = request;
    if (!connections.has(socket)) connections.set(socket, connections.size + 1);
    seen.push({ method: request.method ?? "", connection: connections.get(socket) ?? 0 });
    const nth = seen.length;
    request.resume().on("end", () => response.end("hello", () => after(socket, nth)));
  };
  const server = tls ? https.createServer({ cert: stage.certificates.certPem, key: stage.certificates.keyPem }, handle) : http.createServer(handle);
  return { url: `http${tls ? "s" : ""}://127.0.0.1:${await listen(server)}/`, seen, connections };
}

const ask = async (client: ReturnType<typeof fetchWith>, url: string, method: "GET" | "POST") =>
  (await client.fetch(url, { method, headers: {}, body: method === "POST" ? new URLSearchParams({ refresh_token: "r" }) : undefined, redirect: "manual" })).text();

describe.each([true, false])("connections of one run (TLS: %s)", (tls) => {
  const client = () => fetchWith({ caFiles: [stage.certificates.caFile] });

  it("what only asks goes out on the connection of the answer before it", async () => {
    const { url, seen } = await serve(tls);
    const one = client();
    await ask(one, url, "POST");
    await ask(one, url, "GET");
    await ask(one, url, "GET");
    expect(seen.map(({ connection }) => connection)).toEqual([1, 1, 1]);
  });

  it("what changes something has a connection of its own, and the one before it is closed", async () => {
    const { url, seen, connections } = await serve(tls);
    const one = client();
    await ask(one, url, "GET");
    await ask(one, url, "POST");
    await ask(one, url, "POST");
    expect(seen.map(({ connection }) => connection)).toEqual([1, 2, 3]);
    await vi.waitFor(() => expect([...connections].filter(([socket]) => !socket.destroyed).map(([, number]) => number)).toEqual([3]));
  });

  it("a connection that the server closed meanwhile costs nothing but another one", async () => {
    const { url, seen } = await serve(tls, (socket) => socket.destroy());
    const one = client();
    await ask(one, url, "POST");
    await ask(one, url, "GET");
    await ask(one, url, "GET");
    expect(seen.map(({ method }) => method)).toEqual(["POST", "GET", "GET"]);
  });

  it("a server that resets at the second request of a connection is asked once more, and only what only asks", async () => {
    const requests: string[] = [];
    const handle: http.RequestListener = (request, response) => {
      requests.push(request.method ?? "");
      const { socket } = request as { socket: Socket & { served?: true } };
      if (socket.served) return void socket.destroy();
      socket.served = true;
      request.resume().on("end", () => response.end("hello"));
    };
    const server = tls ? https.createServer({ cert: stage.certificates.certPem, key: stage.certificates.keyPem }, handle) : http.createServer(handle);
    const url = `http${tls ? "s" : ""}://127.0.0.1:${await listen(server)}/`;
    const one = client();
    await ask(one, url, "POST");
    expect(await ask(one, url, "GET")).toBe("hello");
    await ask(one, url, "POST");
    expect(requests).toEqual(["POST", "GET", "GET", "POST"]);
  });

  it("a run has its own: nothing of another's is used", async () => {
    const { url, seen } = await serve(tls);
    await ask(client(), url, "GET");
    await ask(client(), url, "GET");
    expect(seen.map(({ connection }) => connection)).toEqual([1, 2]);
  });
});
