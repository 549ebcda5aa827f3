import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { checkEnvironment } from "../../src/core/checks/environment.ts";
import type { ClientProof } from "../../src/core/client-proof.ts";
import { checkClientAuthentication, checkClock, checkDiscovery, checkKeys, checkSupport } from "../../src/core/checks/issuer.ts";
import { setUser, unsetKeys, type UserEntry } from "../../src/core/checks/kubeconfig-edit.ts";
import { checkKuberc } from "../../src/core/checks/kuberc.ts";
import { type CheckId, checkTitles, failed, likeliest, type Outcome, ok, together, warn } from "../../src/core/checks/outcome.ts";
import { checkNetwork, type NetworkFacts } from "../../src/core/checks/network.ts";
import { checkKubectl, checkProgram, type ProgramFacts } from "../../src/core/checks/program.ts";
import { suspectsOf } from "../../src/core/checks/refusal.ts";
import { checkReview } from "../../src/core/checks/review.ts";
import { checkAuthoritySize, checkStanza, type StanzaFacts } from "../../src/core/checks/stanza.ts";
import { checkAlgorithm, checkAudience, checkJti, checkNames, checkSize } from "../../src/core/checks/token.ts";

const says = (pattern: RegExp) => expect.stringMatching(pattern) as string;

describe("several findings are one", () => {
  it("the worst leads, all are said, what is good is not", () => {
    expect(together([ok("a"), warn("b", "mend b"), failed("SETTINGS_INVALID", "c", "mend c")], "good")).toEqual({ status: "fail", detail: "c; b", cure: "mend c", exit: 40 });
    expect(together([ok("a")], "good")).toEqual({ status: "ok", detail: "good" });
  });
});

describe("what to begin with", () => {
  const check = (id: CheckId, outcome: Outcome) => ({ id, ...outcome });
  const bad = failed("SETTINGS_INVALID", "x");
  it.each<[string, readonly { readonly id: CheckId; readonly status: string }[], CheckId | undefined]>([
    ["nothing failed", [check("D-07", warn("x")), check("D-09", ok("x"))], undefined],
    ["the clock, before the refusals that follow from it", [check("D-13", bad), check("D-14", bad), check("D-15", bad)], "D-13"],
    ["the settings, before all", [check("D-04", bad), check("D-23", bad)], "D-23"],
    ["what a failure blames", [check("D-09", warn("x")), check("D-14", { ...bad, blames: "D-09" })], "D-09"],
    ["not a check that found nothing, whoever blames it", [check("D-09", ok("x")), check("D-14", { ...bad, blames: "D-09" })], "D-14"],
    ["what has no place in the order, when it is alone", [check("D-22", bad)], "D-22"],
  ])("%s", (_, checks, id) => expect(likeliest(checks as readonly (Outcome & { readonly id: CheckId })[])?.id).toBe(id));
});

describe("a cure that changes the kubeconfig", () => {
  const user: UserEntry = { name: "oidc", kubeconfig: undefined, platform: "linux" };
  it("is a command for pasting, with the names quoted where they must be", () => {
    expect(setUser(user, ["--exec-interactive-mode=IfAvailable"], "words")).toBe("run: kubectl config set-credentials oidc --exec-interactive-mode=IfAvailable");
    expect(unsetKeys({ ...user, name: "ann at work", kubeconfig: "my config" }, ["token", "tokenFile"], "words")).toBe(
      "run: kubectl config unset 'users.ann at work.token' --kubeconfig='my config'; kubectl config unset 'users.ann at work.tokenFile' --kubeconfig='my config'",
    );
  });
  it("is said in words when a name could be read as something else", () => {
    for (const name of ["it's", "a\nb", ""]) {
      expect(setUser({ ...user, name }, ["--x"], "words")).toBe("words");
      if (name !== "") expect(unsetKeys({ ...user, name }, ["token"], "words")).toBe("words");
    }
  });
});

it("every check stands in docs/reference/doctor.md under its title", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/reference/doctor.md"), "utf8");
  expect([...page.matchAll(/^\| (D-\d\d) \| ([^|]+) \|/gm)].map(([, id, title]) => [id, title])).toEqual(Object.entries(checkTitles));
});

describe("D-01", () => {
  const good: StanzaFacts = {
    contextName: "prod",
    user: { name: "oidc", kubeconfig: undefined, platform: "linux" },
    word: "",
    kubelogin: [],
    migrate: "run: kubectl oidc migrate --context=prod",
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
    ["no apiVersion", { apiVersion: "" }, "fail", /apiVersion is missing/],
    ["kubectl oidc as its command", { command: "kubectl", word: "oidc", resolved: "/usr/bin/kubectl" }, "warn", /runs kubectl oidc: kubectl is started twice.*allow-list/],
    [
      "kubelogin by kubectl",
      { command: "kubectl", word: "oidc-login", resolved: "/usr/bin/kubectl", kubelogin: ["/krew/kubectl-oidc_login"] },
      "warn",
      /which is kubelogin \(\/krew/,
    ],
    [
      "us by kubelogin's name",
      { command: "kubectl", word: "oidc-login", resolved: "/usr/bin/kubectl", kubelogin: ["/usr/bin/kubectl-oidc"] },
      "warn",
      /^the stanza runs kubectl oidc-login: kubectl/,
    ],
    ["kubelogin by kubectl, which is gone", { command: "kubectl", word: "oidc-login", resolved: "/usr/bin/kubectl" }, "fail", /no kubectl-oidc_login/],
    ["kubelogin itself", { command: "kubelogin", resolved: "/usr/bin/kubelogin" }, "warn", /not this program/],
    ["our script by node", { command: "node", word: "kubectl-oidc.cjs", resolved: "/usr/bin/node" }, "ok", /runs node/],
    ["a command that is missing", { resolved: undefined }, "fail", /no such program/],
    ["a client certificate", { competing: ["client-certificate-data"] }, "fail", /client certificate too/],
  ])("%s", (_, change, status, detail) => expect(checkStanza({ ...good, ...change })).toMatchObject({ status, detail: says(detail) }));
  it.each<[string, Partial<StanzaFacts>, string]>([
    [
      "v1beta1",
      { apiVersion: "client.authentication.k8s.io/v1beta1" },
      "run: kubectl config set-credentials oidc --exec-api-version=client.authentication.k8s.io/v1 --exec-interactive-mode=IfAvailable",
    ],
    ["no cluster info", { provideClusterInfo: false }, "run: kubectl config set-credentials oidc --exec-provide-cluster-info=true"],
    ["a certificate", { competing: ["client-certificate-data"] }, "run: kubectl config unset users.oidc.client-certificate-data; kubectl config unset users.oidc.client-key-data"],
    ["a token file", { competing: ["tokenFile"] }, "run: kubectl config unset users.oidc.tokenFile"],
    ["kubectl as its command", { command: "kubectl", word: "oidc", resolved: "/usr/bin/kubectl" }, "run: kubectl oidc migrate --context=prod"],
  ])("%s has a cure for pasting", (_, change, cure) => expect(checkStanza({ ...good, ...change }).cure).toBe(cure));
  it("is skipped without a context", () => expect(checkStanza(undefined).status).toBe("skipped"));
});

describe("D-02", () => {
  const resolve = (name: string) => (name.startsWith("/") ? name : name === "kubectl-oidc" ? "/usr/bin/kubectl-oidc" : undefined);
  const file = (value: unknown) => checkKuberc({ kind: "file", path: "~/.kube/kuberc", isNamed: false, value }, "kubectl-oidc", resolve);
  it.each<[unknown, string]>([
    [{}, "ok"],
    [{ credentialPluginPolicy: "AllowAll" }, "ok"],
    [{ credentialPluginPolicy: "DenyAll" }, "fail"],
    [{ credentialPluginPolicy: "Sometimes" }, "fail"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ command: "kubectl-oidc" }] }, "ok"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ name: "/usr/bin/kubectl-oidc" }] }, "ok"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ command: "/opt/kubectl-oidc" }, { command: "nowhere" }] }, "fail"],
    [{ credentialPluginPolicy: "Allowlist" }, "fail"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [] }, "fail"],
    [{ credentialPluginPolicy: "AllowAll", credentialPluginAllowlist: [{ command: "kubectl-oidc" }] }, "fail"],
    [{ credentialPluginAllowlist: [{ command: "kubectl-oidc" }] }, "fail"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ command: "kubectl-oidc", name: "kubectl-oidc" }] }, "fail"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ command: "kubectl-oidc" }, { command: "/opt//x" }] }, "fail"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ command: "/usr/bin/../bin/kubectl-oidc" }] }, "fail"],
    [{ credentialPluginPolicy: "Allowlist", credentialPluginAllowlist: [{ command: "kubectl-oidc" }, { command: "../bin/x.y" }] }, "ok"],
    ["text", "warn"],
  ])("%j: %s", (value, status) => expect(file(value).status).toBe(status));
  it("no file, a switch, and what cannot be read deny nothing", () => {
    for (const [facts, status] of [
      [{ kind: "absent" }, "ok"],
      [{ kind: "off" }, "ok"],
      [{ kind: "unreadable", path: "x", isNamed: false }, "warn"],
      // What $KUBERC names must be there.
      [{ kind: "unreadable", path: "x", isNamed: true }, "fail"],
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
    [{}, { NODE_OPTIONS: "--require evil" }, "warn", /NODE_OPTIONS in the stanza's env runs code/],
    [{ NODE_EXTRA_CA_CERTS: "/x" }, {}, "warn", /NODE_EXTRA_CA_CERTS in the environment adds roots/],
    [{}, { LD_PRELOAD: "/x" }, "warn", /LD_PRELOAD .* runs code/],
    [{}, { https_proxy: "http://x" }, "warn", /https_proxy .* proxy/],
    [{}, { HTTPS_PROXY: "http://x" }, "warn", /HTTPS_PROXY .* proxy/],
    [{}, { BROWSER: "x" }, "warn", /BROWSER .* runs a command/],
    [{}, { PATH: "/x" }, "warn", /PATH .* decides which programs/],
    [{}, { XDG_CONFIG_HOME: "/x" }, "warn", /moves the store or the configuration/],
    [{}, { KUBECTL_OIDC_CONFIG: "/x" }, "warn", /moves the store or the configuration/],
    [{}, { DBUS_SESSION_BUS_ADDRESS: "unix:path=/x" }, "warn", /keychain's bus/],
    [{ HOME: "/home/ann", PATH: "/bin", BROWSER: "x", HTTPS_PROXY: "http://x", DBUS_SESSION_BUS_ADDRESS: "x" }, { KUBECTL_OIDC_ACCOUNT: "ann" }, "ok", /nothing/],
    [{}, { HOME: "/tmp/x" }, "warn", /moves the store/],
  ])("%o, stanza %o: %s", (env, stanza, status, detail) => expect(checkEnvironment(env, stanza)).toMatchObject({ status, detail: says(detail) }));
  it("is mended by a command", () => {
    const user: UserEntry = { name: "oidc", kubeconfig: undefined, platform: "linux" };
    expect(checkEnvironment({}, { NODE_OPTIONS: "x", LD_PRELOAD: "y" }, user).cure).toBe(
      "run: kubectl config set-credentials oidc --exec-env=NODE_OPTIONS- --exec-env=LD_PRELOAD-",
    );
    expect(checkEnvironment({ NODE_DEBUG: "http" }, {}, user).cure).toBe("unset NODE_DEBUG");
  });
  it("shows no value", () => expect(JSON.stringify(checkEnvironment({ NODE_OPTIONS: "--secret=x" }, {}))).not.toContain("--secret"));
});

describe("D-04", () => {
  it("names the other hosts that requests and browsers are sent to", () => {
    const metadata = { authorization_endpoint: "https://id.example.com/a", token_endpoint: "https://token.example.net/t", jwks_uri: "https://keys.example.net/k" };
    expect(checkDiscovery("https://id.example.com", metadata).detail).toMatch(/every endpoint is there or at token\.example\.net, keys\.example\.net$/);
    expect(checkDiscovery("https://id.example.com", { token_endpoint: "https://id.example.com/t" }).detail).toMatch(/every endpoint is there$/);
  });
});

describe("D-05 and D-06", () => {
  const asked = (more: Partial<Parameters<typeof checkSupport>[1]> = {}) => ({ grant: "auto", par: "auto" as const, clientKeyFile: undefined, ...more });
  const mustPush = { require_pushed_authorization_requests: true };
  const pushed = { pushed_authorization_request_endpoint: "https://x" };
  it("what there is and what there is not is listed", () => {
    const detail = checkSupport(
      { code_challenge_methods_supported: ["S256"], pushed_authorization_request_endpoint: "https://x", revocation_endpoint: "https://x" },
      asked(),
    ).detail;
    expect(detail).toMatch(/^PKCE S256; has revocation, pushed requests \(PAR\); has no device login, browser logout, offline_access, iss in answers, DPoP$/);
  });
  it.each<[object, string, string]>([
    [{ code_challenge_methods_supported: ["S256"] }, "auto", "ok"],
    [{ code_challenge_methods_supported: ["plain"] }, "auto", "warn"],
    [{}, "auto", "ok"],
    [{}, "device-code", "fail"],
  ])("%j with %s: %s", (metadata, grant, status) => expect(checkSupport({ ...metadata }, asked({ grant })).status).toBe(status));
  it.each<[object, "auto" | "always" | "never", string]>([
    [{ ...mustPush, ...pushed }, "auto", "ok"],
    [{ ...mustPush, ...pushed }, "never", "warn"],
    [mustPush, "auto", "fail"],
    [{}, "always", "fail"],
    [{}, "never", "ok"],
    [pushed, "always", "ok"],
  ])("pushed requests: %j with --par=%s: %s", (metadata, par, status) => expect(checkSupport({ ...metadata }, asked({ par })).status).toBe(status));
  it("an issuer that wants signed requests needs the client's key", () => {
    const metadata = { require_signed_request_object: true };
    expect(checkSupport(metadata, asked())).toMatchObject({ status: "fail", exit: 40, cure: expect.stringContaining("--client-key-file") });
    expect(checkSupport(metadata, asked({ clientKeyFile: "/key.pem" })).status).toBe("ok");
  });
  const key: ClientProof = { method: "private_key_jwt", algorithms: ["ES256"] };
  const certificate = (days: number): ClientProof => ({ method: "tls_client_auth", expiresAt: days * 86_400_000 });
  it.each<[readonly string[] | undefined, ClientProof, string]>([
    [undefined, { method: "none" }, "ok"],
    [undefined, { method: "client_secret" }, "ok"],
    [["none"], { method: "none" }, "ok"],
    [["client_secret_basic"], { method: "none" }, "warn"],
    [["client_secret_post"], { method: "client_secret" }, "ok"],
    [["private_key_jwt"], { method: "client_secret" }, "fail"],
    [undefined, key, "ok"],
    [["private_key_jwt"], key, "ok"],
    [["client_secret_basic"], key, "warn"],
    [undefined, certificate(30), "ok"],
    [["tls_client_auth"], certificate(30), "ok"],
    [["self_signed_tls_client_auth"], certificate(30), "ok"],
    [["tls_client_auth"], certificate(13), "warn"],
    [["client_secret_basic"], certificate(30), "warn"],
    [["tls_client_auth"], { ...key, certificateExpiresAt: 30 * 86_400_000 }, "ok"],
    [["tls_client_auth"], key, "warn"],
  ])("methods %j, %j: %s", (methods, proof, status) => expect(checkClientAuthentication({ token_endpoint_auth_methods_supported: methods }, proof, 0).status).toBe(status));
  it.each([
    [["RS256", "ES256"], "ok", "private_key_jwt, signed with ES256"],
    [["RS256", "PS256"], "warn", "the issuer lists signatures by RS256, PS256, and the client's key makes ES256"],
    [undefined, "ok", "private_key_jwt, signed with ES256"],
  ])("signatures %j: %s, %s", (listed, status, detail) =>
    expect(checkClientAuthentication({ token_endpoint_auth_signing_alg_values_supported: listed }, key, 0)).toMatchObject({ status, detail }),
  );
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
    [{ aud: "kubernetes", azp: "kubernetes", iat: 0, exp: 3600 }, "ok"],
    [{ aud: "kubernetes", azp: "other", iat: 0, exp: 3600 }, "warn"],
    [{ iat: 0, exp: 3600 }, "fail"],
    [{ aud: "kubernetes" }, "fail"],
  ])("%j: %s", (claims, status) => expect(checkAudience({ ...claims }, "kubernetes").status).toBe(status));
  it("the audience that was asked for is the one that is expected", () => {
    expect(checkAudience({ aud: "https://prod", iat: 0, exp: 3600 }, "kubernetes", ["https://prod"]).status).toBe("ok");
    expect(checkAudience({ aud: "kubernetes", iat: 0, exp: 3600 }, "kubernetes", ["https://prod"])).toMatchObject({
      status: "warn",
      detail: says(/for kubernetes, not for the audience https:\/\/prod/),
    });
  });
  it.each<[object, string, RegExp]>([
    [{ sub: "ann", groups: ["a"] }, "ok", /^ann, 1 group$/],
    [{ sub: "ann" }, "warn", /no groups/],
    [{ sub: "ann", groups_direct: ["a", "b"] }, "ok", /^ann, 2 groups in the claim groups_direct, which the API server must be told$/],
    [{ sub: "ann", "https://example.com/groups": ["a"] }, "ok", /1 group in the claim https:\/\/example.com\/groups/],
    [{ sub: "ann", "https://example.com/groupsize": ["a"], roles: 7 }, "warn", /no groups/],
    [{ sub: "ann", groups: [{ id: 1 }] }, "warn", /no list of texts/],
    [{ sub: "ann", _claim_names: { groups: "x" } }, "fail", /overage/],
    [{ sub: "ann", hasgroups: true }, "fail", /overage/],
    [{ sub: "ann", groups: [], email: "a@b", email_verified: false }, "warn", /email_verified/],
    [{ sub: "ann", groups: [], email: "a@b" }, "ok", /a@b/],
  ])("%j: %s", (claims, status, detail) => expect(checkNames({ ...claims })).toMatchObject({ status, detail: says(detail) }));
  it("jti, size", () => {
    expect([checkJti({ jti: "x" }).status, checkJti({}).status, checkSize("x").status, checkSize("x".repeat(8_000)).status]).toEqual(["ok", "warn", "ok", "warn"]);
  });
  it("keys", () => {
    expect(checkKeys([], "a", undefined).status).toBe("fail");
    expect(checkKeys(["a"], undefined, undefined)).toEqual({ status: "ok", detail: "1 key" });
    expect(checkKeys(["a"], "a", true)).toMatchObject({ status: "ok", detail: says(/signature holds/) });
    expect(checkKeys(["b"], "a", false)).toMatchObject({ status: "warn", detail: says(/\(a\) is not among them/) });
    expect(checkKeys(["a"], "a", false)).toMatchObject({ status: "fail", detail: says(/holds under none/) });
    // A key without a name may be anybody's.
    expect([checkKeys([undefined], "a", true).status, checkKeys([undefined], undefined, false).status]).toEqual(["ok", "fail"]);
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
  it("the server sees no groups though the token holds some", () => {
    const none = { ...user, groups: ["system:authenticated"] };
    expect(checkReview({ kind: "seen", user: none }, { groups: ["a", "b"] }, [])).toMatchObject({
      status: "warn",
      detail: says(/0 groups, and the token holds 2/),
      cure: says(/groups-claim/),
    });
    expect(checkReview({ kind: "seen", user: none }, { groups: [] }, []).status).toBe("ok");
  });
  it.each<[string, Partial<Parameters<typeof suspectsOf>[0]>, readonly CheckId[]]>([
    ["nothing", {}, []],
    ["the algorithm", { header: { alg: "EdDSA" } }, ["D-07"]],
    ["the audience", { claims: { aud: "other", exp: 1 } }, ["D-08"]],
    ["the clock", { clock: failed("ENVIRONMENT_UNSAFE", "x") }, ["D-13"]],
    ["a key that the issuer has replaced", { keys: warn("2 keys, and the token's (a) is not among them") }, ["D-12"]],
    ["the e-mail address", { claims: { aud: "k", exp: 1, email: "a@b", email_verified: false } }, ["D-09"]],
    ["the groups", { claims: { aud: "k", exp: 1, groups: [{ id: 1 }] } }, ["D-09"]],
    ["the size", { text: "x".repeat(8_000) }, ["D-11"]],
    ["an algorithm that only some refuse, last", { header: { alg: "ES256" }, text: "x".repeat(8_000) }, ["D-11", "D-07"]],
    ["not a token without groups, which no server refuses", { claims: { aud: "k", exp: 1 } }, []],
  ])("suspects %s", (_, change, expected) => {
    const token = { text: "x", header: { alg: "RS256" }, claims: { aud: "k", exp: 1 }, clientId: "k", audiences: [], clock: ok("right"), keys: ok("2 keys"), ...change };
    expect(suspectsOf(token).map(({ check }) => check)).toEqual(expected);
  });
  it("ranks the causes of a refusal: what was seen here first", () => {
    const claims = { iss: "https://id", aud: ["a", "b"] };
    expect(checkReview({ kind: "refused" }, claims, [])).toMatchObject({ exit: 40, detail: says(/likely: it trusts another issuer than https:\/\/id .*audience than a, b/) });
    const found = checkReview({ kind: "refused" }, claims, [{ check: "D-13", text: "the clock" }]);
    expect(found).toMatchObject({ detail: says(/likely: the clock\. Else it trusts .*CEL.*cannot reach the issuer/), blames: "D-13" });
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
  const program: ProgramFacts = { own: "/a", copies: ["/a"], shadows: [], kubelogin: [], completion: ["/c"], version: "1.0.0", runtime: "Node 24.1.0" };
  it.each<[string, Partial<ProgramFacts>, string, RegExp]>([
    ["is good", {}, "ok", /^kubectl-oidc 1\.0\.0 on Node 24\.1\.0: \/a; kubectl completes it$/],
    ["completion that is not installed", { completion: [] }, "ok", /kubectl_complete-oidc is not on the PATH/],
    ["another copy", { copies: ["/a", "/b"] }, "warn", /other copies.*\/b/],
    ["an old Node", { runtime: "Node 20.20.0" }, "warn", /Node 20/],
    ["not on the PATH", { copies: [] }, "warn", /not on the PATH/],
    [
      "a program that kubectl finds first",
      { shadows: [{ command: "login", path: "/b/kubectl-oidc-login" }] },
      "warn",
      /kubectl oidc login starts \/b\/kubectl-oidc-login and not this program/,
    ],
    ["a link of such a name to us", { shadows: [{ command: "login", path: "/a" }] }, "ok", /kubectl-oidc/],
    ["kubelogin", { kubelogin: ["/k"] }, "warn", /kubelogin is still there: \/k/],
    ["a link of kubelogin's name to us", { kubelogin: ["/a"] }, "ok", /kubectl-oidc/],
  ])("%s", (_, change, status, detail) => expect(checkProgram({ ...program, ...change })).toMatchObject({ status, detail: says(detail) }));
});

describe("D-22", () => {
  it.each<[string | undefined, string, RegExp]>([
    [undefined, "warn", /no kubectl/],
    ["v1.36.2", "ok", /^v1\.36\.2$/],
    ["v1.32.4-dispatcher", "ok", /begin with 1\.35/],
    ["v1.25.0", "warn", /completes no plugins/],
    ["v1.21.9", "fail", /does not know client\.authentication/],
    ["devel", "ok", /^devel$/],
  ])("kubectl %s: %s", (version, status, detail) => expect(checkKubectl(version)).toMatchObject({ status, detail: says(detail) }));
});

describe("D-17", () => {
  const good: NetworkFacts = {
    proxies: [],
    roots: { bundle: "/etc/ssl/cert.pem", insteadOfSystem: undefined, extra: undefined },
    added: [],
    insecure: false,
    notCounted: [],
  };
  const roots = (change: Partial<NetworkFacts["roots"]>) => ({ roots: { ...good.roots, ...change } });
  it.each<[string, Partial<NetworkFacts>, string, RegExp]>([
    ["no proxy, the system's roots", {}, "ok", /^no proxy; trusted: Node's roots, the system's \(\/etc\/ssl\/cert\.pem\)$/],
    ["a system without roots", roots({ bundle: undefined }), "ok", /the system's \(none found\)/],
    ["SSL_CERT_FILE", roots({ insteadOfSystem: 2 }), "ok", /2 certificates of SSL_CERT_FILE in place of the system's/],
    ["NODE_EXTRA_CA_CERTS", roots({ extra: 1 }), "ok", /1 certificate of NODE_EXTRA_CA_CERTS/],
    ["one that brings nothing", roots({ extra: 0 }), "warn", /NODE_EXTRA_CA_CERTS names no file with certificates/],
    ["added authorities", { added: ["/etc/company.pem"] }, "ok", /\/etc\/company\.pem$/],
    ["no checks at all", { insecure: true }, "warn", /is not checked/],
    ["a proxy", { proxies: [{ sentence: "x is reached through y", isInTheWay: false }] }, "ok", /^x is reached through y; trusted/],
    ["a proxy in the way", { proxies: [{ sentence: "x is reached through y", isInTheWay: true }] }, "warn", /through y, and cannot be reached: it may be in the way/],
    ["what strict passes over", { notCounted: ["SSL_CERT_FILE"] }, "ok", /does not count SSL_CERT_FILE/],
  ])("%s", (_, change, status, detail) => expect(checkNetwork({ ...good, ...change })).toMatchObject({ status, detail: says(detail) }));
});
