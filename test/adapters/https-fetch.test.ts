import { createPrivateKey, createPublicKey, webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import type * as http from "node:http";
import * as https from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeOfPromise } from "../fakes/codes.ts";
import { provideReflectMetadata } from "../issuer/reflect-metadata.ts";
import { closeServers, fetchWith, get, hello, listen, logged, plain, secure, stage, useStage } from "./fetch-stage.ts";

useStage();

describe("TLS", () => {
  it("an authority that is not known is ISSUER_TLS_UNTRUSTED, with the option that adds it", async () => {
    const port = await secure(hello);
    const failed = get(`https://localhost:${port}/`);
    await expect(failed).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED", hint: expect.stringContaining("--certificate-authority") });
  });
  it("a file or data adds it to the system's", async () => {
    const port = await secure(hello);
    expect(await (await get(`https://localhost:${port}/`, { caFiles: [stage.certificates.caFile] })).text()).toBe("hello");
    expect((await get(`https://localhost:${port}/`, { caData: [Buffer.from(stage.certificates.caPem).toString("base64")] })).status).toBe(200);
  });
  it("NODE_EXTRA_CA_CERTS stays in force", async () => {
    const port = await secure(hello);
    expect((await get(`https://localhost:${port}/`, { env: { NODE_EXTRA_CA_CERTS: stage.certificates.caFile } })).status).toBe(200);
  });
  it("--insecure-skip-tls-verify takes it, and the trust says so", async () => {
    const port = await secure(hello);
    const client = fetchWith({ insecure: true });
    expect((await client.fetch(`https://localhost:${port}/`, { method: "GET", headers: {}, body: undefined, redirect: "manual" })).status).toBe(200);
    expect(client.trust()).toEqual({ insecure: true, authorities: [] });
  });
  it("names each added authority by its digest, whatever the file", () => {
    const copy = join(stage.folder, "copy.pem");
    writeFileSync(copy, `# a comment\n${stage.certificates.caPem}`);
    const authorities = fetchWith({ caFiles: [stage.certificates.caFile, copy] }).trust().authorities;
    expect(authorities).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
  it("an expired certificate points at the clock and the issuer, not at the CA", async () => {
    const old = await expiredCertificate();
    const port = await listen(https.createServer({ cert: old.pem, key: stage.certificates.keyPem }, hello));
    await expect(get(`https://localhost:${port}/`, { caData: [old.pem] })).rejects.toMatchObject({
      code: "ISSUER_TLS_UNTRUSTED",
      reason: expect.stringContaining("expired"),
      hint: expect.stringContaining("clock"),
    });
  });
  it("a server that speaks TLS 1.1 at most is not spoken to", async () => {
    const port = await listen(
      https.createServer({ cert: stage.certificates.certPem, key: stage.certificates.keyPem, maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }, hello),
    );
    await expect(get(`https://localhost:${port}/`, { insecure: true })).rejects.toMatchObject({
      code: "ISSUER_UNREACHABLE",
      reason: expect.stringMatching(/protocol version|alert|unsupported/i),
    });
  });
  it("plain HTTP on the TLS port is a fault of the issuer, not of a certificate", async () => {
    const port = await plain(hello);
    expect(await codeOfPromise(get(`https://localhost:${port}/`))).toBe("ISSUER_UNREACHABLE");
  });
  it("an authority that cannot be used ends a request before it is sent", async () => {
    const requests: string[] = [];
    const port = await secure((request, response) => {
      requests.push(request.url ?? "");
      response.end();
    });
    expect(await codeOfPromise(get(`https://localhost:${port}/`, { caFiles: [join(stage.folder, "nowhere.pem")] }))).toBe("SETTINGS_INVALID");
    expect(requests).toEqual([]);
  });
});

describe("faults", () => {
  it("a closed port", async () => {
    const port = await plain(hello);
    await closeServers();
    await expect(get(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", reason: expect.stringContaining("ECONNREFUSED") });
  });
  it("a name that does not exist", async () => {
    await expect(get("https://id.invalid/")).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE" });
  });
  it("silence ends at the deadline, before and after the head of the answer", async () => {
    const silent = await plain(() => undefined);
    const started = Date.now();
    await expect(get(`http://127.0.0.1:${silent}/`, { deadlineMs: 200 })).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", message: expect.stringContaining("in time") });
    const half = await plain((_request, response) => void response.write("{"));
    await expect(get(`http://127.0.0.1:${half}/`, { deadlineMs: 200 })).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE" });
    expect(Date.now() - started).toBeLessThan(5_000);
  });
  it("a connection that is cut", async () => {
    const port = await plain((request) => void request.socket.resetAndDestroy());
    await expect(get(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", reason: expect.stringMatching(/ECONNRESET|hang up/) });
  });
  it("an answer that is cut short is never taken for a whole one", async () => {
    const counted = await plain((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{}", () => response.socket?.destroy());
    });
    await expect(get(`http://127.0.0.1:${counted}/`)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", reason: expect.stringMatching(/ECONNRESET|hang up/) });
    const chunked = await plain((_request, response) => void response.write("{}", () => response.socket?.end()));
    expect(await codeOfPromise(get(`http://127.0.0.1:${chunked}/`))).toBe("ISSUER_UNREACHABLE");
  });
  it("an answer of exactly 1 MiB is taken whole", async () => {
    const port = await plain((_request, response) => response.end("x".repeat(1_048_576)));
    expect((await (await get(`http://127.0.0.1:${port}/`)).text()).length).toBe(1_048_576);
  });
  it("a head without end", async () => {
    const port = await plain((_request, response) => response.writeHead(200, Object.fromEntries(Array.from({ length: 900 }, (_none, n) => [`x-${n}`, "y".repeat(100)]))).end());
    expect(await codeOfPromise(get(`http://127.0.0.1:${port}/`))).toBe("ISSUER_UNREACHABLE");
  });
  it.each([
    [101, 502],
    [600, 502],
    [999, 502],
    [204, 204],
    [503, 503],
  ])("the status %d is given back as %d", async (sent, given) => {
    const port = await listen(createServer((socket) => void socket.once("data", () => socket.end(`HTTP/1.1 ${sent} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`))));
    expect((await get(`http://127.0.0.1:${port}/`)).status).toBe(given);
  });
  it("what is no HTTP", async () => {
    const port = await listen(createServer((socket) => void socket.end("\u001b]0;title\u0007 ssh?\r\n\r\n")));
    const failed = get(`http://127.0.0.1:${port}/`);
    await expect(failed).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", reason: expect.not.stringContaining("\u001b") });
  });
  it("an answer without end", async () => {
    const port = await plain((_request, response) => {
      response.on("error", () => undefined);
      const more = () => {
        if (!response.destroyed) response.write("x".repeat(65_536), more);
      };
      more();
    });
    await expect(get(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", message: expect.stringContaining("too large") });
  });
  it("an interrupt ends a GET, not a POST that was sent", async () => {
    const stop = new AbortController();
    const port = await plain((request, response) => {
      stop.abort();
      if (request.method === "POST") setTimeout(() => response.end("done"), 50);
    });
    await expect(get(`http://127.0.0.1:${port}/`, { signal: stop.signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
    const posted = await fetchWith({ signal: stop.signal }).fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers: {}, body: "a=b", redirect: "manual" });
    expect(await posted.text()).toBe("done");
  });
});

describe("an interrupt that came before", () => {
  it("ends a GET without a connection", async () => {
    let connections = 0;
    const server = createServer(() => connections++);
    const port = await listen(server);
    expect(await codeOfPromise(get(`http://127.0.0.1:${port}/`, { signal: AbortSignal.abort() }))).toBe("INTERRUPTED");
    expect(await codeOfPromise(get("https://id.example.com/", { signal: AbortSignal.abort(), env: { HTTPS_PROXY: `127.0.0.1:${port}` } }))).toBe("INTERRUPTED");
    expect(connections).toBe(0);
  });
});

describe("requests", () => {
  it("redirects are given back, never followed", async () => {
    let asked = 0;
    const port = await plain((_request, response) => {
      asked++;
      response.writeHead(302, { location: "/other" }).end();
    });
    expect((await get(`http://127.0.0.1:${port}/`)).status).toBe(302);
    expect(asked).toBe(1);
  });
  it("say who we are, ask for an answer as it is, and carry the form whole", async () => {
    const seen: { headers?: http.IncomingHttpHeaders; body?: string } = {};
    const port = await plain((request, response) => {
      seen.headers = request.headers;
      seen.body = "";
      request.on("data", (chunk) => {
        seen.body += String(chunk);
      });
      request.on("end", () => response.end());
    });
    const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: "é&=+" });
    await fetchWith().fetch(`http://127.0.0.1:${port}/token`, {
      method: "POST",
      headers: { "user-agent": "openid-client/6", "accept-encoding": "gzip" },
      body,
      redirect: "manual",
    });
    expect(seen.headers).toMatchObject({
      "user-agent": "kubectl-oidc/1.2.3",
      "accept-encoding": "identity",
      "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
      "content-length": String(body.toString().length),
      connection: "keep-alive",
    });
    expect(seen.body).toBe(body.toString());
  });
  it("headers of the settings go to the issuer's origin only", async () => {
    const seen: (string | undefined)[] = [];
    const port = await plain((request, response) => {
      seen.push(request.headers["x-gate"] as string | undefined);
      response.end();
    });
    const headers = { "x-gate": "secret-gate" };
    await get(`http://127.0.0.1:${port}/`, { headers, origin: `http://127.0.0.1:${port}` });
    await get(`http://127.0.0.1:${port}/`, { headers, origin: "http://127.0.0.1:1" });
    await get(`http://127.0.0.1:${port}/`, { headers, origin: `https://127.0.0.1:${port}` });
    expect(seen).toEqual(["secret-gate", undefined, undefined]);
  });
  it("the log has no query, no header value that could be secret, no body", async () => {
    const port = await plain((_request, response) => response.writeHead(200, { "set-cookie": "sid=secret-cookie" }).end());
    await get(`http://127.0.0.1:${port}/path?code=secret-code`);
    expect(logged.join("\n")).toContain("/path -> 200");
    expect(logged.join("\n")).not.toMatch(/secret/);
  });
});

/** A self-signed certificate for localhost that ended an hour ago, with the key of the others. */
async function expiredCertificate(): Promise<{ readonly pem: string }> {
  provideReflectMetadata();
  const x509 = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const pkcs8 = createPrivateKey(stage.certificates.keyPem).export({ format: "der", type: "pkcs8" });
  const spki = createPublicKey(stage.certificates.keyPem).export({ format: "der", type: "spki" });
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: "03",
      name: "CN=localhost",
      notBefore: new Date(Date.now() - 7_200_000),
      notAfter: new Date(Date.now() - 3_600_000),
      signingAlgorithm: algorithm,
      keys: {
        privateKey: await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
        publicKey: await webcrypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]),
      },
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }])],
    },
    webcrypto,
  );
  return { pem: certificate.toString("pem") };
}
