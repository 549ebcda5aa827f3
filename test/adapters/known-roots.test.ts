import * as https from "node:https";
import { beforeAll, describe, expect, it } from "vitest";
import { type OddAuthority, oddAuthority } from "../issuer/odd-certificates.ts";
import { fetchWith, listen, useStage } from "./fetch-stage.ts";

useStage();
let ours: OddAuthority;
let other: OddAuthority;
beforeAll(async () => {
  [ours, other] = await Promise.all([oddAuthority(), oddAuthority({ name: "another authority" })]);
});

/** A server with a certificate of this authority; counts the connections that were begun and the requests that came. */
async function serve(authority: OddAuthority): Promise<{ readonly url: string; readonly seen: { connections: number; requests: number } }> {
  const seen = { connections: 0, requests: 0 };
  const server = https.createServer(await authority.issue(), (request, response) => {
    seen.requests++;
    request.resume().on("end", () => response.end("hello"));
  });
  server.on("connection", () => void seen.connections++).on("tlsClientError", () => undefined);
  return { url: `https://localhost:${await listen(server)}/`, seen };
}

const trusting = (...authorities: readonly OddAuthority[]) => fetchWith({ caData: authorities.map(({ pem }) => pem) });
const post = (http: ReturnType<typeof fetchWith>, url: string) =>
  http.fetch(url, { method: "POST", headers: {}, body: new URLSearchParams({ refresh_token: "r" }), redirect: "manual" });
const bare = (pem: string) => pem.replace(/\s/g, "");

describe("the roots that a session's connections need", () => {
  it("are those that verified them, and no others", async () => {
    const http = trusting(ours, other);
    await post(http, (await serve(ours)).url);
    expect(http.roots.learned().map(bare)).toEqual([bare(ours.pem)]);
    await post(http, (await serve(other)).url);
    expect(http.roots.learned().map(bare)).toEqual([ours, other].map(({ pem }) => bare(pem)));
  });

  it("do, in the next run, without the rest", async () => {
    const first = trusting(ours, other);
    const server = await serve(ours);
    await post(first, server.url);
    const next = trusting(ours, other);
    next.roots.begin(first.roots.learned());
    expect((await post(next, server.url)).status).toBe(200);
    expect(server.seen).toEqual({ connections: 2, requests: 2 });
    expect(next.roots.learned()).toEqual(first.roots.learned());
  });

  it("give way to all of them for a server with another one, and its request is made once", async () => {
    const first = trusting(ours, other);
    await post(first, (await serve(ours)).url);
    const moved = await serve(other);
    const next = trusting(ours, other);
    next.roots.begin(first.roots.learned());
    expect((await post(next, moved.url)).status).toBe(200);
    expect(moved.seen).toEqual({ connections: 2, requests: 1 });
    expect(next.roots.learned().map(bare)).toEqual([ours, other].map(({ pem }) => bare(pem)));
  });

  it("count only while they are trusted: a root that a former run learned verifies nothing by itself", async () => {
    const server = await serve(other);
    const http = trusting(ours);
    http.roots.begin([other.pem]);
    await expect(post(http, server.url)).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED" });
    expect(server.seen.requests).toBe(0);
    expect(http.roots.learned()).toEqual([]);
  });

  it("are refused as a whole when one of them is not trusted, and when they are many", async () => {
    const server = await serve(ours);
    for (const pems of [[ours.pem, other.pem], [], Array(5).fill(ours.pem) as string[]]) {
      const http = trusting(ours);
      http.roots.begin(pems);
      expect((await post(http, server.url)).status).toBe(200);
      expect(http.roots.learned().map(bare)).toEqual([bare(ours.pem)]);
    }
  });

  it("do not hide a certificate that is wrong: it is tried with all, and refused", async () => {
    const seen = { requests: 0 };
    const url = `https://localhost:${await listen(https.createServer(await ours.issue({ names: ["id.example.com"] }), () => void seen.requests++).on("tlsClientError", () => undefined))}/`;
    const first = trusting(ours);
    await post(first, (await serve(ours)).url);
    const next = trusting(ours);
    next.roots.begin(first.roots.learned());
    await expect(post(next, url)).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED", reason: expect.stringContaining("another name") });
    expect(seen.requests).toBe(0);
  });

  it("are not learned where certificates are not checked", async () => {
    const http = fetchWith({ insecure: true });
    await post(http, (await serve(other)).url);
    expect(http.roots.learned()).toEqual([]);
  });
});
