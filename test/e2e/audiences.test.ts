import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeJwt } from "../../src/core/id-token.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { exchangeGrant } from "../issuer/machine-answers.ts";
import { type Behaviour, type Misbehaving, startMisbehaving } from "../issuer/misbehaving.ts";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";
import type { ReceivedRequest } from "../issuer/received-request.ts";
import { browse, credentialOf, type Ended, errorCode, type Home, newHome, openUrl, runWithBrowser } from "./program.ts";

let home: Home;
let issuer: Misbehaving;
beforeEach(async () => {
  home = newHome();
  issuer = await startMisbehaving();
});
afterEach(async () => {
  home.remove();
  await issuer.stop();
});

const options = (...more: string[]) => [
  `--oidc-issuer-url=${issuer.issuer}`,
  "--oidc-client-id=kubernetes",
  "--token-cache-storage=disk",
  "--listen-address=127.0.0.1:0",
  "--skip-open-browser",
  ...more,
];
const session = (...more: string[]) => ["get-token", ...options(...more)];
const withoutExchange: Behaviour = { discovery: changeJson({ grant_types_supported: ["authorization_code", "refresh_token"] }) };
/** An issuer that does not know RFC 8707 passes the parameter over (RFC 6749, section 3.2). */
const heedless = async (request: ReceivedRequest, _nth: number, proper: () => Promise<object>) => {
  request.form.delete("resource");
  request.query.delete("resource");
  return proper();
};
const audienceOf = (ended: Ended) => decodeJwt(credentialOf(ended).status.token)?.claims["aud"];
const tokenRequests = () => issuer.received("token").map(({ grantType, form }) => [grantType, form.getAll("resource").concat(form.getAll("audience"))]);
const logIn = async (...more: string[]) => expect((await runWithBrowser(home, session(...more))).status).toBe(0);

describe("a token for one cluster", () => {
  it("is asked for by resource (RFC 8707), each cached apart, out of one login", async () => {
    await logIn();
    const logins = issuer.count("authorization");
    const [a, b] = ["https://a.example.com", "https://b.example.com"];
    expect(audienceOf(await home.run(session(`--oidc-audience=${a}`)))).toBe(a);
    expect(audienceOf(await home.run(session(`--oidc-audience=${b}`)))).toBe(b);
    const asked = issuer.count("token");
    expect(audienceOf(await home.run(session(`--oidc-audience=${a}`)))).toBe(a);
    expect(audienceOf(await home.run(session(`--oidc-audience=${b}`)))).toBe(b);
    expect(audienceOf(await home.run(session()))).toBe("kubernetes");
    expect([issuer.count("token"), issuer.count("authorization")]).toEqual([asked, logins]);
    expect(tokenRequests().slice(1)).toEqual([
      ["refresh_token", [a]],
      ["refresh_token", [b]],
    ]);
  });

  it("comes with the login that kubectl starts for it", async () => {
    const first = await runWithBrowser(home, session("--oidc-audience=https://a.example.com"));
    expect(audienceOf(first)).toBe("https://a.example.com");
    expect(tokenRequests()).toEqual([["authorization_code", ["https://a.example.com"]]]);
  });

  it("of a machine names the machine", async () => {
    const ended = await home.run(["token", ...options("--grant-type=client-credentials", "--oidc-audience=https://a.example.com"), "-o", "json"]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ subject: "kubernetes" });
  });

  it("comes with a device code too", async () => {
    const ended = await home.run(["login", ...options("--oidc-audience=https://a.example.com", "--grant-type=device-code")]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(audienceOf(await home.run(session("--oidc-audience=https://a.example.com", "--non-interactive")))).toBe("https://a.example.com");
  });

  it("is exchanged (RFC 8693) where the audience is no URI, and where the issuer passes resource over", async () => {
    issuer.become({ authorization: heedless, token: heedless });
    await logIn();
    expect(audienceOf(await home.run(session("--oidc-audience=cluster-a")))).toBe("cluster-a");
    expect(audienceOf(await home.run(session("--oidc-audience=https://b.example.com")))).toBe("https://b.example.com");
    expect(tokenRequests().slice(1)).toEqual([
      ["refresh_token", []],
      [exchangeGrant, ["cluster-a"]],
      ["refresh_token", []],
      [exchangeGrant, ["https://b.example.com"]],
    ]);
    expect(issuer.received("token", exchangeGrant)[0]?.form.get("subject_token_type")).toBe("urn:ietf:params:oauth:token-type:access_token");
    const asked = issuer.count("token");
    expect(audienceOf(await home.run(session("--oidc-audience=cluster-a")))).toBe("cluster-a");
    expect(issuer.count("token")).toBe(asked);
  });

  it("is exchanged where the issuer refuses the resource, at the login and at a refresh", async () => {
    const refusing: Behaviour = {
      authorization: async (request, _nth, proper) => {
        if (!request.query.has("resource")) return proper();
        const back = new URL(request.query.get("redirect_uri") ?? "");
        for (const [name, value] of Object.entries({ error: "invalid_target", iss: issuer.issuer, state: request.query.get("state") ?? "" })) back.searchParams.set(name, value);
        return { status: 303, headers: { location: back.href } };
      },
      token: async (request, _nth, proper) => (request.form.has("resource") ? oauthError("invalid_target") : proper()),
    };
    issuer.become(refusing);
    const started = home.start(session("--oidc-audience=https://a.example.com"));
    for (const _ of [1, 2]) {
      const pattern = new RegExp(`${"[\\s\\S]*open this URL".repeat(issuer.count("authorization") + 1)} in your browser:\\s+(\\S+)`);
      await browse((await started.sees(pattern))[1] ?? "");
    }
    const ended = await started.ended;
    expect(audienceOf(ended), ended.stderr).toBe("https://a.example.com");
    expect(ended.stderr).toContain("logging in again for none of them");
    expect(audienceOf(await home.run(session("--oidc-audience=https://b.example.com")))).toBe("https://b.example.com");
    expect(issuer.count("authorization")).toBe(2);
  });

  it("the ID token serves where the issuer puts the audience into it (Dex)", async () => {
    issuer.become({ idToken: { claims: { aud: ["kubernetes", "cluster-a"], azp: "kubernetes" } } });
    await logIn();
    expect(audienceOf(await home.run(session("--oidc-audience=cluster-a")))).toEqual(["kubernetes", "cluster-a"]);
  });

  it("comes where refreshes bring no ID token and the access token tells nothing: nobody else answered", async () => {
    await logIn();
    issuer.become({ token: onlyFor("refresh_token", changeJson({ id_token: undefined, access_token: "opaque-access-token-of-this-test" })) });
    for (const _ of [1, 2]) expect(audienceOf(await home.run(session("--oidc-audience=cluster-a", "--force-refresh", "--non-interactive")))).toBe("cluster-a");
    expect([issuer.count("authorization"), issuer.count("revocation")]).toEqual([1, 0]);
    issuer.become({});
    expect(audienceOf(await home.run(session("--force-refresh", "--non-interactive")))).toBe("kubernetes");
  });
});

describe("a token that is not for the cluster is never handed out in its place", () => {
  it("GRANT_UNSUPPORTED where the issuer knows neither way; the login stays, and nobody logs in again", async () => {
    issuer.become({ ...withoutExchange, authorization: heedless, token: heedless });
    const ended = await runWithBrowser(home, session("--oidc-audience=https://a.example.com"));
    expect([ended.status, errorCode(ended), ended.stdout === ""], ended.stderr).toEqual([30, "GRANT_UNSUPPORTED", true]);
    const again = await home.run(session("--oidc-audience=https://a.example.com"));
    expect([errorCode(again), again.stdout === ""]).toEqual(["SCOPE_REJECTED", true]);
    expect(again.stderr).toContain("run: kubectl oidc login");
    expect(issuer.count("authorization")).toBe(1);
    expect(audienceOf(await home.run(session()))).toBe("kubernetes");
    expect(issuer.count("revocation")).toBe(0);
  });

  it("`login` says that the login itself is stored", async () => {
    issuer.become({ ...withoutExchange, authorization: heedless, token: heedless });
    const ended = await runWithBrowser(home, ["login", ...options("--oidc-audience=https://a.example.com")]);
    expect([ended.status, errorCode(ended)]).toEqual([30, "GRANT_UNSUPPORTED"]);
    expect(ended.stderr).toContain("the login itself is stored");
    expect((await home.run(session("--non-interactive"))).status).toBe(0);
  });

  it.each<[string, Behaviour["token"], string]>([
    ["of another type", onlyFor(exchangeGrant, changeJson({ issued_token_type: "urn:ietf:params:oauth:token-type:refresh_token" })), "ID_TOKEN_INVALID"],
    ["of no type", onlyFor(exchangeGrant, changeJson({ issued_token_type: undefined })), "ID_TOKEN_INVALID"],
    [
      "for another audience",
      (request, _nth, proper) => {
        if (request.grantType === exchangeGrant) request.form.set("audience", "cluster-b");
        return proper();
      },
      "ID_TOKEN_INVALID",
    ],
    ["that is no JWT", onlyFor(exchangeGrant, changeJson({ access_token: "opaque" })), "ID_TOKEN_MISSING"],
    ["refused for the audience", onlyFor(exchangeGrant, oauthError("invalid_target", "no such audience")), "SCOPE_REJECTED"],
    ["refused for the client", onlyFor(exchangeGrant, oauthError("unauthorized_client")), "CLIENT_REJECTED"],
    ["refused for the subject token", onlyFor(exchangeGrant, oauthError("invalid_request")), "CLIENT_REJECTED"],
    ["never", onlyFor(exchangeGrant, { status: 503, text: "" }), "ISSUER_UNREACHABLE"],
  ])("an exchanged one %s: its code, nothing cached, the session whole", async (_, token, code) => {
    await logIn();
    issuer.become({ token: token ?? {} });
    const ended = await home.run(session("--oidc-audience=cluster-a"));
    expect([ended.status, errorCode(ended), ended.stdout === ""], ended.stderr).toEqual([30, code, true]);
    expect(ended.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(3);
    issuer.become({});
    const asked = issuer.count("token", exchangeGrant);
    expect(audienceOf(await home.run(session("--oidc-audience=cluster-a", "--non-interactive")))).toBe("cluster-a");
    expect(issuer.count("token", exchangeGrant)).toBe(asked + 1);
  });

  it("an exchange that Dex refuses for want of a connector is told with Dex' own way to an audience, its scope", async () => {
    await logIn();
    issuer.become({ token: onlyFor(exchangeGrant, oauthError("invalid_request", "Requested connector does not exist.")) });
    const ended = await home.run(session("--oidc-audience=cluster-a"));
    expect([ended.status, errorCode(ended)], ended.stderr).toEqual([30, "CLIENT_REJECTED"]);
    expect(ended.stderr).toContain("hint: ask for the audience by a scope, as Dex wants it: --oidc-extra-scope=audience:server:client_id:cluster-a\n");
  });

  it.each(["invalid_target", "invalid_scope"])("an exchange that ends with %s is no login that was refused: nobody logs in again, the session stays", async (error) => {
    issuer.become({ token: onlyFor(exchangeGrant, oauthError(error)) });
    const ended = await runWithBrowser(home, ["login", ...options("--oidc-audience=cluster-a")]);
    expect([ended.status, errorCode(ended)], ended.stderr).toEqual([30, "SCOPE_REJECTED"]);
    expect(ended.stderr).toContain("the login itself is stored");
    expect([issuer.count("authorization"), issuer.count("revocation")]).toEqual([1, 0]);
    expect(audienceOf(await home.run(session("--non-interactive", "--force-refresh")))).toBe("kubernetes");
  });

  it("who waited for another cluster's login opens none of their own when only their audience is refused", async () => {
    issuer.become({ token: onlyFor(exchangeGrant, oauthError("invalid_target")) });
    const first = home.start(session());
    const [, url = ""] = await first.sees(openUrl);
    const waiter = home.start(session("--oidc-audience=cluster-a"));
    await waiter.sees(/waiting for the login that is open already/);
    await browse(url);
    expect((await first.ended).status).toBe(0);
    const ended = await waiter.ended;
    expect([ended.status, errorCode(ended), issuer.count("authorization")], ended.stderr).toEqual([30, "SCOPE_REJECTED", 1]);
  });

  it("a login whose audience and offline_access are both refused leaves out both, each once", async () => {
    issuer.become({
      authorization: (request, _nth, proper) => {
        const error = request.query.has("resource") ? "invalid_target" : request.query.get("scope")?.includes("offline_access") ? "invalid_scope" : undefined;
        if (error === undefined) return proper();
        const back = new URL(request.query.get("redirect_uri") ?? "");
        for (const [name, value] of Object.entries({ error, iss: issuer.issuer, state: request.query.get("state") ?? "" })) back.searchParams.set(name, value);
        return { status: 303, headers: { location: back.href } };
      },
    });
    const started = home.start(["login", ...options("--oidc-audience=https://a.example.com")]);
    for (const nth of [1, 2, 3]) await browse((await started.sees(new RegExp(`${"[\\s\\S]*open this URL".repeat(nth)} in your browser:\\s+(\\S+)`)))[1] ?? "");
    const ended = await started.ended;
    expect(ended.status, ended.stderr).toBe(0);
    expect(issuer.count("authorization")).toBe(3);
  });

  it("a good one is used while the issuer cannot exchange another", async () => {
    await logIn();
    const first = audienceOf(await home.run(session("--oidc-audience=cluster-a")));
    issuer.become({ token: onlyFor(exchangeGrant, { status: 503, text: "" }) });
    expect(audienceOf(await home.run(session("--oidc-audience=cluster-a", "--force-refresh")))).toBe(first);
  });
});

describe("an issuer that gives no tokens for what the login did not name (RFC 8707, section 2.2)", () => {
  const granted = new Set<string>();
  const strict: Behaviour = {
    ...withoutExchange,
    authorization: (request, _nth, proper) => {
      granted.clear();
      for (const resource of request.query.getAll("resource")) granted.add(resource);
      return proper();
    },
    token: (request, _nth, proper) => (request.form.getAll("resource").every((resource) => granted.has(resource)) ? proper() : oauthError("invalid_target")),
  };
  const cluster = (name: string, config: object) => ({
    name,
    cluster: { server: `https://${name}.example.com`, extensions: [{ name: "client.authentication.k8s.io/exec", extension: config }] },
  });
  function writeKubeconfig(clusters: Readonly<Record<string, object>>): void {
    const user = { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "kubectl-oidc", args: session(), interactiveMode: "IfAvailable", provideClusterInfo: true } };
    const names = Object.keys(clusters);
    const config = {
      clusters: names.map((name) => cluster(name, clusters[name] ?? {})),
      contexts: names.map((name) => ({ name, context: { cluster: name, user: "oidc" } })),
      users: [{ name: "oidc", user }],
    };
    writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": names[0], ...config }));
  }

  it("is asked at the first login for those of every context of the session, so that there is one login", async () => {
    issuer.become(strict);
    writeKubeconfig({
      a: { "oidc-audience": "https://a.example.com" },
      b: { "oidc-audience": ["https://b.example.com"] },
      other: { "oidc-audience": "https://c.example.com", account: "bob" },
    });
    expect((await runWithBrowser(home, ["login", "--context=a"])).status).toBe(0);
    expect([...granted]).toEqual(["https://a.example.com", "https://b.example.com"]);
    for (const name of ["a", "b"]) expect((await home.run(["trust", "add", `--context=${name}`])).status).toBe(0);
    const tokenOf = async (name: string) => decodeJwt((await home.run(["token", `--context=${name}`])).stdout.trim())?.claims["aud"];
    expect([await tokenOf("a"), await tokenOf("b")]).toEqual(["https://a.example.com", "https://b.example.com"]);
    expect(issuer.count("authorization")).toBe(1);
  });

  it("says what to do for one that came later, and does not log in by itself", async () => {
    issuer.become(strict);
    await logIn("--oidc-audience=https://a.example.com");
    const ended = await home.run(session("--oidc-audience=https://b.example.com"));
    expect([ended.status, errorCode(ended), ended.stdout === ""]).toEqual([30, "SCOPE_REJECTED", true]);
    expect(ended.stderr).toContain("gives this session no token for the audience https://b.example.com");
    expect(ended.stderr).toContain("run: kubectl oidc login");
    expect(audienceOf(await home.run(session("--oidc-audience=https://a.example.com", "--force-refresh")))).toBe("https://a.example.com");
  });

  it("a login whose further audiences it does not know goes on for its own", async () => {
    writeKubeconfig({ a: { "oidc-audience": "https://a.example.com" }, b: { "oidc-audience": "https://unknown.example.com" } });
    issuer.become({
      ...strict,
      authorization: (request, _nth, proper) => {
        if (!request.query.getAll("resource").includes("https://unknown.example.com"))
          return (strict.authorization as (...given: unknown[]) => Promise<object>)(request, 1, proper);
        const back = new URL(request.query.get("redirect_uri") ?? "");
        for (const [name, value] of Object.entries({ error: "invalid_target", iss: issuer.issuer, state: request.query.get("state") ?? "" })) back.searchParams.set(name, value);
        return { status: 303, headers: { location: back.href } };
      },
    });
    const started = home.start(["login", "--context=a"]);
    await browse((await started.sees(openUrl))[1] ?? "");
    await browse((await started.sees(/for this one alone[\s\S]*open this URL in your browser:\s+(\S+)/))[1] ?? "");
    const ended = await started.ended;
    expect(ended.status, ended.stderr).toBe(0);
    expect(readFileSync(join(home.folder, "kubeconfig"), "utf8")).toContain("unknown.example.com");
  });
});
