import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { checkEnvironment } from "../../src/core/checks/environment.ts";
import { checkClientAuthentication, checkClock, checkKeys, checkSupport } from "../../src/core/checks/issuer.ts";
import { checkKuberc } from "../../src/core/checks/kuberc.ts";
import { checkTitles, failed, ok, together, warn } from "../../src/core/checks/outcome.ts";
import { checkReview } from "../../src/core/checks/review.ts";
import { checkAuthoritySize, checkProgram, checkStanza, type StanzaFacts } from "../../src/core/checks/stanza.ts";
import { checkAlgorithm, checkAudience, checkJti, checkNames, checkSize } from "../../src/core/checks/token.ts";

const says = (pattern: RegExp) => expect.stringMatching(pattern) as string;

describe("several findings are one", () => {
  it("the worst leads, all are said, what is good is not", () => {
    expect(together([ok("a"), warn("b", "mend b"), failed("SETTINGS_INVALID", "c", "mend c")], "good")).toEqual({ status: "fail", detail: "c; b", cure: "mend c", exit: 40 });
    expect(together([ok("a")], "good")).toEqual({ status: "ok", detail: "good" });
  });
});

it("every check stands in docs/reference/doctor.md under its title", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/reference/doctor.md"), "utf8");
  expect([...page.matchAll(/^\| (D-\d\d) \| ([^|]+) \|/gm)].map(([, id, title]) => [id, title])).toEqual(Object.entries(checkTitles));
});

describe("D-01", () => {
  const good: StanzaFacts = {
    contextName: "prod",
    apiVersion: "client.authentication.k8s.io/v1",
    command: "kubectl-oidc",
    interactiveMode: "IfAvailable",
    provideClusterInfo: true,
    server: "https://k8s",
    competing: [],
    resolved: "/usr/bin/kubectl-oidc",
    onPath: ["/usr/bin/kubectl-oidc"],
    own: "/usr/bin/kubectl-oidc",
  };
  it.each<[string, Partial<StanzaFacts>, string, RegExp]>([
    ["is good", {}, "ok", /^prod runs kubectl-oidc$/],
    ["v1beta1", { apiVersion: "client.authentication.k8s.io/v1beta1", interactiveMode: undefined }, "warn", /v1beta1/],
    ["v1alpha1", { apiVersion: "client.authentication.k8s.io/v1alpha1" }, "fail", /v1alpha1/],
    ["no interactiveMode", { interactiveMode: undefined }, "fail", /interactiveMode/],
    ["interactiveMode Always", { interactiveMode: "Always" }, "warn", /k9s/],
    ["http", { server: "http://k8s" }, "fail", /not https/],
    ["no cluster info", { provideClusterInfo: false }, "warn", /provideClusterInfo/],
    ["a static token", { competing: ["token"] }, "fail", /token.*prefers/],
    ["another program's copy", { resolved: "/opt/kubectl-oidc" }, "warn", /another copy/],
    ["kubectl as its command", { command: "kubectl", resolved: "/usr/bin/kubectl" }, "ok", /runs kubectl/],
  ])("%s", (_, change, status, detail) => expect(checkStanza({ ...good, ...change })).toMatchObject({ status, detail: says(detail) }));
  it("is skipped without a context", () => expect(checkStanza(undefined).status).toBe("skipped"));
});

describe("D-02", () => {
  const resolve = (name: string) => (name.startsWith("/") ? name : name === "kubectl-oidc" ? "/usr/bin/kubectl-oidc" : undefined);
  const file = (value: unknown) => checkKuberc({ kind: "file", path: "~/.kube/kuberc", value }, "kubectl-oidc", resolve);
  it.each<[unknown, string]>([
    [{}, "ok"],
    [{ credentialPluginPolicy: "AllowAll" }, "ok"],
    [{ credentialPluginPolicy: "DenyAll" }, "fail"],
    [{ credentialPluginPolicy: "Sometimes" }, "fail"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ command: "kubectl-oidc" }] }, "ok"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ name: "/usr/bin/kubectl-oidc" }] }, "ok"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ command: "/opt/kubectl-oidc" }, { command: "nowhere" }] }, "fail"],
    [{ credentialPluginPolicy: "Allowlist" }, "fail"],
    ["text", "warn"],
  ])("%j: %s", (value, status) => expect(file(value).status).toBe(status));
  it("no file, a switch, and what cannot be read deny nothing", () => {
    for (const [facts, status] of [
      [{ kind: "absent" }, "ok"],
      [{ kind: "off" }, "ok"],
      [{ kind: "unreadable", path: "x" }, "warn"],
    ] as const)
      expect(checkKuberc(facts, undefined, resolve).status).toBe(status);
  });
});

describe("D-03", () => {
  it.each<[Readonly<Record<string, string>>, Readonly<Record<string, string>>, string, RegExp]>([
    [{ HOME: "/home/ann" }, {}, "ok", /nothing/],
    [{ NODE_TLS_REJECT_UNAUTHORIZED: "0" }, {}, "fail", /in the environment/],
    [{ NODE_TLS_REJECT_UNAUTHORIZED: "1" }, {}, "ok", /nothing/],
    [{}, { NODE_DEBUG: "http" }, "fail", /the stanza's env/],
    [{}, { NODE_OPTIONS: "--require evil" }, "warn", /NODE_OPTIONS in the stanza's env/],
    [{}, { HOME: "/tmp/x" }, "warn", /moves the store/],
  ])("%o, stanza %o: %s", (env, stanza, status, detail) => expect(checkEnvironment(env, stanza)).toMatchObject({ status, detail: says(detail) }));
  it("shows no value", () => expect(JSON.stringify(checkEnvironment({ NODE_OPTIONS: "--secret=x" }, {}))).not.toContain("--secret"));
});

describe("D-05 and D-06", () => {
  it.each<[object, string, string]>([
    [{ code_challenge_methods_supported: ["S256"] }, "auto", "ok"],
    [{ code_challenge_methods_supported: ["plain"] }, "auto", "warn"],
    [{}, "auto", "ok"],
    [{}, "device-code", "fail"],
    [{ require_pushed_authorization_requests: true }, "auto", "fail"],
  ])("%j with %s: %s", (metadata, grant, status) => expect(checkSupport({ ...metadata }, grant).status).toBe(status));
  it.each<[readonly string[] | undefined, boolean, string]>([
    [undefined, false, "ok"],
    [undefined, true, "ok"],
    [["none"], false, "ok"],
    [["client_secret_basic"], false, "warn"],
    [["client_secret_post"], true, "ok"],
    [["private_key_jwt"], true, "fail"],
  ])("methods %j, secret %s: %s", (methods, secret, status) => expect(checkClientAuthentication({ token_endpoint_auth_methods_supported: methods }, secret).status).toBe(status));
});

describe("D-07 to D-13", () => {
  it.each([
    ["RS256", "ok"],
    ["ES256", "warn"],
    ["EdDSA", "fail"],
    ["HS256", "fail"],
    [undefined, "fail"],
  ])("algorithm %s: %s", (alg, status) => expect(checkAlgorithm(alg).status).toBe(status));
  it.each<[object, string]>([
    [{ aud: "kubernetes", iat: 0, exp: 3600 }, "ok"],
    [{ aud: ["a", "kubernetes"], iat: 0, exp: 3600 }, "ok"],
    [{ aud: "other", iat: 0, exp: 3600 }, "warn"],
    [{ aud: "kubernetes", iat: 0, exp: 60 }, "warn"],
    [{ aud: "kubernetes", iat: 0, exp: 90_000 }, "warn"],
  ])("%j: %s", (claims, status) => expect(checkAudience({ ...claims }, "kubernetes").status).toBe(status));
  it.each<[object, string, RegExp]>([
    [{ sub: "ann", groups: ["a"] }, "ok", /^ann, 1 group$/],
    [{ sub: "ann" }, "warn", /no groups/],
    [{ sub: "ann", groups: [{ id: 1 }] }, "warn", /no list of texts/],
    [{ sub: "ann", _claim_names: { groups: "x" } }, "fail", /overage/],
    [{ sub: "ann", groups: [], email: "a@b", email_verified: false }, "warn", /email_verified/],
    [{ sub: "ann", groups: [], email: "a@b" }, "ok", /a@b/],
  ])("%j: %s", (claims, status, detail) => expect(checkNames({ ...claims })).toMatchObject({ status, detail: says(detail) }));
  it("jti, size", () => {
    expect([checkJti({ jti: "x" }).status, checkJti({}).status, checkSize("x").status, checkSize("x".repeat(8_000)).status]).toEqual(["ok", "warn", "ok", "warn"]);
  });
  it("keys", () => {
    expect([checkKeys([], "a").status, checkKeys(["a"], "a").status, checkKeys(["b"], "a").status, checkKeys([undefined], undefined).status]).toEqual(["fail", "ok", "warn", "ok"]);
  });
  it.each<[number, string, RegExp]>([
    [0, "ok", /within 1 s/],
    [-9, "ok", /within 9 s/],
    [30, "warn", /30 s behind the issuer/],
    [-61, "fail", /61 s ahead of the issuer/],
    [300, "fail", /5 minutes behind/],
  ])("a clock that is %d s off: %s", (seconds, status, detail) => expect(checkClock([{ of: "the issuer", seconds }])).toMatchObject({ status, detail: says(detail) }));
  it("the clock that differs most is named; nobody's says nothing", () => {
    const clocks = [
      { of: "the issuer", seconds: 1 },
      { of: "the API server", seconds: -400 },
    ];
    expect(checkClock(clocks).detail).toContain("the API server");
    expect(checkClock([]).status).toBe("skipped");
  });
});

describe("D-14", () => {
  const user = { username: "oidc:ann", uid: undefined, groups: ["dev", "system:authenticated"], extra: {} };
  it("says whom the server sees, and by what", () => {
    expect(checkReview({ kind: "seen", user }, {}, [])).toMatchObject({ status: "ok", detail: "the API server sees oidc:ann with 1 group" });
    const extra = { "authentication.kubernetes.io/credential-id": ["JTI=a"] };
    expect(checkReview({ kind: "seen", user: { ...user, extra } }, { jti: "a" }, [])).toMatchObject({ status: "ok", detail: says(/this very token/) });
    expect(checkReview({ kind: "seen", user: { ...user, extra } }, { jti: "b" }, []).status).toBe("fail");
    expect(checkReview({ kind: "seen", user: { ...user, username: "system:anonymous" } }, {}, []).status).toBe("fail");
    expect(checkReview({ kind: "unanswered", status: 404 }, {}, []).status).toBe("warn");
  });
  it("ranks the causes of a refusal: what was seen here first", () => {
    const claims = { iss: "https://id", aud: ["a", "b"] };
    expect(checkReview({ kind: "refused" }, claims, [])).toMatchObject({ exit: 40, detail: says(/likely: it trusts another issuer than https:\/\/id .*audience than a, b/) });
    expect(checkReview({ kind: "refused" }, claims, ["the clock"]).detail).toMatch(/likely: the clock\. Else it trusts/);
  });
});

describe("D-20 and D-21", () => {
  it("an authority that kubectl cannot hand over", () => {
    expect([
      checkAuthoritySize(undefined, true).status,
      checkAuthoritySize(2_000, true).status,
      checkAuthoritySize(100_000, true).status,
      checkAuthoritySize(100_000, false).status,
    ]).toEqual(["skipped", "ok", "warn", "ok"]);
  });
  it("copies, an old Node, a program that is not on the PATH", () => {
    expect(checkProgram("/a", ["/a"], "1.0.0", "24.1.0").status).toBe("ok");
    expect(checkProgram("/a", ["/a", "/b"], "1.0.0", "24.1.0").detail).toContain("/b");
    expect(checkProgram("/a", ["/a"], "1.0.0", "20.20.0").detail).toContain("Node 20");
    expect(checkProgram("/a", [], "1.0.0", "24.1.0").detail).toContain("not on the PATH");
  });
});
