import { mkdtempSync, rmSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type FetchOptions, httpsFetch } from "../../src/adapters/https-fetch.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";

const open: Server[] = [];
const sockets = new Set<Socket>();

/** A folder with certificates for the tests of one file. */
export const stage: { folder: string; certificates: Certificates } = { folder: "", certificates: { caPem: "", caFile: "", certPem: "", keyPem: "" } };

/** Sets the stage of a test file and clears it; servers end after each test. */
export function useStage(): void {
  beforeAll(async () => {
    stage.folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-fetch-"));
    stage.certificates = await makeCertificates(stage.folder);
  });
  afterAll(() => rmSync(stage.folder, { recursive: true }));
  afterEach(() => {
    for (const server of open.splice(0)) server.close();
    // Those of a tunnel belong to no HTTP server any more.
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  });
}

/** Gives the port on 127.0.0.1. */
export async function listen(server: Server): Promise<number> {
  open.push(server);
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

/** Ends the servers now, so that their ports refuse. */
export async function closeServers(): Promise<void> {
  for (const server of open.splice(0)) await new Promise((done) => server.close(done));
}

export const secure = (handle: http.RequestListener) => listen(https.createServer({ cert: stage.certificates.certPem, key: stage.certificates.keyPem }, handle));
export const plain = (handle: http.RequestListener) => listen(http.createServer(handle));

export const logged: string[] = [];

export const fetchWith = (options: Partial<FetchOptions> = {}) =>
  httpsFetch({
    caFiles: [],
    caData: [],
    insecure: false,
    env: {},
    headers: {},
    origin: "https://elsewhere",
    version: "1.2.3",
    log: (_level, text) => logged.push(text),
    signal: new AbortController().signal,
    ...options,
  });

export const get = (url: string, options?: Partial<FetchOptions>) =>
  fetchWith(options).fetch(url, { method: "GET", headers: { accept: "application/json" }, body: undefined, redirect: "manual" });

export const hello: http.RequestListener = (_request, response) => response.end("hello");
