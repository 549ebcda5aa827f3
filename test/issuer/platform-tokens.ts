import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificates } from "./certificates.ts";
import { noteSecret, type SecretKind } from "../canaries.ts";
import { type IssuerKeys, makeIssuerKeys } from "./issuer-keys.ts";

/** What a platform says of a machine. */
export interface Platform {
  readonly issuer: string;
  readonly keys: IssuerKeys;
  /** A token of this platform, noted as a secret: as one that is sent to an issuer (`assertion`), or handed through (`token`). `more`: laid over its claims. */
  token(more?: Readonly<Record<string, unknown>>, kind?: SecretKind): Promise<string>;
}

export async function makePlatform(issuer = "https://platform.example"): Promise<Platform> {
  const keys = await makeIssuerKeys();
  return {
    issuer,
    keys,
    async token(more = {}, kind = "assertion") {
      const now = Math.floor(Date.now() / 1000);
      const token = await keys.sign({
        iss: issuer,
        sub: "repo:acme/web:ref:refs/heads/main",
        aud: "https://id.example.com",
        iat: now,
        nbf: now,
        exp: now + 300,
        jti: `${now}-${Math.random()}`,
        ...more,
      });
      noteSecret(kind, token);
      return token;
    },
  };
}

/** A request to the stand-in for GitHub's endpoint. */
export interface AskedGithub {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

export type GithubAnswer = { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> } | "hang";

export interface GithubStandIn {
  /** The variables that the runner gives to a job with `id-token: write`. */
  readonly env: Readonly<Record<"ACTIONS_ID_TOKEN_REQUEST_URL" | "ACTIONS_ID_TOKEN_REQUEST_TOKEN" | "GITHUB_ACTIONS", string>>;
  readonly asked: readonly AskedGithub[];
  /** What its tokens are for, as `Platform.token`. */
  kind: SecretKind;
  /** In place of the proper answer, from the next request on. */
  answer: ((proper: () => Promise<string>) => GithubAnswer | Promise<GithubAnswer>) | undefined;
  stop(): Promise<void>;
}

/**
 * GitHub's endpoint for ID tokens as its documentation describes it: GET with the runner's token as a bearer and `&audience=`, since the URL has a
 * query of its own; the answer is `{"value": "…"}`. Without an audience the token would be for the URL of the repository's owner.
 * `certificates`: by TLS.
 */
export async function startGithub(platform: Platform, certificates?: Pick<Certificates, "certPem" | "keyPem">): Promise<GithubStandIn> {
  const requestToken = `runner-request-token-${Math.random().toString(36).slice(2)}`;
  noteSecret("assertion", requestToken);
  const asked: AskedGithub[] = [];
  const handle: http.RequestListener = (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    asked.push({ method: request.method ?? "", path: url.pathname, query: url.searchParams, authorization: request.headers.authorization });
    const proper = async () => {
      const value = await platform.token({ aud: url.searchParams.get("audience") ?? "https://github.com/acme" }, standIn.kind);
      return JSON.stringify({ count: value.length, value });
    };
    void (async () => {
      if (request.headers.authorization !== `Bearer ${requestToken}`) return { status: 401, body: '{"message":"bad token"}' } satisfies GithubAnswer;
      return standIn.answer === undefined ? ({ status: 200, body: await proper() } satisfies GithubAnswer) : standIn.answer(proper);
    })().then((answer) => {
      if (answer === "hang") return;
      response.writeHead(answer.status, { "content-type": "application/json; charset=utf-8", ...answer.headers });
      response.end(answer.body);
    });
  };
  const server = certificates === undefined ? http.createServer(handle) : https.createServer({ cert: certificates.certPem, key: certificates.keyPem }, handle);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const standIn: GithubStandIn = {
    env: {
      GITHUB_ACTIONS: "true",
      ACTIONS_ID_TOKEN_REQUEST_URL: `${certificates === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}/8//idtoken/plan-1/job-1?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    },
    asked,
    kind: "assertion",
    answer: undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return standIn;
}
