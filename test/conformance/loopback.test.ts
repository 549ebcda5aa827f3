import * as http from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { credentialOf, errorCode, openUrl } from "../e2e/program.ts";
import { type LyingStage, onStage } from "./lying-stage.ts";

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly page: string;
}

function ask(port: number, path: string, options: http.RequestOptions = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, path, agent: false, ...options }, (response) => {
      let page = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        page += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, page }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** A login that waits for its browser: its port, its state, and the address that the issuer redirects to. */
async function waiting({ home, session }: LyingStage, ...more: string[]) {
  const started = home.start(session(...more));
  const [, url = ""] = await started.sees(openUrl);
  const asked = new URL(url);
  const port = Number(new URL(asked.searchParams.get("redirect_uri") ?? "").port);
  return { started, url, asked, port, state: asked.searchParams.get("state") ?? "" };
}
const redirectOf = async (url: string) => new URL((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "");

/** What any web page that the person's browser shows can send here, and any program on this computer. */
const hostile = (port: number, state: string): readonly (readonly [string, string, http.RequestOptions, string?])[] => [
  ["an error without state", "/?error=access_denied", {}],
  ["an error with another state", "/?error=access_denied&state=other", {}],
  ["a code with another state", "/?code=evil&state=other", {}],
  ["the right state twice", `/?code=evil&state=${state}&state=${state}`, {}],
  ["a form with the right state", "/", { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } }, `code=evil&state=${state}`],
  ["the right state by DNS rebinding", `/?error=access_denied&state=${state}`, { headers: { host: `evil.example.com:${port}` } }],
  ["the right state under another name of this computer", `/?error=access_denied&state=${state}`, { headers: { host: `localhost.:${port}` } }],
  ["another path", `/callback?error=access_denied&state=${state}`, {}],
  ["a HEAD", `/?code=evil&state=${state}`, { method: "HEAD" }],
  [
    "a preflight",
    "/",
    { method: "OPTIONS", headers: { origin: "https://evil.example.com", "access-control-request-method": "GET", "access-control-request-private-network": "true" } },
  ],
  ["an icon", "/favicon.ico", {}],
  ["a prefetch of the bare address", "/", { headers: { "sec-purpose": "prefetch;prerender" } }],
  ["64 KiB of other programs' cookies, almost", "/?error=x", { headers: { cookie: `a=${"x".repeat(60_000)}` } }],
];

describe("web pages and programs that talk to the listener", () => {
  it.concurrent("change nothing: each is answered, with no word of theirs, and the login goes on to its end [LB-01, LB-02, LB-07, LB-10, LB-11, RP-52, RP-53]", () =>
    onStage(async (stage) => {
      const { started, url, port, state } = await waiting(stage);
      for (const [what, path, options, body] of hostile(port, state)) {
        const answer = await ask(port, path, options, body);
        expect(answer.status, what).toBeGreaterThanOrEqual(400);
        expect(
          Object.keys(answer.headers).filter((name) => /^access-control|^location$|^set-cookie$/.test(name)),
          what,
        ).toEqual([]);
        expect(answer.page, what).not.toMatch(/evil|access_denied|xxxx/);
      }
      const callback = await redirectOf(url);
      expect((await ask(port, `${callback.pathname}${callback.search}`, { headers: { host: `localhost:${port}` } })).status).toBe(200);
      credentialOf(await started.ended);
      expect(stage.issuer.count("token", "authorization_code")).toBe(1);
      // In the address of a top-level redirect: nothing has to reach into the local network from a page.
      expect(new URL(url).searchParams.get("response_mode")).toBeNull();
    }));

  it.concurrent("and hundreds of silent connections keep neither the answer out nor the program from its end [LB-07, LB-08, N-04]", () =>
    onStage(async (stage) => {
      const { started, url, port } = await waiting(stage);
      const silent: Socket[] = [];
      for (let i = 0; i < 200; i++) {
        const socket = connect(port, "127.0.0.1").on("error", () => undefined);
        await new Promise((done) => socket.once("connect", done));
        if (i % 3 === 0) socket.write("GET /?code=evil HTTP/1.1\r\nHost: ");
        silent.push(socket);
      }
      const callback = await redirectOf(url);
      expect((await ask(port, `${callback.pathname}${callback.search}`)).status).toBe(200);
      const since = performance.now();
      credentialOf(await started.ended);
      expect(performance.now() - since).toBeLessThan(3_000);
      await expect(ask(port, "/")).rejects.toThrow(/ECONNREFUSED/);
      for (const socket of silent) socket.destroy();
    }));

  it.concurrent("cannot choose where the code is said to have come from: the redirect URI is ours, not the Host header's [LB-17]", () =>
    onStage(async (stage) => {
      const { started, asked, url, port } = await waiting(stage);
      const callback = await redirectOf(url);
      expect((await ask(port, `${callback.pathname}${callback.search}`, { headers: { host: `127.0.0.1:${port}` } })).status).toBe(200);
      credentialOf(await started.ended);
      const sent = stage.issuer.received("token", "authorization_code")[0]?.form.get("redirect_uri");
      expect([sent, asked.searchParams.get("redirect_uri")]).toEqual([`http://localhost:${port}`, `http://localhost:${port}`]);
    }));
});

describe("response_mode=form_post", () => {
  const mode = "--oidc-auth-request-extra-params=response_mode=form_post";
  const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } };
  it.concurrent("that the person asked for: the form logs in [LB-09]", () =>
    onStage(async (stage) => {
      const { started, url, port } = await waiting(stage, mode);
      expect(new URL(url).searchParams.get("response_mode")).toBe("form_post");
      const callback = await redirectOf(url);
      expect((await ask(port, "/", form, callback.search.slice(1))).status).toBe(200);
      credentialOf(await started.ended);
    }));
  it.concurrent("an error in the form ends the login with its name; one of another login does not [RP-44, LB-09]", () =>
    onStage(async (stage) => {
      const { started, port, state } = await waiting(stage, mode);
      expect((await ask(port, "/", form, "error=server_error&state=other")).status).toBe(400);
      const iss = encodeURIComponent(stage.issuer.issuer);
      expect((await ask(port, "/", form, `error=access_denied&state=${state}&iss=${iss}`)).status).toBe(400);
      const ended = await started.ended;
      expect(ended).toMatchObject({ status: 20, stdout: "" });
      expect(errorCode(ended)).toBe("LOGIN_DENIED");
    }));
});
