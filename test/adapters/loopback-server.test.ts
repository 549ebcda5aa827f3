import { describe, expect, it } from "vitest";
import { codeOfPromise } from "../fakes/codes.ts";
import { ask, listen, never, ok, rawConnection, state, stillWaits, theAnswer, useListeners } from "./callback-stage.ts";

useListeners();

describe("the conversation with the browser", () => {
  it("holds the browser's answer until the outcome is known [LB-16, LB-11]", async () => {
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
      "content-type": "text/html; charset=utf-8",
      connection: "close",
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
  ])("%s is answered and does not end the wait [LB-02, LB-07]", async (_, path, status) => {
    const listener = await listen();
    const refused = await ask(listener.port, path);
    expect(refused.status).toBe(status);
    expect(refused.headers).toMatchObject({ "cache-control": "no-store", "content-security-policy": expect.stringContaining("default-src 'none'") });
    expect((await stillWaits(listener)).status).toBe(200);
  });

  it.each(["POST", "HEAD", "OPTIONS"])("%s is refused [LB-07]", async (method) => {
    const { port } = await listen();
    expect((await ask(port, `/?code=c&state=${state}`, { method })).status).toBe(405);
  });

  it("a foreign host name is refused (DNS rebinding), as is our name with another port [LB-01]", async () => {
    const listener = await listen();
    for (const host of [`evil.example.com:${listener.port}`, `localhost.evil.example.com:${listener.port}`, "localhost:1", "localhost", `127.0.0.1:${listener.port}@evil`])
      expect((await ask(listener.port, theAnswer, { headers: { host } })).status, host).toBe(400);
    expect((await stillWaits(listener, { headers: { host: `[::1]:${listener.port}` } })).status).toBe(200);
  });

  it("shows why a login failed, everything escaped [LB-11]", async () => {
    const listener = await listen();
    const page = ask(listener.port, `/?error=access_denied&state=${state}`);
    await listener.next(never);
    await listener.finish({ ok: false, issuer: "https://id.example.com", code: "LOGIN_DENIED", message: "no: <script>alert(1)</script>", hint: "run: x" });
    const { status, body } = await page;
    expect(status).toBe(400);
    expect(body).toContain("&lt;script&gt;");
    expect(body).not.toContain("<script>");
  });

  it("gives a reload beside the first request the same page [LB-07]", async () => {
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

  it("takes the cookies of every other program on localhost [LB-08]", async () => {
    const listener = await listen();
    expect((await stillWaits(listener, { headers: { host: `localhost:${listener.port}`, cookie: `a=${"x".repeat(40_000)}` } })).status).toBe(200);
  });

  it.each([
    ["more headers than any browser sends", `GET / HTTP/1.1\r\nhost: localhost\r\ncookie: ${"x".repeat(100_000)}\r\n\r\n`],
    ["what is not HTTP", "\u0016\u0003\u0001 hello\r\n\r\n"],
    ["two lengths", "GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"],
  ])("%s ends that connection and not the wait [LB-08]", async (_, text) => {
    const listener = await listen();
    expect(await (await rawConnection(listener.port, text)).ended).not.toContain("200 OK");
    expect((await stillWaits(listener)).status).toBe(200);
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

  it("an interrupt ends the wait", async () => {
    const listener = await listen();
    const stop = new AbortController();
    const waiting = codeOfPromise(listener.next(stop.signal));
    stop.abort();
    expect(await waiting).toBe("INTERRUPTED");
  });
});
