import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { type AddressInfo, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type FetchOptions, httpsFetch } from "../../src/adapters/https-fetch.ts";
import { codeOf, codeOfPromise } from "../fakes/codes.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";

let folder: string;
let certificates: Certificates;
const open: Server[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-fetch-"));
  certificates = await makeCertificates(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  for (const server of open.splice(0)) {
    server.close();
    if (server instanceof http.Server || server instanceof https.Server) server.closeAllConnections();
  }
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

const secure = (handle: http.RequestListener) => listen(https.createServer({ cert: certificates.certPem, key: certificates.keyPem }, handle));
const plain = (handle: http.RequestListener) => listen(http.createServer(handle));

const logged: string[] = [];
const fetchWith = (options: Partial<FetchOptions> = {}) =>
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
const get = (url: string, options?: Partial<FetchOptions>) =>
  fetchWith(options).fetch(url, { method: "GET", headers: { accept: "application/json" }, body: undefined, redirect: "manual" });

const hello: http.RequestListener = (_request, response) => response.end("hello");

describe("TLS", () => {
  it("an authority that is not known is ISSUER_TLS_UNTRUSTED, with the option that adds it", async () => {
    const port = await secure(hello);
    const failed = get(`https://localhost:${port}/`);
    await expect(failed).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED", hint: expect.stringContaining("--certificate-authority") });
  });
  it("a file or data adds it to the system's", async () => {
    const port = await secure(hello);
    expect(await (await get(`https://localhost:${port}/`, { caFiles: [certificates.caFile] })).text()).toBe("hello");
    expect((await get(`https://localhost:${port}/`, { caData: [Buffer.from(certificates.caPem).toString("base64")] })).status).toBe(200);
  });
  it("a certificate for another name is refused", async () => {
    const port = await secure(hello);
    expect(await codeOfPromise(get(`https://127.0.0.2:${port}/`, { caFiles: [certificates.caFile] }).catch((error) => Promise.reject(error)))).toMatch(
      /ISSUER_TLS_UNTRUSTED|ISSUER_UNREACHABLE/,
    );
  });
  it("--insecure-skip-tls-verify takes it, and the trust says so", async () => {
    const port = await secure(hello);
    const client = fetchWith({ insecure: true });
    expect((await client.fetch(`https://localhost:${port}/`, { method: "GET", headers: {}, body: undefined, redirect: "manual" })).status).toBe(200);
    expect(client.trust()).toEqual({ insecure: true, authorities: [] });
  });
  it("names each added authority by its digest, whatever the file", () => {
    const copy = join(folder, "copy.pem");
    writeFileSync(copy, `# a comment\n${certificates.caPem}`);
    const authorities = fetchWith({ caFiles: [certificates.caFile, copy] }).trust().authorities;
    expect(authorities).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
  it.each(["/nowhere/ca.pem", "/dev/null", "/etc/hostname"])("%s is no authority", (path) => {
    expect(codeOf(() => fetchWith({ caFiles: [path] }).trust())).toBe("SETTINGS_INVALID");
  });
  it("data that is no certificate is refused", () => expect(codeOf(() => fetchWith({ caData: ["AAAA"] }).trust())).toBe("SETTINGS_INVALID"));
});

describe("faults", () => {
  it("a closed port", async () => {
    const port = await plain(hello);
    for (const server of open.splice(0)) await new Promise((done) => server.close(done));
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
  it("headers of the settings go to the issuer's origin only", async () => {
    const seen: (string | undefined)[] = [];
    const port = await plain((request, response) => {
      seen.push(request.headers["x-gate"] as string | undefined);
      response.end();
    });
    const headers = { "x-gate": "secret-gate" };
    await get(`http://127.0.0.1:${port}/`, { headers, origin: `http://127.0.0.1:${port}` });
    await get(`http://127.0.0.1:${port}/`, { headers, origin: "http://127.0.0.1:1" });
    expect(seen).toEqual(["secret-gate", undefined]);
  });
  it("the log has no query, no header value that could be secret, no body", async () => {
    const port = await plain((_request, response) => response.writeHead(200, { "set-cookie": "sid=secret-cookie" }).end());
    await get(`http://127.0.0.1:${port}/path?code=secret-code`);
    expect(logged.join("\n")).toContain("/path -> 200");
    expect(logged.join("\n")).not.toMatch(/secret/);
  });
});

describe("a proxy", () => {
  it("is reached by CONNECT, and the issuer's certificate is checked inside", async () => {
    const target = await secure(hello);
    const asked: string[] = [];
    const proxy = http.createServer();
    proxy.on("connect", (request, client) => {
      asked.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
      const upstream = connect(target, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on("error", () => client.destroy());
      client.on("error", () => upstream.destroy());
    });
    const env = { HTTPS_PROXY: `http://ann:hunter2@127.0.0.1:${await listen(proxy)}` };
    // The certificate is for localhost, which never goes through a proxy: the name of the request is another one.
    await expect(get("https://id.example.com/", { env, caFiles: [certificates.caFile] })).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED" });
    expect((await get("https://id.example.com/", { env, insecure: true })).status).toBe(200);
    expect(asked).toEqual(Array.from({ length: 2 }, () => `id.example.com:443 Basic ${Buffer.from("ann:hunter2").toString("base64")}`));
  });
  it("that is not there is named without its user info", async () => {
    const port = await plain(hello);
    for (const server of open.splice(0)) await new Promise((done) => server.close(done));
    const failed = get("https://id.example.com/", { env: { HTTPS_PROXY: `http://ann:hunter2@127.0.0.1:${port}` } });
    await expect(failed).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", message: expect.stringContaining(`proxy 127.0.0.1:${port}`) });
    await expect(failed).rejects.toThrow(/^(?!.*hunter2)/);
  });
});
