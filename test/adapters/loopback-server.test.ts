import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { hostsOf } from "../../src/adapters/callback-request.ts";
import { bindTargets, redirectUriFor } from "../../src/adapters/loopback-addresses.ts";
import { type LoopbackLimits, loopbackServer } from "../../src/adapters/loopback-server.ts";
import type { CallbackListener, CallbackOptions } from "../../src/ports.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { makeCertificates } from "../issuer/certificates.ts";

const never = new AbortController().signal;
const state = "a".repeat(43);
const listeners: CallbackListener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.finish(undefined);
});

/** Some build machines have no IPv6 at all. */
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

async function listen(options: Partial<CallbackOptions> = {}, limits?: LoopbackLimits): Promise<CallbackListener & { readonly port: number }> {
  const listener = await loopbackServer(limits).listen({
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

/** Something else that has this host's port; it ends with `release`. */
async function takenPort(host: string): Promise<{ readonly port: number; release(): void }> {
  const taken = createServer();
  await new Promise<void>((done, failed) => taken.once("error", failed).listen(0, host, done));
  return { port: (taken.address() as AddressInfo).port, release: () => void taken.close() };
}

/** A connection that says only what it is told to, and how it ended. */
async function rawConnection(port: number, text = ""): Promise<{ readonly socket: Socket; readonly ended: Promise<string> }> {
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

const theAnswer = `/?code=right&state=${state}`;

/** The wait goes on: the right answer is still taken. */
async function stillWaits(listener: CallbackListener & { readonly port: number }, options: http.RequestOptions = {}): Promise<Answer> {
  const page = ask(listener.port, theAnswer, options);
  expect(await listener.next(never)).toBe(`?code=right&state=${state}`);
  await listener.finish(ok);
  return page;
}

describe("the hosts that are ours", () => {
  it.each([
    [8000, false, undefined, ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"]],
    [80, false, undefined, ["localhost:80", "127.0.0.1:80", "[::1]:80", "localhost", "127.0.0.1", "[::1]"]],
    [80, true, undefined, ["localhost:80", "127.0.0.1:80", "[::1]:80"]],
    [9, false, "http://127.0.0.5:0/cb", ["localhost:9", "127.0.0.1:9", "[::1]:9", "127.0.0.5:9", "127.0.0.5:0"]],
    // A container's port 18000, which the host maps to its 8000.
    [18000, false, "http://localhost:8000", ["localhost:18000", "127.0.0.1:18000", "[::1]:18000", "localhost:8000"]],
  ])("of port %i, secure %s, redirect URL %s are %j", (port, isSecure, configured, hosts) =>
    expect(hostsOf(port, isSecure, configured === undefined ? undefined : new URL(configured))).toEqual(hosts),
  );
});

describe("the loopback listener", () => {
  it("listens on localhost, as the redirect URI says", async () => {
    const { port, redirectUri } = await listen();
    expect(redirectUri).toBe(`http://localhost:${port}`);
    expect((await ask(port, "/x")).status).toBe(404);
  });

  it.runIf(hasIpv6)(`listens on both families, on one port${hasIpv6 ? "" : " (needs IPv6)"}`, async () => {
    const { port } = await listen();
    expect((await ask(port, "/x", { host: "::1" })).status).toBe(404);
  });

  it.runIf(hasIpv6)(`takes the next address when another program has only ::1${hasIpv6 ? "" : " (needs IPv6)"}`, async () => {
    const taken = await takenPort("::1");
    try {
      expect((await listen({ addresses: [`127.0.0.1:${taken.port}`, "127.0.0.1:0"] })).port).not.toBe(taken.port);
      await expect(listen({ addresses: [`127.0.0.1:${taken.port}`] })).rejects.toMatchObject({ code: "PORTS_IN_USE", reason: `EADDRINUSE [::1]:${taken.port}` });
      // What was bound for the address that was given up is free again.
      await expect(ask(taken.port, "/")).rejects.toThrow(/ECONNREFUSED/);
    } finally {
      taken.release();
    }
  });

  it("of a redirect URL with an address listens there only", async () => {
    const listener = await listen({ redirectUrl: "http://127.0.0.1:0/cb" });
    expect(listener.redirectUri).toBe(`http://127.0.0.1:${listener.port}/cb`);
    await expect(ask(listener.port, "/", { host: "::1" })).rejects.toThrow(/ECONNREFUSED|EADDRNOTAVAIL/);
    expect((await ask(listener.port, `/?code=c&state=${state}`)).status).toBe(404);
    const page = ask(listener.port, `/cb?code=c&state=${state}`);
    expect(await listener.next(never)).toBe(`?code=c&state=${state}`);
    await listener.finish(ok);
    expect((await page).status).toBe(200);
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
    ["a state whose letters have the same low bytes", `/?code=c&state=${encodeURIComponent("š".repeat(43))}`, 400],
    ["an error of another login", "/?error=access_denied", 400],
    ["an empty code", `/?code=&state=${state}`, 400],
    ["a browser's wish for an icon", "/favicon.ico", 404],
    ["a request for a proxy", `http://localhost/?code=c&state=${state}`, 404],
    ["two states", `/?code=c&state=${state}&state=${state}`, 400],
    ["two codes", `/?code=c&code=d&state=${state}`, 400],
    ["neither code nor error", `/?state=${state}`, 400],
    ["another path", `/other?code=c&state=${state}`, 404],
    ["an endless address", `/?code=${"c".repeat(16_400)}&state=${state}`, 414],
  ])("%s is answered and does not end the wait", async (_, path, status) => {
    const listener = await listen();
    const refused = await ask(listener.port, path);
    expect(refused.status).toBe(status);
    expect(refused.headers).toMatchObject({ "cache-control": "no-store", "content-security-policy": expect.stringContaining("default-src 'none'") });
    expect((await stillWaits(listener)).status).toBe(200);
  });

  it.each(["POST", "HEAD", "OPTIONS"])("%s is refused", async (method) => {
    const { port } = await listen();
    expect((await ask(port, `/?code=c&state=${state}`, { method })).status).toBe(405);
  });

  it("a foreign host name is refused (DNS rebinding), as is our name with another port", async () => {
    const listener = await listen();
    for (const host of [`evil.example.com:${listener.port}`, `localhost.evil.example.com:${listener.port}`, "localhost:1", "localhost", `127.0.0.1:${listener.port}@evil`])
      expect((await ask(listener.port, theAnswer, { headers: { host } })).status, host).toBe(400);
    expect((await stillWaits(listener, { headers: { host: `[::1]:${listener.port}` } })).status).toBe(200);
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

  it("gives a reload beside the first request the same page", async () => {
    const listener = await listen();
    const first = ask(listener.port, theAnswer);
    await listener.next(never);
    const reload = ask(listener.port, theAnswer);
    // The icon's answer comes after the reload was read: connections are served in the order in which they came.
    expect((await ask(listener.port, "/favicon.ico")).status).toBe(404);
    await listener.finish(ok);
    expect((await first).body).toContain("ann");
    expect((await reload).status).toBe(200);
  });

  it("sends the browser on when it is told where to", async () => {
    const listener = await listen({ openAfter: "https://intranet.example.com/welcome" });
    const page = ask(listener.port, theAnswer);
    await listener.next(never);
    await listener.finish(ok);
    expect(await page).toMatchObject({ status: 302, headers: { location: "https://intranet.example.com/welcome", "cache-control": "no-store", "referrer-policy": "no-referrer" } });
  });

  it("shows the failure itself, whatever page was wished for after a success", async () => {
    const listener = await listen({ openAfter: "https://intranet.example.com/welcome" });
    const page = ask(listener.port, theAnswer);
    await listener.next(never);
    await listener.finish({ ok: false, issuer: "https://id.example.com", code: "LOGIN_DENIED", message: "the login was denied" });
    expect(await page).toMatchObject({ status: 400, body: expect.stringContaining("The login was denied.") });
  });

  it("takes the cookies of every other program on localhost", async () => {
    const listener = await listen();
    expect((await stillWaits(listener, { headers: { host: `localhost:${listener.port}`, cookie: `a=${"x".repeat(40_000)}` } })).status).toBe(200);
  });

  it.each([
    ["more headers than any browser sends", `GET / HTTP/1.1\r\nhost: localhost\r\ncookie: ${"x".repeat(100_000)}\r\n\r\n`],
    ["what is not HTTP", "\u0016\u0003\u0001 hello\r\n\r\n"],
    ["two lengths", "GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"],
  ])("%s ends that connection and not the wait", async (_, text) => {
    const listener = await listen();
    expect(await (await rawConnection(listener.port, text)).ended).not.toContain("200 OK");
    expect((await stillWaits(listener)).status).toBe(200);
  });

  it("drops connections that say nothing, or too slowly, without a word", async () => {
    const listener = await listen({}, { request: 100, lastPage: 1_000 });
    const silent = await rawConnection(listener.port);
    const slow = await rawConnection(listener.port, "GET / HT");
    expect(await Promise.all([silent.ended, slow.ended])).toEqual(["", ""]);
    expect((await stillWaits(listener)).status).toBe(200);
  });

  it("waits longer for the outcome than for a request", async () => {
    const listener = await listen({}, { request: 50, lastPage: 1_000 });
    const page = ask(listener.port, theAnswer);
    await listener.next(never);
    // Two silent connections, one after the other, are dropped while the answer is held.
    await (await rawConnection(listener.port)).ended;
    await (await rawConnection(listener.port)).ended;
    await listener.finish(ok);
    expect((await page).status).toBe(200);
  });

  // The deadline for the last page is far away here: only what waits for it can take that long.
  const patient = { request: 10_000, lastPage: 600_000 };

  it("frees its ports at once, connections that a browser opened ahead of need included", async () => {
    const listener = await listen({}, patient);
    const idle = await rawConnection(listener.port);
    await listener.finish(undefined);
    expect(await idle.ended).toBe("");
    await expect(ask(listener.port, "/")).rejects.toThrow(/ECONNREFUSED/);
  });

  it("does not wait for a browser that went away", async () => {
    const listener = await listen({}, patient);
    const gone = await rawConnection(listener.port, `GET ${theAnswer} HTTP/1.1\r\nhost: localhost:${listener.port}\r\n\r\n`);
    expect(await listener.next(never)).toContain("right");
    gone.socket.destroy();
    await gone.ended;
    // By then the listener has seen it go.
    for (let i = 0; i < 3; i++) await ask(listener.port, "/favicon.ico");
    await listener.finish(ok);
  });

  it("ends once: a second outcome changes nothing", async () => {
    const listener = await listen();
    const page = ask(listener.port, theAnswer);
    await listener.next(never);
    const finished = listener.finish(ok);
    expect(listener.finish(undefined)).toBe(finished);
    await finished;
    expect((await page).status).toBe(200);
  });

  it("takes the next address when one is taken, and names what it tried when none is left", async () => {
    const taken = await takenPort("127.0.0.1");
    try {
      expect((await listen({ addresses: [`127.0.0.1:${taken.port}`, "127.0.0.1:0"] })).port).not.toBe(taken.port);
      await expect(listen({ addresses: [`127.0.0.1:${taken.port}`] })).rejects.toMatchObject({
        code: "PORTS_IN_USE",
        message: expect.stringContaining(`127.0.0.1:${taken.port}`),
        reason: `EADDRINUSE 127.0.0.1:${taken.port}`,
      });
    } finally {
      taken.release();
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
      const listener = await listen({ certificateFile, keyFile }, patient);
      expect(listener.redirectUri).toMatch(/^https:\/\/localhost:\d+$/);
      const status = await new Promise((resolve, reject) =>
        https.get({ host: "localhost", port: listener.port, path: "/x", ca: certificates.caPem, agent: false }, (response) => resolve(response.statusCode)).on("error", reject),
      );
      expect(status).toBe(404);
      await expect(listen({ certificateFile: join(folder, "none"), keyFile })).rejects.toMatchObject({
        code: "SETTINGS_INVALID",
        message: expect.stringContaining("--local-server-cert"),
      });
      await expect(listen({ certificateFile, keyFile: folder })).rejects.toMatchObject({ code: "SETTINGS_INVALID", message: expect.stringContaining("--local-server-key") });
      expect(await codeOfPromise(listen({ certificateFile: keyFile, keyFile }))).toBe("SETTINGS_INVALID");
      // The last page arrives whole, and a connection that never began its handshake does not hold the end up.
      const idle = await rawConnection(listener.port);
      const page = new Promise<string>((resolve, reject) =>
        https
          .get({ host: "localhost", port: listener.port, path: theAnswer, ca: certificates.caPem, agent: false }, (response) => {
            let body = "";
            response.setEncoding("utf8").on("data", (chunk) => {
              body += chunk;
            });
            response.on("end", () => resolve(body));
            response.on("error", reject);
          })
          .on("error", reject),
      );
      await listener.next(never);
      await listener.finish(ok);
      expect(await page).toContain("</html>");
      expect(await idle.ended).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
