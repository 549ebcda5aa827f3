import { describe, expect, it } from "vitest";
import { openIdProvider } from "../../src/adapters/openid-provider.ts";
import { credentialOf, errorCode } from "../e2e/program.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import type { Behaviour } from "../issuer/misbehaving.ts";
import { changeJson } from "../issuer/misbehaviours.ts";
import { metadataOf } from "../issuer/proper-issuer.ts";
import { expectRefusal, type LyingStage, onStage } from "./lying-stage.ts";

/** `get-token` for an issuer that is written otherwise. */
const forIssuer = ({ session }: LyingStage, issuer: string) => session().map((arg) => (arg.startsWith("--oidc-issuer-url=") ? `--oidc-issuer-url=${issuer}` : arg));

describe("discovery", () => {
  it.concurrent("takes the document below the issuer's URL, and every endpoint out of it [RP-20, RP-21, B-07]", () =>
    onStage(async ({ issuer, logIn, home, session }) => {
      // The endpoints lie elsewhere than one would guess; the keys too.
      const moved = ["authorization_endpoint", "token_endpoint", "jwks_uri"].map((name) => [name, `${issuer.issuer}/moved/${name}?tenant=1`] as const);
      issuer.become({
        discovery: changeJson(Object.fromEntries(moved)),
        unknown: async (request, _nth, proper) => {
          const at = moved.find(([name]) => request.path === `/moved/${name}`)?.[0];
          return at === undefined ? proper() : issuer.properly(request, at === "jwks_uri" ? "jwks" : at === "token_endpoint" ? "token" : "authorization");
        },
      });
      credentialOf(await logIn());
      credentialOf(await home.run(session("--non-interactive")));
      expect(issuer.requests[0]?.path).toBe("/.well-known/openid-configuration");
      expect(issuer.requests.filter(({ route }) => route !== "unknown" && route !== "discovery")).toEqual([]);
      for (const request of issuer.received("unknown")) expect(request.query.get("tenant")).toBe("1");
    }));

  it.concurrent("of an issuer with a path asks below that path [RP-20]", () =>
    onStage(async (stage) => {
      const url = `${stage.issuer.issuer}/realms/company`;
      stage.issuer.become({
        unknown: ({ path }) =>
          path === "/realms/company/.well-known/openid-configuration" ? { json: { ...metadataOf(stage.issuer.issuer), issuer: url } } : { status: 404, text: "" },
        idToken: { claims: { iss: url } },
        discovery: { status: 404, text: "" },
        authorization: async (_request, _nth, proper) => {
          const answer = await proper();
          const location = new URL(answer.headers?.["location"] ?? "");
          location.searchParams.set("iss", url);
          return { ...answer, headers: { location: location.href } };
        },
      });
      const started = stage.home.start(forIssuer(stage, url));
      const [, open = ""] = await started.sees(/open this URL in your browser: (\S+)/);
      const redirect = await fetch(open, { redirect: "manual" });
      await fetch(redirect.headers.get("location") ?? "");
      credentialOf(await started.ended);
    }));
});

describe("an issuer is refused before any browser opens when its document", () => {
  const cases: readonly (readonly [title: string, change: (issuer: string) => Readonly<Record<string, unknown>>])[] = [
    ["names another [ID-02, RP-22, RP-67]", () => ({ issuer: "https://elsewhere.example" })],
    ["names it with a slash more [ID-02]", (issuer) => ({ issuer: `${issuer}/` })],
    ["names it in capitals, which a URL library takes for the same [ID-02]", (issuer) => ({ issuer: issuer.replace("localhost", "LOCALHOST") })],
    ["names it with a dot in its path, which a URL library takes away [ID-02]", (issuer) => ({ issuer: `${issuer}/.` })],
    ["names none [ID-02]", () => ({ issuer: undefined })],
    ["names it in a list [ID-02]", (issuer) => ({ issuer: [issuer] })],
  ];
  it.concurrent.each(cases)("%s", (_, change) =>
    onStage(async ({ issuer, home, session }) => {
      issuer.become({ discovery: changeJson(change(issuer.issuer)) });
      const ended = await home.run(session());
      expect(ended).toMatchObject({ status: 30, stdout: "" });
      expect(["ISSUER_MISMATCH", "DISCOVERY_INVALID"]).toContain(errorCode(ended));
      expect(ended.stderr).not.toContain("open this URL");
      expect(issuer.requests.map(({ route }) => route)).toEqual(["discovery"]);
    }),
  );

  it.concurrent("is asked for by another spelling of the same URL: capitals, or a slash at its end [ID-02]", () =>
    onStage(async (stage) => {
      for (const other of [stage.issuer.issuer.replace("localhost", "LOCALHOST"), `${stage.issuer.issuer}/`])
        expectRefusal(stage.issuer, await stage.home.run(forIssuer(stage, other)), "ISSUER_MISMATCH");
    }));

  it.concurrent("is itself given as the issuer: the library would compare nothing then [ID-02]", () =>
    onStage(async (stage) => {
      const ended = await stage.home.run(forIssuer(stage, `${stage.issuer.issuer}/.well-known/openid-configuration`));
      expect(ended).toMatchObject({ status: 2, stdout: "" });
      expect(stage.issuer.requests).toEqual([]);
    }));
});

describe("hosts for which the library is lenient are compared as any other [ID-02]", () => {
  const tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
  /** The provider for `issuer`, whose document names `named`. */
  const factsOf = (issuer: string, named: string) =>
    openIdProvider({
      issuer,
      clientId: "kubernetes",
      clientSecret: undefined,
      useAccessToken: false,
      acrValues: undefined,
      maxAge: undefined,
      fetch: async () => new Response(JSON.stringify({ ...metadataOf(issuer), issuer: named }), { headers: { "content-type": "application/json" } }),
      cache: { read: () => undefined, write: () => undefined, unlock: () => undefined },
      now: Date.now,
    }).facts();

  it.each([
    ["login.microsoftonline.com, a tenant", `https://login.microsoftonline.com/${tenant}/v2.0`, `https://login.microsoftonline.com/${tenant}/v2.0`, "none"],
    [
      "login.microsoftonline.com, another tenant",
      `https://login.microsoftonline.com/${tenant}/v2.0`,
      `https://login.microsoftonline.com/${"0".repeat(36)}/v2.0`,
      "ISSUER_MISMATCH",
    ],
    ["login.microsoftonline.com, every tenant", "https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/{tenantid}/v2.0", "ISSUER_MISMATCH"],
    ["login.microsoftonline.com, another issuer", "https://login.microsoftonline.com/common/v2.0", "https://evil.example.com", "ISSUER_MISMATCH"],
    ["b2clogin.com", "https://company.b2clogin.com/company.onmicrosoft.com/v2.0", `https://company.b2clogin.com/${tenant}/v2.0/`, "ISSUER_MISMATCH"],
    ["the default port, written out", "https://id.example.com:443", "https://id.example.com", "ISSUER_MISMATCH"],
  ])("%s [ID-02]", async (_, issuer, named, code) => expect(await codeOfPromise(factsOf(issuer, named))).toBe(code));
});

describe("an issuer that lists", () => {
  const weak: readonly (readonly [title: string, behaviour: Behaviour])[] = [
    ["none gets no unsigned token accepted", { discovery: changeJson({ id_token_signing_alg_values_supported: ["none"] }), idToken: { alg: "none" } }],
    ["none beside RS256 neither", { discovery: changeJson({ id_token_signing_alg_values_supported: ["RS256", "none"] }), idToken: { alg: "none" } }],
    [
      "HS256 gets no token accepted that is signed with the client's ID",
      { discovery: changeJson({ id_token_signing_alg_values_supported: ["HS256"] }), idToken: { alg: "HS256" } },
    ],
    ["no algorithms gets RS256 accepted, and nothing else", { discovery: changeJson({ id_token_signing_alg_values_supported: undefined }), idToken: { alg: "ES256" } }],
  ];
  it.concurrent.each(weak)("%s [ID-07, RP-92]", (_, behaviour) =>
    onStage(async ({ issuer, logIn }) => {
      issuer.become(behaviour);
      expectRefusal(issuer, await logIn(), "ID_TOKEN_INVALID");
    }),
  );

  it.concurrent("HS256 gets no token accepted that is signed with the client's secret [ID-07, RP-42, RP-92]", () =>
    onStage(async ({ issuer, logIn }) => {
      const hmacKey = "the-client-secret";
      issuer.become({ discovery: changeJson({ id_token_signing_alg_values_supported: ["HS256"] }), idToken: { alg: "HS256", hmacKey } });
      expectRefusal(issuer, await logIn(`--oidc-client-secret=${hmacKey}`), "ID_TOKEN_INVALID");
    }));

  it.concurrent("endpoints for clients with certificates (mtls_endpoint_aliases) is asked at its usual ones [RP-45]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      const aliases = { token_endpoint: `${issuer.issuer}/mtls/token`, revocation_endpoint: `${issuer.issuer}/mtls/revoke` };
      issuer.become({ discovery: changeJson({ mtls_endpoint_aliases: aliases, tls_client_certificate_bound_access_tokens: true }) });
      credentialOf(await logIn());
      credentialOf(await refresh());
      expect(issuer.requests.filter(({ path }) => path.startsWith("/mtls"))).toEqual([]);
    }));
});
