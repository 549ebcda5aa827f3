import * as http from "node:http";
import * as https from "node:https";
import { connect, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { codeOfPromise } from "../fakes/codes.ts";
import { closeServers, fetchWith, get, hello, listen, plain, secure, stage, useStage } from "./fetch-stage.ts";

useStage();

describe("a proxy", () => {
  const example = "https://id.example.com/";
  /** Tunnels every CONNECT to `target`, whatever its name. */
  const tunnel =
    (target: number, asked: string[] = []) =>
    (request: http.IncomingMessage, client: Duplex) => {
      asked.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
      const upstream = connect(target, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on("error", () => client.destroy());
      client.on("error", () => upstream.destroy());
    };

  it("is reached by CONNECT, and the issuer's certificate is checked inside, name included [NW-06]", async () => {
    const asked: string[] = [];
    const proxy = http.createServer().on("connect", tunnel(await secure(hello), asked));
    const env = { HTTPS_PROXY: `http://ann:hunter%32@127.0.0.1:${await listen(proxy)}` };
    expect(await codeOfPromise(get(example, { env }))).toBe("ISSUER_TLS_UNTRUSTED");
    // The certificate is for localhost, which never goes through a proxy: the name of the request is another one.
    await expect(get(example, { env, caFiles: [stage.certificates.caFile] })).rejects.toMatchObject({
      code: "ISSUER_TLS_UNTRUSTED",
      reason: expect.stringContaining("another name"),
    });
    expect(await (await get(example, { env, insecure: true })).text()).toBe("hello");
    expect(asked).toEqual(Array.from({ length: 3 }, () => `id.example.com:443 Basic ${Buffer.from("ann:hunter2").toString("base64")}`));
  });
  it("that is reached by TLS is checked like the issuer, and blamed by its own name", async () => {
    const proxy = https.createServer({ cert: stage.certificates.certPem, key: stage.certificates.keyPem }).on("connect", tunnel(await secure(hello)));
    const port = await listen(proxy);
    const env = { HTTPS_PROXY: `https://ann:hunter2@localhost:${port}` };
    const failed = get(example, { env });
    await expect(failed).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED", message: `the TLS certificate of the proxy localhost:${port} is not trusted` });
    await expect(get(example, { env, caFiles: [stage.certificates.caFile] })).rejects.toMatchObject({ message: "the TLS certificate of id.example.com is not trusted" });
  });
  it.each([400, 401, 407, 201, 302])("that refuses the tunnel with %d does not speak for the issuer [NW-06]", async (status) => {
    const received: string[] = [];
    const forged = '{"error":"invalid_grant"}';
    const proxy = await listen(
      createServer((socket) => {
        socket.on("error", () => undefined);
        socket.on("data", (chunk) => {
          received.push(String(chunk));
          socket.write(`HTTP/1.1 ${status} No\r\ncontent-type: application/json\r\ncontent-length: ${forged.length}\r\n\r\n${forged}`);
        });
      }),
    );
    const env = { HTTPS_PROXY: `http://ann:hunter2@127.0.0.1:${proxy}` };
    const failed = fetchWith({ env }).fetch(`${example}token`, { method: "POST", headers: {}, body: "refresh_token=secret-token", redirect: "manual" });
    await expect(failed).rejects.toMatchObject({
      code: "ISSUER_UNREACHABLE",
      message: expect.stringContaining(`proxy 127.0.0.1:${proxy}`),
      reason: `the proxy answered ${status}`,
    });
    expect(received.join("")).not.toContain("secret-token");
  });
  it("that never answers ends at the deadline, and is named", async () => {
    const proxy = await listen(createServer((socket) => void socket.on("error", () => undefined)));
    const failed = get(example, { env: { HTTPS_PROXY: `127.0.0.1:${proxy}` }, deadlineMs: 200 });
    await expect(failed).rejects.toMatchObject({
      code: "ISSUER_UNREACHABLE",
      message: expect.stringContaining("in time"),
      reason: expect.stringContaining(`proxy 127.0.0.1:${proxy}`),
    });
  });
  it.each<[string, string, string, string]>([
    ["and then speaks in the issuer's place, without TLS", "", 'HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\n\r\n{"error":"invalid_grant"}', "speaks no TLS"],
    ["with an answer in the same breath", 'content-type: application/json\r\ncontent-length: 25\r\n\r\n{"error":"invalid_grant"}', "", ""],
    ["and sends a page", "content-type: text/html\r\n", "<h1>Log in to the proxy</h1>", "speaks no TLS"],
    ["and hangs up", "", "", ""],
  ])("that says yes %s never speaks for the issuer [NW-06]", async (_, head, later, reason) => {
    const received: string[] = [];
    const proxy = await listen(
      createServer((socket) => {
        socket.on("error", () => undefined);
        socket.on("data", (chunk) => {
          received.push(String(chunk));
          if (received.length === 1) socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n`);
          else socket.end(later);
        });
      }),
    );
    const env = { HTTPS_PROXY: `http://ann:hunter2@127.0.0.1:${proxy}` };
    const failed = fetchWith({ env }).fetch(`${example}token`, { method: "POST", headers: {}, body: "refresh_token=secret-token", redirect: "manual" });
    await expect(failed).rejects.toMatchObject({
      code: "ISSUER_UNREACHABLE",
      message: expect.stringContaining(`proxy 127.0.0.1:${proxy}`),
      reason: expect.stringContaining(reason),
    });
    await expect(failed).rejects.toMatchObject({ reason: expect.not.stringMatching(/hunter2|invalid_grant|secret-token/) });
    expect(received.join("")).not.toContain("secret-token");
  });
  it("that puts its own certificate in the issuer's place is not believed [NW-06]", async () => {
    const proxy = http.createServer().on("connect", tunnel(await secure(hello)));
    const failed = get(example, { env: { HTTPS_PROXY: `127.0.0.1:${await listen(proxy)}` } });
    await expect(failed).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED", message: "the TLS certificate of id.example.com is not trusted" });
  });
  it("that answers without end is cut off at the deadline [NW-04, NW-06]", async () => {
    const closed: (() => void)[] = [];
    const end = new Promise<void>((done) => void closed.push(done));
    const proxy = await listen(
      createServer((socket) => {
        const more = () => void (socket.destroyed || socket.write("x".repeat(65_536), more));
        socket.on("error", () => undefined).on("close", () => closed[0]?.());
        socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nx: ", more));
      }),
    );
    await expect(get(example, { env: { HTTPS_PROXY: `127.0.0.1:${proxy}` }, deadlineMs: 200 })).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE" });
    // The agent reads on until its connection is ended.
    await end;
  });
  it("that resets is named [NW-06]", async () => {
    const proxy = await listen(createServer((socket) => void socket.on("error", () => undefined).once("data", () => socket.resetAndDestroy())));
    await expect(get(example, { env: { HTTPS_PROXY: `127.0.0.1:${proxy}` } })).rejects.toMatchObject({
      code: "ISSUER_UNREACHABLE",
      reason: expect.stringMatching(/ECONNRESET|ended/),
    });
  });
  it("is never asked for an issuer on this computer: what is sent there is not encrypted [NW-06]", async () => {
    const port = await plain(hello);
    for (const env of [{ HTTP_PROXY: "127.0.0.1:1" }, { http_proxy: "127.0.0.1:1", NO_PROXY: "elsewhere" }, { HTTPS_PROXY: "127.0.0.1:1", HTTP_PROXY: "127.0.0.1:1" }]) {
      expect(await (await get(`http://localhost:${port}/`, { env })).text()).toBe("hello");
    }
  });
  it("that is not there is named without its user info [NW-06]", async () => {
    const port = await plain(hello);
    await closeServers();
    const failed = get(example, { env: { HTTPS_PROXY: `http://ann:hunter2@127.0.0.1:${port}` } });
    await expect(failed).rejects.toMatchObject({
      code: "ISSUER_UNREACHABLE",
      message: expect.stringContaining(`proxy 127.0.0.1:${port}`),
      reason: expect.stringContaining("ECONNREFUSED"),
    });
    await expect(failed).rejects.toThrow(/^(?!.*hunter2)/);
  });
  it("for plain HTTP gets the whole URL", async () => {
    const asked: string[] = [];
    const proxy = await plain((request, response) => {
      asked.push(request.url ?? "");
      response.end("by proxy");
    });
    const answer = await get("http://id.example.com/path?a=b", { env: { HTTP_PROXY: `127.0.0.1:${proxy}` } });
    expect(await answer.text()).toBe("by proxy");
    expect(asked).toEqual(["http://id.example.com/path?a=b"]);
  });
  it("is not asked for what NO_PROXY names", async () => {
    const port = await plain(hello);
    expect(await (await get(`http://127.0.0.1:${port}/`, { env: { HTTP_PROXY: "127.0.0.1:1" } })).text()).toBe("hello");
  });
});
