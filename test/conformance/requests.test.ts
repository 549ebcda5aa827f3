import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialOf } from "../e2e/program.ts";
import { changeJson } from "../issuer/misbehaviours.ts";
import { onStage } from "./lying-stage.ts";

const s256 = (verifier: string) => createHash("sha256").update(verifier).digest("base64url");
/** Names of the parameters, those that tie a request to its answer left out. */
const names = (query: URLSearchParams) => [...query.keys()].sort();

describe("a login asks", () => {
  it.concurrent("with what the protocol demands, the same at both endpoints, and no more [RP-80, B-02, B-05, N-06, N-07, N-09, P-04]", () =>
    onStage(async ({ issuer, logIn }) => {
      credentialOf(await logIn());
      const [authorization] = issuer.received("authorization");
      const [token] = issuer.received("token", "authorization_code");
      const query = authorization?.query ?? new URLSearchParams();
      const form = token?.form ?? new URLSearchParams();
      expect(names(query)).toEqual(["client_id", "code_challenge", "code_challenge_method", "nonce", "prompt", "redirect_uri", "response_type", "scope", "state"]);
      expect(Object.fromEntries(query)).toMatchObject({
        response_type: "code",
        client_id: "kubernetes",
        scope: "openid offline_access",
        code_challenge_method: "S256",
        prompt: "consent",
      });
      expect(query.get("redirect_uri")).toMatch(/^http:\/\/localhost:\d+$/);
      expect(names(form)).toEqual(["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]);
      expect(form.get("redirect_uri")).toBe(query.get("redirect_uri"));
      expect(form.get("client_id")).toBe("kubernetes");
      expect(s256(form.get("code_verifier") ?? "")).toBe(query.get("code_challenge"));
      expect([token?.method, token?.query.toString(), token?.headers.authorization]).toEqual(["POST", "", undefined]);
      expect(token?.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
      // 256 bits and more of what nobody can guess (RFC 6749, section 10.10; RFC 7636, section 7.1).
      for (const name of ["state", "nonce"]) expect(query.get(name)?.length, name).toBeGreaterThanOrEqual(43);
    }));

  it.concurrent("with a verifier, a state and a nonce of its own each time, 43 characters of the safe alphabet [P-01, P-02, P-03]", () =>
    onStage(async ({ issuer, logIn, home }) => {
      for (let i = 0; i < 3; i++) {
        credentialOf(await logIn());
        rmSync(home.data, { recursive: true });
      }
      const sent = issuer.received("authorization").map(({ query }) => query);
      const verifiers = issuer.received("token", "authorization_code").map(({ form }) => form.get("code_verifier") ?? "");
      for (const verifier of verifiers) expect(verifier).toMatch(/^[\w~.-]{43}$/);
      for (const values of [verifiers, ...["state", "nonce", "code_challenge"].map((name) => sent.map((query) => query.get(name)))]) expect(new Set(values).size).toBe(3);
      // Nothing of one can be told from another.
      expect(new Set([...verifiers, ...sent.flatMap((query) => [query.get("state"), query.get("nonce")])]).size).toBe(9);
    }));

  const unhelpful: readonly (readonly [title: string, methods: readonly string[] | undefined])[] = [
    ["names plain only", ["plain"]],
    ["names no method", []],
    ["does not speak of PKCE", undefined],
  ];
  it.concurrent.each(unhelpful)("with S256 although the metadata %s [P-02, P-05, B-08]", (_, methods) =>
    onStage(async ({ issuer, logIn }) => {
      issuer.become({ discovery: changeJson({ code_challenge_methods_supported: methods }) });
      credentialOf(await logIn());
      expect(issuer.received("authorization")[0]?.query.get("code_challenge_method")).toBe("S256");
      expect(issuer.received("token", "authorization_code")[0]?.form.get("code_verifier")).toMatch(/^[\w~.-]{43}$/);
    }),
  );

  it.concurrent("for no offline access where the issuer does not offer it [B-05]", () =>
    onStage(async ({ issuer, logIn }) => {
      issuer.become({ discovery: changeJson({ scopes_supported: ["openid"] }) });
      credentialOf(await logIn());
      const query = issuer.received("authorization")[0]?.query;
      expect([query?.get("scope"), query?.get("prompt")]).toEqual(["openid", null]);
    }));

  it.concurrent("and leaves its verifier nowhere [P-06]", () =>
    onStage(async ({ issuer, logIn, home }) => {
      const ended = await logIn("-v8");
      credentialOf(ended);
      const verifier = issuer.received("token", "authorization_code")[0]?.form.get("code_verifier") ?? "none";
      expect(ended.stderr).not.toContain(verifier);
      const files = readdirSync(home.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      expect(files.length).toBeGreaterThan(0);
      for (const { parentPath, name } of files) expect(readFileSync(join(parentPath, name), "latin1"), name).not.toContain(verifier);
    }));
});

describe("a refresh asks", () => {
  it.concurrent("with the refresh token and the client, and no more [RP-30, RP-80]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      credentialOf(await refresh());
      const [request] = issuer.received("token", "refresh_token");
      expect(names(request?.form ?? new URLSearchParams())).toEqual(["client_id", "grant_type", "refresh_token"]);
      expect([request?.method, request?.query.toString(), request?.headers.authorization]).toEqual(["POST", "", undefined]);
    }));
});

describe("a client with a secret", () => {
  const secret = "a secret: with % and + and ö";
  const methods: readonly (readonly [title: string, supported: readonly string[] | undefined, isBasic: boolean])[] = [
    ["in the header, form-encoded, where the issuer does not say [RP-14]", undefined, true],
    ["in the header where the issuer takes both [RP-14]", ["client_secret_post", "client_secret_basic"], true],
    ["in the body where the issuer takes no other", ["client_secret_post"], false],
  ];
  it.concurrent.each(methods)("sends it %s", (_, supported, isBasic) =>
    onStage(async ({ issuer, logIn, refresh, home }) => {
      issuer.become({ discovery: changeJson({ token_endpoint_auth_methods_supported: supported }) });
      const file = join(home.folder, "secret");
      writeFileSync(file, `${secret}\n`, { mode: 0o600 });
      home.holdsSecrets("secret");
      const option = `--oidc-client-secret-file=${file}`;
      credentialOf(await logIn(option));
      credentialOf(await refresh(option));
      const requests = issuer.received("token");
      expect(requests.map(({ grantType }) => grantType)).toEqual(["authorization_code", "refresh_token"]);
      for (const { headers, form } of requests) {
        const [scheme, credentials = ""] = (headers.authorization ?? "").split(" ");
        if (isBasic) {
          // RFC 6749, section 2.3.1: both are form-encoded before they are joined.
          const [id, sent] = Buffer.from(credentials, "base64").toString().split(":");
          expect([scheme, id, new URLSearchParams(`x=${sent}`).get("x"), form.get("client_secret")]).toEqual(["Basic", "kubernetes", secret, null]);
        } else expect([headers.authorization, form.get("client_id"), form.get("client_secret")]).toEqual([undefined, "kubernetes", secret]);
      }
    }),
  );
});
