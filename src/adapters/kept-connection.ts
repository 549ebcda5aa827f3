import * as http from "node:http";
import * as https from "node:https";
import { steadyNow } from "./steady-clock.ts";

/** Servers close an idle connection after five seconds or more, and some say so only by closing it. Milliseconds. */
const longestIdle = 1_000;

/** The connections of one run, to servers that are reached directly. */
export interface KeptConnection {
  /** Of a request by this method. */
  agent(url: URL, method: string): http.Agent;
  /** An answer has come whole: its connection may serve what follows at once. */
  answered(): void;
  /** What is kept is not used again. */
  drop(): void;
}

/**
 * What only asks (the keys after a token, the keys after the discovery document) goes out on the connection of the answer before it, and needs
 * no handshake of its own. What changes something has a connection of its own: on one that the server is closing at this moment, nobody
 * could tell whether a refresh token was spent (RFC 9112, section 9.3.1).
 */
export function keptConnection(): KeptConnection {
  const state: { agents: Map<string, http.Agent>; since: number } = { agents: new Map(), since: Number.NEGATIVE_INFINITY };

  function drop(): void {
    for (const agent of state.agents.values()) for (const idle of Object.values(agent.freeSockets)) for (const socket of idle ?? []) socket.destroy();
    state.agents.clear();
  }

  return {
    agent(url, method) {
      if (method !== "GET" || steadyNow() - state.since > longestIdle) drop();
      const agent = state.agents.get(url.protocol) ?? newAgent(url);
      state.agents.set(url.protocol, agent);
      return agent;
    },
    answered() {
      state.since = steadyNow();
    },
    drop,
  };
}

const newAgent = (url: URL): http.Agent =>
  url.protocol === "https:" ? new https.Agent({ keepAlive: true, maxFreeSockets: 1, maxCachedSessions: 0 }) : new http.Agent({ keepAlive: true, maxFreeSockets: 1 });
