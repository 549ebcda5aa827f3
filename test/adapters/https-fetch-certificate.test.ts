import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import type * as http from "node:http";
import * as https from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FetchOptions } from "../../src/adapters/https-fetch.ts";
import { type OddAuthority, oddAuthority, type ServerCertificate } from "../issuer/odd-certificates.ts";
import { hasProgram } from "../programs.ts";
import { fetchWith, listen, stage, useStage } from "./fetch-stage.ts";

useStage();
let authority: OddAuthority;
let certificate: ServerCertificate;
beforeAll(async () => {
  authority = await oddAuthority({ name: "authority of the clients" });
  certificate = await authority.issue({ commonName: "machine" });
});

/** A server that asks for certificates; gives what each connection showed, and how many requests it had. */
async function server(options: https.ServerOptions = {}): Promise<{ readonly origin: string; readonly seen: string[]; connections(): number }> {
  const seen: string[] = [];
  const sockets = new Set<unknown>();
  const own = { cert: stage.certificates.certPem, key: stage.certificates.keyPem, ca: authority.pem, requestCert: true, rejectUnauthorized: false };
  const made = https.createServer({ ...own, ...options }, (request, response) => {
    const socket = request.socket as TLSSocket;
    sockets.add(socket);
    seen.push(`${request.method} ${String(socket.getPeerCertificate().subject?.CN ?? "nobody")}${socket.authorized ? "" : ", not verified"}`);
    response.end("{}");
  });
  made.on("tlsClientError", () => undefined);
  return { origin: `https://localhost:${await listen(made)}`, seen, connections: () => sockets.size };
}

const presenting = (options: Partial<FetchOptions>) => fetchWith({ caFiles: [stage.certificates.caFile], certificate: () => certificate, ...options });
const get = (url: string, { fetch }: ReturnType<typeof fetchWith>) => fetch(url, { method: "GET", headers: {}, body: undefined, redirect: "manual" });
const post = (url: string, { fetch }: ReturnType<typeof fetchWith>) => fetch(url, { method: "POST", headers: {}, body: "a=b", redirect: "manual" });

describe("a client's certificate is shown", () => {
  it("to the issuer, and to its endpoints elsewhere that something is sent to; not to who only has its keys [K-06]", async () => {
    const issuer = await server();
    const elsewhere = await server();
    const http = presenting({ origin: issuer.origin });
    await get(`${issuer.origin}/.well-known/openid-configuration`, http);
    await post(`${issuer.origin}/token`, http);
    await get(`${elsewhere.origin}/keys`, http);
    await post(`${elsewhere.origin}/token`, http);
    expect(issuer.seen).toEqual(["GET machine", "POST machine"]);
    expect(elsewhere.seen).toEqual(["GET nobody, not verified", "POST machine"]);
  });

  it("to nobody without the option", async () => {
    const issuer = await server();
    await post(`${issuer.origin}/token`, fetchWith({ caFiles: [stage.certificates.caFile], origin: issuer.origin }));
    expect(issuer.seen).toEqual(["POST nobody, not verified"]);
  });

  it("with --insecure-skip-tls-verify too", async () => {
    const issuer = await server();
    await post(`${issuer.origin}/token`, fetchWith({ certificate: () => certificate, origin: issuer.origin, insecure: true }));
    expect(issuer.seen).toEqual(["POST machine"]);
  });

  it("and what follows an answer goes on its connection, as ever [K-06]", async () => {
    const issuer = await server();
    const http = presenting({ origin: issuer.origin });
    await get(`${issuer.origin}/.well-known/openid-configuration`, http);
    await post(`${issuer.origin}/token`, http);
    await get(`${issuer.origin}/keys`, http);
    expect(issuer.seen).toEqual(["GET machine", "POST machine", "GET machine"]);
    expect(issuer.connections()).toBe(2);
  });

  it("inside a proxy's tunnel, and never to the proxy, whatever that asks for [NW-06]", async () => {
    const issuer = await server();
    const shown: unknown[] = [];
    const tunnel = (request: http.IncomingMessage, client: Duplex) => {
      shown.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN);
      const upstream = connect(Number(new URL(issuer.origin).port), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      for (const end of [upstream, client]) end.on("error", () => client.destroy());
    };
    const proxy = https.createServer({ cert: stage.certificates.certPem, key: stage.certificates.keyPem, ca: authority.pem, requestCert: true, rejectUnauthorized: false });
    const port = await listen(proxy.on("connect", tunnel));
    // Loopback never goes through a proxy of the environment.
    const http = presenting({ origin: issuer.origin, proxy: new URL(`https://localhost:${port}`) });
    await post(`${issuer.origin}/token`, http);
    expect([issuer.seen, shown]).toEqual([["POST machine"], [undefined]]);
  });

  it("with the roots of an earlier run, and with all when those do not do", async () => {
    const issuer = await server();
    const first = presenting({ origin: issuer.origin });
    await post(`${issuer.origin}/token`, first);
    expect(first.roots.learned()).toHaveLength(1);
    const second = presenting({ origin: issuer.origin });
    second.roots.begin(first.roots.learned());
    await post(`${issuer.origin}/token`, second);
    const third = presenting({ origin: issuer.origin, caFiles: [stage.certificates.caFile], caData: [authority.pem] });
    third.roots.begin([authority.pem.trim()]);
    await post(`${issuer.origin}/token`, third);
    expect(issuer.seen).toEqual(["POST machine", "POST machine", "POST machine"]);
  });
});

/** OpenSSL's own server, which says by an alert what Node's closes the connection for. */
async function opensslServer(version: "-tls1_2" | "-tls1_3"): Promise<string> {
  const files = { "cert.pem": stage.certificates.certPem, "key.pem": stage.certificates.keyPem, "clients.pem": authority.pem };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(stage.folder, name), text);
  const args = ["s_server", "-accept", "127.0.0.1:0", version, "-cert", "cert.pem", "-key", "key.pem", "-CAfile", "clients.pem", "-Verify", "1", "-verify_return_error"];
  const child = spawn("openssl", args, { cwd: stage.folder, stdio: ["pipe", "pipe", "ignore"] });
  running.push(child);
  for await (const chunk of child.stdout) {
    const port = /ACCEPT .*:(\d+)/.exec(String(chunk))?.[1];
    if (port !== undefined) return `https://localhost:${port}`;
  }
  throw new Error("openssl serves nothing");
}

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

describe("a certificate that the server refuses", () => {
  it.skipIf(!hasProgram("openssl")).each(["-tls1_2", "-tls1_3"] as const)(
    "of an authority that it does not know, %s: CLIENT_REJECTED, and no fault of the network",
    async (version) => {
      const origin = await opensslServer(version);
      const stranger = await (await oddAuthority()).issue();
      await expect(post(`${origin}/token`, presenting({ origin, certificate: () => stranger }))).rejects.toMatchObject({
        code: "CLIENT_REJECTED",
        message: expect.stringContaining("refused the client's certificate"),
        reason: "its authority is not known there",
        hint: expect.stringContaining("--client-certificate"),
      });
    },
  );

  it("and a server that demands one says so where none is set", async () => {
    const { origin } = await server({ rejectUnauthorized: true });
    await expect(post(`${origin}/token`, fetchWith({ caFiles: [stage.certificates.caFile], origin }))).rejects.toMatchObject({
      code: "ISSUER_UNREACHABLE",
      reason: expect.stringContaining("--client-certificate"),
    });
  });
});
