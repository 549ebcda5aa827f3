import type * as http from "node:http";
import type { Socket } from "node:net";

/**
 * The connections of a server. Those that have not said anything yet are `most` at once: one more, and the oldest of them goes. Whoever opens
 * hundreds and says nothing (any program here can, and a browser opens some ahead of need) must not keep the right answer out, as a plain limit of
 * the server would.
 */
export function openSockets(server: http.Server, most: number): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  // By name: with TLS a request has a socket of its own around this one.
  const silent = new Map<string, Socket>();
  const nameOf = (socket: Pick<Socket, "remoteAddress" | "remotePort">) => `${socket.remoteAddress} ${socket.remotePort}`;
  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket);
    sockets.add(socket);
    silent.set(name, socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (silent.get(name) === socket) silent.delete(name);
    });
    const [oldest] = silent.values();
    if (silent.size > most) oldest?.destroy();
  });
  server.on("request", (request) => silent.delete(nameOf(request.socket)));
  return sockets;
}
