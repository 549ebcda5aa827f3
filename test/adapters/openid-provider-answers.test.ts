import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { codeOfPromise } from "../fakes/codes.ts";
import type { Answer } from "../issuer/issuer-answer.ts";
import type { Override } from "../issuer/misbehaving.ts";
import { onlyFor } from "../issuer/misbehaviours.ts";
import { type EndpointStage, endpointStage, endpointStages, logIn, outcomeOf, refreshWith } from "./endpoint-stage.ts";

let all: Awaited<ReturnType<typeof endpointStages>>;
let stage: EndpointStage;
beforeAll(async () => {
  all = await endpointStages();
  stage = await endpointStage();
});
afterAll(async () => {
  await all.stop();
  await stage.issuer.stop();
});
beforeEach(() => {
  stage.issuer.become({});
  stage.kept.length = 0;
});

/** The proper answer's JSON in other clothes. */
const dressed =
  (dress: (json: string) => Answer): Override =>
  async (_request, _nth, proper) => {
    const answer = await proper();
    return answer.json === undefined ? answer : dress(JSON.stringify(answer.json));
  };
const raw = (head: string, body: string | Buffer): Answer => ({
  wire: (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n`);
    socket.end(body);
  },
});
const everywhere = (override: Override) => Promise.all([...all.stages].map(([endpoint, of]) => outcomeOf(endpoint, of, override)));

describe("an answer that is in order is taken at every endpoint", () => {
  it.each<[string, (json: string) => Answer]>([
    ["as text/plain", (text) => ({ text, headers: { "content-type": "text/plain" } })],
    ["as text/html", (text) => ({ text, headers: { "content-type": "text/html; charset=utf-8" } })],
    ["as bytes", (text) => ({ text, headers: { "content-type": "application/octet-stream" } })],
    ["without a type", (text) => raw("", text)],
    ["with a byte order mark", (text) => ({ text: `\ufeff${text}`, headers: { "content-type": "application/json" } })],
    ["with blanks around it", (text) => ({ text: `\r\n\t ${text} \r\n`, headers: { "content-type": "application/json" } })],
    ["as whatever its charset says, when it is UTF-8", (text) => ({ text, headers: { "content-type": "application/json; charset=utf-16" } })],
    ["after interim answers", (text) => ({ wire: (socket) => socket.end(`HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\nlink: </x>\r\n\r\n${whole(text)}`) })],
  ])("%s: what it is, its body says", async (_, dress) => {
    for (const { endpoint, code, error } of await everywhere(dressed(dress))) expect(code, `${endpoint}: ${error?.message} ${error?.reason}`).toBe("none");
  });
  it("and a second answer on its connection is nobody's [NW-03]", async () => {
    const second = whole('{"issuer":"https://evil.example","access_token":"evil","error":"invalid_grant"}');
    for (const { endpoint, code } of await everywhere(dressed((text) => ({ wire: (socket) => socket.end(whole(text) + second) })))) expect(code, endpoint).toBe("none");
  });
});

const whole = (text: string) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;

describe("a refusal of the issuer is one whatever its type is called", () => {
  const refused = (answer: Answer) => ({ token: onlyFor("refresh_token", answer) });
  const text = '{"error":"invalid_grant"}';
  it.each<[string, Answer]>([
    ["as text/plain", { status: 400, text, headers: { "content-type": "text/plain" } }],
    ["as text/html", { status: 400, text, headers: { "content-type": "text/html" } }],
    ["with a challenge", { status: 401, text, headers: { "content-type": "text/html", "www-authenticate": 'Basic realm="x"' } }],
    ["with a byte order mark", { status: 400, text: `\ufeff${text}`, headers: { "content-type": "application/json" } }],
  ])("%s: SESSION_REVOKED", async (_, answer) => {
    const tokens = await logIn(stage);
    stage.issuer.become(refused(answer));
    expect(await codeOfPromise(refreshWith(stage, tokens))).toBe("SESSION_REVOKED");
  });
  it.each<[string, Answer]>([
    ["a page that quotes one", { status: 400, text: `<pre>${text}</pre>` }],
    ["one in a list", { status: 400, text: `[${text}]`, headers: { "content-type": "application/json" } }],
    ["one that is no text", { status: 400, text: '{"error":{"code":"invalid_grant"}}', headers: { "content-type": "application/json" } }],
    ["one with status 200", { status: 200, text, headers: { "content-type": "application/json" } }],
    ["one with status 500", { status: 500, text, headers: { "content-type": "application/json" } }],
    ["one with status 302", { status: 302, text, headers: { "content-type": "application/json", location: "https://evil.example/" } }],
  ])("but %s ends no session", async (_, answer) => {
    const tokens = await logIn(stage);
    stage.issuer.become(refused(answer));
    expect(await codeOfPromise(refreshWith(stage, tokens))).toBe("ISSUER_UNREACHABLE");
  });
});

describe("a member that is there twice: the last one counts, for the check and for the use", () => {
  /** The member once more, before or behind the proper one. */
  const twice = (name: string, value: unknown, where: "before" | "behind"): Override =>
    dressed((text) => {
      const extra = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
      const body = where === "before" ? `{${extra},${text.slice(1)}` : `${text.slice(0, -1)},${extra}}`;
      return { text: body, headers: { "content-type": "application/json" } };
    });
  const evil = "http://169.254.169.254/token";

  it("an endpoint", async () => {
    stage.issuer.become({ discovery: twice("token_endpoint", evil, "behind") });
    expect(await codeOfPromise(logIn(stage))).toBe("DISCOVERY_INVALID");
    stage.issuer.become({ discovery: twice("token_endpoint", evil, "before") });
    expect((await logIn(stage)).idToken).toBeDefined();
  });
  it("the issuer", async () => {
    stage.issuer.become({ discovery: twice("issuer", "https://evil.example", "behind") });
    expect(await codeOfPromise(logIn(stage))).toBe("ISSUER_MISMATCH");
    stage.issuer.become({ discovery: twice("issuer", "https://evil.example", "before") });
    expect((await logIn(stage)).idToken).toBeDefined();
  });
  it.each(["__proto__", "constructor"])("and a member called %s changes nothing", async (name) => {
    stage.issuer.become({ discovery: twice(name, { token_endpoint: evil, issuer: "https://evil.example" }, "behind"), token: twice(name, { id_token: "evil" }, "behind") });
    const { idToken } = await logIn(stage);
    expect(stage.issuer.secrets).toContain(idToken?.reveal());
  });
  it("the ID token", async () => {
    const forged = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from('{"sub":"mallory"}').toString("base64url")}.`;
    stage.issuer.become({ token: twice("id_token", forged, "behind") });
    expect(await codeOfPromise(logIn(stage))).not.toBe("none");
    stage.issuer.become({ token: twice("id_token", forged, "before") });
    expect((await logIn(stage)).claims["sub"]).toBe("alice");
  });
  it.each(["before", "behind"] as const)("the refresh token: the one that is stored is the one that is used (%s)", async (where) => {
    stage.issuer.become({ token: twice("refresh_token", "another-token", where) });
    const stored: (string | undefined)[] = [];
    const asked = stage.provider();
    const started = await asked.startAuthorization({ redirectUri: "http://localhost:8000", scope: "openid", extra: [], state: asked.randomState() });
    const { headers } = await fetch(started.url, { redirect: "manual" });
    const answer = await asked.exchangeCode(
      started,
      "http://localhost:8000",
      new URL(headers.get("location") ?? "").search,
      { maxAge: undefined, extra: [] },
      async ({ refreshToken }) => void stored.push(refreshToken?.reveal()),
    );
    expect(stored).toEqual([answer.refreshToken?.reveal()]);
    expect(stored[0] === "another-token").toBe(where === "behind");
  });
  it("the key set", async () => {
    stage.issuer.become({ jwks: twice("keys", [], "behind") });
    expect(await codeOfPromise(logIn(stage))).toBe("ID_TOKEN_INVALID");
    stage.issuer.become({ jwks: twice("keys", [], "before") });
    expect((await logIn(stage)).claims["sub"]).toBe("alice");
  });
});

describe("an endpoint that is another one too", () => {
  it("keys at the token endpoint are not taken for tokens, nor stored as such", async () => {
    stage.issuer.become({
      discovery: async (_request, _nth, proper) => ({ json: { ...((await proper()).json as object), jwks_uri: `${stage.issuer.issuer}/token` } }),
      token: async (request, _nth, proper) => (request.method === "GET" ? { json: { keys: [], refresh_token: "planted" } } : proper()),
    });
    expect(await codeOfPromise(logIn(stage))).toBe("ID_TOKEN_INVALID");
    expect(stage.kept.length).toBe(1);
    expect(stage.kept[0]).not.toContain("planted");
  });
});
