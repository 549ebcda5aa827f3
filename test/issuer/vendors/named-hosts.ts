import { createServer } from "node:http";
import { request } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";

/** Names of the wide world that lead to one server of this computer's, for who goes through a proxy, as some companies' people do. */
export interface NamedHosts {
  /** For HTTPS_PROXY. */
  readonly proxy: string;
  /** To whom a way was asked for, in order: `oauth2.example.com:443`. To a stranger there is none. */
  readonly asked: readonly string[];
  /** One page, as a browser that follows no redirect gets it. */
  visit(url: string): Promise<Response>;
  stop(): Promise<void>;
}

/** `port`: of a TLS server on 127.0.0.1, whose certificate holds all of the names and is signed by `ca` (PEM). */
export async function nameHosts(hosts: readonly string[], port: number, ca: string): Promise<NamedHosts> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((_request, response) => response.writeHead(405).end());
  proxy.on("connection", (socket) => sockets.add(socket));
  proxy.on("connect", ({ url = "" }, client: Socket) => {
    asked.push(url);
    if (!hosts.some((host) => url === `${host}:443`)) return void client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const server = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(server).pipe(client);
    });
    sockets.add(server);
    // Either may be cut.
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    asked,
    visit: (url) =>
      new Promise((resolve, reject) => {
        const { hostname, pathname, search } = new URL(url);
        const asking = request({ host: "127.0.0.1", port, path: `${pathname}${search}`, servername: hostname, headers: { host: hostname }, ca, agent: false }, (response) => {
          const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
          text(response).then((body) => resolve(new Response(body, { status: response.statusCode ?? 0, headers })), reject);
        });
        asking.setTimeout(10_000, () => asking.destroy(new Error(`no answer from ${hostname}`)));
        asking.on("error", reject);
        asking.end();
      }),
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        proxy.close(() => resolve());
      }),
  };
}
