import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { bindTargets, redirectUriFor } from "../../src/adapters/loopback-addresses.ts";
import { loopbackServer } from "../../src/adapters/loopback-server.ts";
import type { CallbackListener, CallbackOptions } from "../../src/ports.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { makeCertificates } from "../issuer/certificates.ts";

const never = new AbortController().signal;
const state = "a".repeat(43);
const listeners: CallbackListener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.finish(undefined);
});

async function listen(options: Partial<CallbackOptions> = {}): Promise<CallbackListener & { readonly port: number }> {
  const listener = await loopbackServer().listen({
    addresses: ["127.0.0.1:0"],
    redirectUrl: undefined,
    certificateFile: undefined,
    keyFile: undefined,
    openAfter: undefined,
    state,
    ...options,
  });
  listeners.push(listener);
  return Object.assign(listener, { port: Number(new URL(listener.redirectUri).port) });
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

function ask(port: number, path: string, options: http.RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, path, agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("error", reject);
    request.end();
  });
}

const ok = { ok: true, issuer: "https://id.example.com", account: "ann" } as const;

describe("addresses", () => {
  it("localhost means both families; an address means itself", () => {
    expect(bindTargets(["127.0.0.1:8000", "[::1]:9"], undefined)).toEqual([
      { hosts: ["127.0.0.1", "::1"], port: 8000 },
      { hosts: ["127.0.0.1", "::1"], port: 9 },
    ]);
    expect(bindTargets(["127.0.0.1:8000"], "127.0.0.1")).toEqual([{ hosts: ["127.0.0.1"], port: 8000 }]);
    expect(bindTargets(["0.0.0.0:8000"], undefined)).toEqual([{ hosts: ["0.0.0.0"], port: 8000 }]);
  });
  it("the redirect URI is as registered, without an added slash; port 0 is the real one", () => {
    expect(redirectUriFor(undefined, false, 8000)).toBe("http://localhost:8000");
    expect(redirectUriFor(undefined, true, 8000)).toBe("https://localhost:8000");
    expect(redirectUriFor("http://localhost:8000", false, 8000)).toBe("http://localhost:8000");
    expect(redirectUriFor("http://[::1]:0/cb", false, 9)).toBe("http://[::1]:9/cb");
    expect(redirectUriFor("https://login.example.com/cb", false, 9)).toBe("https://login.example.com/cb");
  });
});

describe("the loopback listener", () => {
  it("listens on both families of localhost, on one port", async () => {
    const { port, redirectUri } = await listen();
    expect(redirectUri).toBe(`http://localhost:${port}`);
    expect((await ask(port, "/x")).status).toBe(404);
    expect((await ask(port, "/x", { host: "::1" })).status).toBe(404);
  });

  it("holds the browser's answer until the outcome is known", async () => {
    const listener = await listen();
    const page = ask(listener.port, `/?code=c&state=${state}`);
    expect(await listener.next(never)).toBe(`?code=c&state=${state}`);
    const early = await Promise.race([page.then(() => "answered"), new Promise((done) => setTimeout(done, 50, "held"))]);
    expect(early).toBe("held");
    await listener.finish(ok);
    const answered = await page;
    expect(answered.status).toBe(200);
    expect(answered.body).toContain("Logged in");
    expect(answered.headers).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
    });
  });

  it.each([
    ["another state", `/?code=c&state=${"b".repeat(43)}`, 400],
    ["no state", "/?code=c", 400],
    ["a longer state", `/?code=c&state=${state}a`, 400],
    ["two states", `/?code=c&state=${state}&state=${state}`, 400],
    ["two codes", `/?code=c&code=d&state=${state}`, 400],
    ["neither code nor error", `/?state=${state}`, 400],
    ["another path", `/other?code=c&state=${state}`, 404],
    ["an endless address", `/?code=${"c".repeat(16_400)}&state=${state}`, 414],
  ])("%s is answered and does not end the wait", async (_, path, status) => {
    const listener = await listen();
    expect((await ask(listener.port, path)).status).toBe(status);
    const page = ask(listener.port, `/?code=right&state=${state}`);
    expect(await listener.next(never)).toContain("right");
    await listener.finish(ok);
    await page;
  });

  it.each(["POST", "HEAD", "OPTIONS"])("%s is refused", async (method) => {
    const { port } = await listen();
    expect((await ask(port, `/?code=c&state=${state}`, { method })).status).toBe(405);
  });

  it("a foreign host name is refused (DNS rebinding)", async () => {
    const { port } = await listen();
    expect((await ask(port, `/?code=c&state=${state}`, { headers: { host: `evil.example.com:${port}` } })).status).toBe(400);
  });

  it("shows why a login failed, everything escaped", async () => {
    const listener = await listen();
    const page = ask(listener.port, `/?error=access_denied&state=${state}`);
    await listener.next(never);
    await listener.finish({ ok: false, issuer: "https://id.example.com", code: "LOGIN_DENIED", message: "no: <script>alert(1)</script>", hint: "run: x" });
    const { status, body } = await page;
    expect(status).toBe(400);
    expect(body).toContain("&lt;script&gt;");
    expect(body).not.toContain("<script>");
  });

  it("frees its ports, idle connections included, within a second", async () => {
    const listener = await listen();
    const idle = connect(listener.port, "127.0.0.1");
    await new Promise((done) => idle.once("connect", done));
    idle.on("error", () => undefined);
    const started = Date.now();
    await listener.finish(undefined);
    expect(Date.now() - started).toBeLessThan(1_500);
    await expect(ask(listener.port, "/")).rejects.toThrow(/ECONNREFUSED/);
    idle.destroy();
  });

  it("takes the next address when either family is taken, and names all when none is left", async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
    const { port } = taken.address() as AddressInfo;
    try {
      expect((await listen({ addresses: [`127.0.0.1:${port}`, "127.0.0.1:0"] })).port).not.toBe(port);
      expect(await codeOfPromise(listen({ addresses: [`127.0.0.1:${port}`] }))).toBe("PORTS_IN_USE");
    } finally {
      taken.close();
    }
  });

  it("an interrupt ends the wait", async () => {
    const listener = await listen();
    const stop = new AbortController();
    const waiting = codeOfPromise(listener.next(stop.signal));
    stop.abort();
    expect(await waiting).toBe("INTERRUPTED");
  });

  it("speaks HTTPS with a certificate, and names files that are none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-callback-"));
    try {
      const certificates = await makeCertificates(folder);
      const certificateFile = join(folder, "cert.pem");
      const keyFile = join(folder, "key.pem");
      writeFileSync(certificateFile, certificates.certPem);
      writeFileSync(keyFile, certificates.keyPem);
      const listener = await listen({ certificateFile, keyFile });
      expect(listener.redirectUri).toMatch(/^https:\/\/localhost:\d+$/);
      const status = await new Promise((resolve, reject) =>
        https.get({ host: "localhost", port: listener.port, path: "/x", ca: certificates.caPem, agent: false }, (response) => resolve(response.statusCode)).on("error", reject),
      );
      expect(status).toBe(404);
      expect(await codeOfPromise(listen({ certificateFile: join(folder, "none"), keyFile }))).toBe("SETTINGS_INVALID");
      expect(await codeOfPromise(listen({ certificateFile: keyFile, keyFile }))).toBe("SETTINGS_INVALID");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
