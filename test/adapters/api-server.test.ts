import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiServer } from "../../src/adapters/api-server.ts";
import type { ClusterAccess } from "../../src/core/exec-info.ts";
import { secret } from "../../src/core/secret.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { listenOnLocalhost, type LocalServer } from "../issuer/listen-on-localhost.ts";
import { stage, useStage } from "./fetch-stage.ts";

useStage();

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}
type Reply = readonly [status: number, body: unknown];

let server: LocalServer;
const asked: Asked[] = [];
const replies: { next: (path: string) => Reply } = { next: () => [404, {}] };

beforeAll(async () => {
  server = await listenOnLocalhost((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      asked.push({ url: request.url ?? "", method: request.method ?? "", headers: request.headers, body });
      const [status, answer] = replies.next(request.url ?? "");
      response.writeHead(status, { "content-type": "application/json" }).end(typeof answer === "string" ? answer : JSON.stringify(answer));
    });
  }, stage.certificates);
});
afterAll(() => server.stop());

const ours = () => Buffer.from(stage.certificates.caPem).toString("base64");
const access = (more: Partial<ClusterAccess> = {}): ClusterAccess => ({ server: server.origin, insecure: false, certificateAuthorityData: ours(), ...more });
const ask = (more: Partial<ClusterAccess> = {}, env: Record<string, string> = {}) =>
  apiServer(access(more), { env, version: "1.2.3", log: () => undefined, signal: new AbortController().signal }).review(secret("the-token"));
const review = (userInfo: object) => ({ kind: "SelfSubjectReview", status: { userInfo } });
const seen = () => {
  replies.next = () => [201, review({ username: "oidc:ann" })];
};

describe("an API server", () => {
  it("is asked once, with the token as bearer, and says whom it sees", async () => {
    asked.length = 0;
    replies.next = () => [201, review({ username: "oidc:ann", uid: "7", groups: ["a", 3], extra: { "authentication.kubernetes.io/credential-id": ["JTI=x"], odd: "text" } })];
    expect(await ask()).toEqual({
      kind: "seen",
      clockOffset: 0,
      user: { username: "oidc:ann", uid: "7", groups: ["a"], extra: { "authentication.kubernetes.io/credential-id": ["JTI=x"], odd: [] } },
    });
    expect(asked).toMatchObject([
      { url: "/apis/authentication.k8s.io/v1/selfsubjectreviews", method: "POST", headers: { authorization: "Bearer the-token", "content-type": "application/json" } },
    ]);
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });
  });
  it("behind a path is asked below that path", async () => {
    seen();
    asked.length = 0;
    await ask({ server: `${server.origin}/k8s/clusters/c-1/` });
    expect(asked[0]?.url).toBe("/k8s/clusters/c-1/apis/authentication.k8s.io/v1/selfsubjectreviews");
  });
  it("that knows older versions only is asked by those", async () => {
    asked.length = 0;
    replies.next = (path) => (path.includes("v1alpha1") ? [201, review({ username: "ann" })] : [404, {}]);
    expect(await ask()).toMatchObject({ kind: "seen", user: { username: "ann", uid: undefined, groups: [] } });
    expect(asked.map(({ url }) => url.split("/")[3])).toEqual(["v1", "v1beta1", "v1alpha1"]);
  });
  it.each([
    [401, { kind: "refused" }],
    [403, { kind: "unanswered", status: 403 }],
    [404, { kind: "unanswered", status: 404 }],
  ])("that answers %d: %o", async (status, expected) => {
    replies.next = () => [status, { kind: "Status" }];
    expect(await ask()).toEqual({ ...expected, clockOffset: 0 });
  });
  it.each<[string, Reply]>([
    ["500", [500, {}]],
    ["302", [302, {}]],
    ["a page", [200, "<html>"]],
    ["another object", [201, { status: {} }]],
    ["a user without a name", [201, review({ groups: [] })]],
  ])("that answers with %s cannot be used", async (_, reply) => {
    replies.next = () => reply;
    await expect(ask()).rejects.toMatchObject({ code: "API_SERVER_UNREACHABLE", exitStatus: 30 });
  });
  it("that echoes the token is not quoted", async () => {
    replies.next = () => [500, { message: "no Bearer the-token" }];
    const failure: unknown = await ask().catch((error: unknown) => error);
    expect(`${JSON.stringify(failure)} ${String(failure)}`).not.toContain("the-token");
  });

  it("is judged by the cluster's own authority, and by no other", async () => {
    seen();
    const stranger = Buffer.from(`${stage.certificates.caPem}`.replace(/[A-Za-z0-9+/]{20}/, "A".repeat(20))).toString("base64");
    expect(await codeOfPromise(ask({ certificateAuthorityData: undefined }))).toBe("API_SERVER_UNREACHABLE");
    expect(await codeOfPromise(ask({ certificateAuthorityData: stranger }))).not.toBe("none");
    expect(await codeOfPromise(ask({ certificateAuthorityData: undefined, insecure: true }))).toBe("none");
    // The environment's authorities are the system's part, which the cluster's own replaces.
    expect(await codeOfPromise(ask({ certificateAuthorityData: undefined }, { SSL_CERT_FILE: stage.certificates.caFile }))).toBe("none");
  });
  it("has the name that the cluster gives it", async () => {
    seen();
    expect(await codeOfPromise(ask({ tlsServerName: "localhost", server: server.origin.replace("localhost", "127.0.0.1") }))).toBe("none");
    await expect(ask({ tlsServerName: "k8s.example.com" })).rejects.toMatchObject({ code: "API_SERVER_UNREACHABLE", reason: expect.stringContaining("another name") });
  });
  it("is reached through the cluster's proxy, NO_PROXY or not, and a loopback address too", async () => {
    seen();
    const through: string[] = [];
    const proxy = createServer().on("connect", (request, client) => {
      through.push(request.url ?? "");
      const upstream = connect(server.port, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on("error", () => client.destroy());
      client.on("error", () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      expect(await codeOfPromise(ask({ proxyUrl: `http://127.0.0.1:${port}` }, { NO_PROXY: "*" }))).toBe("none");
      expect(through).toEqual([new URL(server.origin).host]);
      expect(await codeOfPromise(ask({}, { HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: "*" }))).toBe("none");
      expect(through.length).toBe(1);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });
  it.each([
    ["http://localhost:1", undefined],
    ["https://u:p@localhost:1", undefined],
    ["localhost", undefined],
    ["https://localhost:1", "socks5://localhost:1"],
  ])("%s (proxy %s) is SETTINGS_INVALID", async (url, proxyUrl) => {
    expect(await codeOfPromise((async () => ask({ server: url, proxyUrl }))())).toBe("SETTINGS_INVALID");
  });
});
