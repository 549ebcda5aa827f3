import * as http from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, expect } from "vitest";
import { type LoopbackLimits, loopbackServer } from "../../src/adapters/loopback-server.ts";
import type { CallbackOptions } from "../../src/core/callback-options.ts";
import type { CallbackListener } from "../../src/ports.ts";

export const never = new AbortController().signal;
export const state = "a".repeat(43);
const listeners: CallbackListener[] = [];
/** Ends what a test left open. */
export function useListeners(): void {
  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.finish(undefined);
  });
}

/** Some build machines have no IPv6 at all. */
export const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

export async function listen(options: Partial<CallbackOptions> = {}, limits?: LoopbackLimits): Promise<CallbackListener & { readonly port: number }> {
  const listener = await loopbackServer(limits).listen({
    addresses: ["127.0.0.1:0"],
    redirectUrl: undefined,
    certificateFile: undefined,
    keyFile: undefined,
    openAfter: undefined,
    formPost: false,
    state,
    ...options,
  });
  listeners.push(listener);
  return Object.assign(listener, { port: Number(new URL(listener.redirectUri).port) });
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export function ask(port: number, path: string, options: http.RequestOptions = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, path, agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

export const ok = { ok: true, issuer: "https://id.example.com", account: "ann" } as const;

export async function takenPort(host: string): Promise<{ readonly port: number; release(): void }> {
  const taken = createServer();
  await new Promise<void>((done, failed) => taken.once("error", failed).listen(0, host, done));
  return { port: (taken.address() as AddressInfo).port, release: () => void taken.close() };
}

/** A connection that says only what it is told to, and how it ended. */
export async function rawConnection(port: number, text = ""): Promise<{ readonly socket: Socket; readonly ended: Promise<string> }> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    received += chunk;
  });
  socket.on("error", () => undefined);
  const ended = new Promise<string>((done) => socket.once("close", () => done(received)));
  await new Promise((done) => socket.once("connect", done));
  if (text !== "") socket.write(text);
  return { socket, ended };
}

export const theAnswer = `/?code=right&state=${state}`;

/** The wait goes on: the right answer is still taken. */
export async function stillWaits(listener: CallbackListener & { readonly port: number }, options: http.RequestOptions = {}): Promise<Answer> {
  const page = ask(listener.port, theAnswer, options);
  expect(await listener.next(never)).toBe(`?code=right&state=${state}`);
  await listener.finish(ok);
  return page;
}
