import type * as http from "node:http";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";

/** How the proxy is reached: TLS to the proxy itself, and what ends the connection to it. */
export interface ToProxy {
  readonly keepAlive: boolean;
  readonly signal: AbortSignal;
}

/** The agent for requests to `url` through this proxy: inside CONNECT for https. */
export function proxyAgent(url: URL, proxy: URL, toProxy: ToProxy): http.Agent {
  return url.protocol === "https:" ? new HttpsProxyAgent(proxy, toProxy) : new HttpProxyAgent(proxy, toProxy);
}
