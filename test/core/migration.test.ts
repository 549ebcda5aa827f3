import { describe, expect, it } from "vitest";
import { type Carried, type Migration, migrationOf } from "../../src/core/migration.ts";
import { kubeloginTakesValue, stanzaWords } from "../../src/core/stanza-words.ts";

const place = { secretPath: (issuer: string, clientId: string) => `/kept/${new URL(issuer).host}-${clientId}`, absolute: (path: string) => `/folder/${path}` };
const of = (user: Readonly<Record<string, unknown>>) => migrationOf(user, place);
const session = ["--oidc-issuer-url=https://id.example.com", "--oidc-client-id=kubernetes"];
const kubelogin = (...more: string[]) => ({ exec: { command: "kubectl", args: ["oidc-login", "get-token", ...session, ...more] } });
function carried(migration: Migration): Carried {
  if (migration === undefined || !("tokens" in migration)) throw new Error(`not carried over: ${JSON.stringify(migration)}`);
  return migration;
}
const argsOf = (...more: string[]) => carried(of(kubelogin(...more))).args.slice(3);
const lossesOf = (...more: string[]) => carried(of(kubelogin(...more))).losses;

describe("which users concern us", () => {
  it.each([
    ["kubectl", ["oidc-login", "get-token", ...session]],
    ["kubelogin", ["get-token", ...session]],
    ["kubectl-oidc_login", ["get-token", ...session]],
    ["/usr/local/bin/kubelogin", ["get-token", ...session]],
    ["C:\\tools\\kubelogin.exe", ["get-token", ...session]],
    ["/home/ann/.krew/bin/kubectl-oidc_login", ["oidc-login", "get-token", ...session]],
  ])("%s is kubelogin", (command, args) => {
    expect(of({ exec: { command, args } })).toMatchObject({ kind: "kubelogin", args: ["get-token", ...session] });
  });

  it.each([
    ["kubectl-oidc", ["get-token", ...session]],
    ["/opt/kubectl-oidc", ["oidc-login", "get-token", ...session]],
    ["kubectl", ["oidc", "get-token", ...session]],
    ["node", ["/x/kubectl-oidc.cjs", "get-token", ...session]],
  ])("%s %j is ours", (command, args) => {
    expect(of({ exec: { command, args } })).toEqual({ kind: "ours", args: session, env: {} });
  });

  it.each([
    ["another plugin", { exec: { command: "aws", args: ["eks", "get-token"] } }],
    ["a certificate", { "client-certificate-data": "x" }],
    ["a token", { token: "x" }],
    ["kubectl's own command", { exec: { command: "kubectl", args: ["get-token"] } }],
    ["nothing", {}],
    ["no text as command", { exec: { command: 7, args: "get-token" } }],
  ])("%s does not", (_, user) => {
    expect(of(user)).toBeUndefined();
  });

  it("another auth-provider is named and left", () => {
    expect(of({ "auth-provider": { name: "gcp" } })).toEqual({ kind: "other", problem: "its auth-provider gcp is not that of OpenID Connect" });
  });

  it("kubelogin without get-token, or with another word before it, is left; with flags before it, it is not", () => {
    expect(of({ exec: { command: "kubelogin", args: ["setup"] } })).toEqual({ kind: "kubelogin", problem: "its args do not begin with get-token" });
    expect(of({ exec: { command: "kubelogin", args: ["x", "get-token", ...session] } })).toMatchObject({ problem: expect.any(String) });
    expect(of({ exec: { command: "kubelogin", args: ["-v1", "get-token", ...session] } })).toMatchObject({ kind: "kubelogin", args: ["get-token", "-v1", ...session] });
  });

  it.each(["token", "tokenFile", "client-certificate", "client-certificate-data", "username", "auth-provider"])("a user with another login beside it is left: %s", (name) => {
    expect(of({ ...kubelogin(), [name]: name === "auth-provider" ? { name: "oidc" } : "x" })).toMatchObject({ kind: "kubelogin", problem: expect.stringContaining(name) });
  });

  it("an empty login beside it is none", () => {
    expect(of({ ...kubelogin(), token: "", "client-certificate": null })).toMatchObject({ kind: "kubelogin", args: ["get-token", ...session] });
  });

  it("Azure's program is told from kubelogin by its --server-id", () => {
    const user = {
      exec: {
        command: "kubelogin",
        args: ["get-token", "--server-id=s", "--client-id=c", "--tenant-id=9c0b5e4e-0000-0000-0000-000000000001"],
        env: [
          { name: "AZURE_X", value: "1" },
          { name: "HTTPS_PROXY", value: "p" },
        ],
      },
    };
    expect(of(user)).toMatchObject({ kind: "azure", env: [{ name: "HTTPS_PROXY", value: "p" }], tokens: { at: "elsewhere" } });
    expect(of({ exec: { command: "kubelogin", args: ["get-token", "--server-id", "s", "--login", "spn"] } })).toEqual({
      kind: "azure",
      problem: expect.stringContaining("service principal"),
    });
  });
});

describe("kubelogin's args", () => {
  it("stay as they are written", () => {
    const more = [
      "--oidc-extra-scope",
      "groups,email",
      "--grant-type=device-code",
      "--force-refresh",
      "-v1",
      "--token-cache-storage=disk",
      "--listen-address=127.0.0.1:9",
      "--oidc-pkce-method=S256",
      "x",
    ];
    expect(argsOf(...more)).toEqual(more);
    expect(lossesOf(...more)).toEqual([]);
  });

  it.each<[string, readonly string[], readonly string[], string]>([
    ["a login without PKCE", ["--oidc-pkce-method=no"], [], "PKCE"],
    ["a login without PKCE, in two words", ["--oidc-pkce-method", "no", "-v1"], ["-v1"], "PKCE"],
    ["the former switch of PKCE", ["--oidc-use-pkce"], [], "PKCE"],
    ["a callback that others reach", ["--listen-address=0.0.0.0:8000"], [], "0.0.0.0:8000"],
    ["one of two such", ["--listen-address=0.0.0.0:8000,127.0.0.1:8000"], ["--listen-address=127.0.0.1:8000"], "0.0.0.0:8000"],
    ["klog's flags", ["--log-file", "/x", "--logtostderr"], [], "--log-file, --logtostderr"],
    ["renegotiation", ["--tls-renegotiation-freely", "-v1"], ["-v1"], "--tls-renegotiation-freely"],
    ["the folder of its cache", ["--token-cache-dir=/x"], [], "--token-cache-dir"],
  ])("lose %s, and say so once", (_, given, left, said) => {
    expect(argsOf(...given)).toEqual(left);
    expect(lossesOf(...given, ...given)).toEqual([expect.stringContaining(said)]);
  });

  it("keep a callback that others reach when that is allowed", () => {
    expect(argsOf("--listen-address=0.0.0.0:8000", "--allow-non-loopback")).toEqual(["--listen-address=0.0.0.0:8000", "--allow-non-loopback"]);
  });

  it.each([[["--oidc-client-secret=s3cret"]], [["--oidc-client-secret", "s3cret"]], [["--oidc-client-secret=old", "--oidc-client-secret=s3cret"]]])(
    "have their client secret in a file: %j",
    (given) => {
      const migration = carried(of(kubelogin(...given, "-v1")));
      expect(migration.args.slice(3)).toEqual(["--oidc-client-secret-file=/kept/id.example.com-kubernetes", "-v1"]);
      expect(migration.clientSecret).toBe("s3cret");
      expect(JSON.stringify([migration.kept, migration.args, migration.losses])).not.toContain("s3cret");
      expect(migration.kept).toEqual({ exec: { command: "kubectl", args: ["oidc-login", "get-token", ...session, "-v1"] } });
    },
  );

  it.each<[readonly string[], object]>([
    [[], { at: "cache", folders: [], cacheRoots: [], proof: { names: expect.any(Array), doubt: undefined, obstacle: undefined } }],
    [["--token-cache-storage=disk", "--token-cache-dir=/x"], { at: "cache", folders: ["/x"], cacheRoots: [], proof: expect.anything() }],
    [["--token-cache-storage", "keyring"], { at: "elsewhere", reason: expect.stringContaining("keychain") }],
    [["--token-cache-storage=none"], { at: "nowhere" }],
  ])("%j tell where its tokens are", (given, tokens) => {
    expect(carried(of(kubelogin(...given))).tokens).toEqual(tokens);
  });

  it("lose the variable that moves its cache, and no other", () => {
    const user = {
      exec: {
        ...kubelogin().exec,
        env: [
          { name: "KUBECACHEDIR", value: "/c" },
          { name: "HTTPS_PROXY", value: "p" },
        ],
      },
    };
    expect(of(user)).toMatchObject({ env: [{ name: "HTTPS_PROXY", value: "p" }], tokens: { cacheRoots: ["/c"] }, losses: [expect.stringContaining("KUBECACHEDIR")] });
  });
});

describe("the auth-provider oidc", () => {
  const user = (config: Readonly<Record<string, unknown>>) => ({
    "auth-provider": { name: "oidc", config: { "idp-issuer-url": "https://id.example.com", "client-id": "kubernetes", ...config } },
    extensions: ["kept"],
  });

  it("is said with our options", () => {
    const all = { "extra-scopes": "groups, email,openid", "client-secret": "s3cret", "idp-certificate-authority": "ca.pem", "idp-certificate-authority-data": "QUJD" };
    const migration = carried(of(user(all)));
    expect(migration.args).toEqual([
      "get-token",
      ...session,
      "--oidc-client-secret-file=/kept/id.example.com-kubernetes",
      "--oidc-extra-scope=groups",
      "--oidc-extra-scope=email",
      "--certificate-authority=/folder/ca.pem",
      "--certificate-authority-data=QUJD",
    ]);
    expect(migration).toMatchObject({ clientSecret: "s3cret", tokens: { at: "nowhere" }, rest: { extensions: ["kept"] } });
  });

  it("has an authority whose path holds a comma as one", () => {
    expect(carried(of(user({ "idp-certificate-authority": "a,b.pem" }))).args).toContain('--certificate-authority="/folder/a,b.pem"');
  });

  it("gives its tokens, and what is kept of it has none", () => {
    const migration = carried(of(user({ "refresh-token": "r3fresh", "id-token": "1d", "client-secret": "s3cret" })));
    expect(migration.tokens).toEqual({ at: "kubeconfig", refreshToken: "r3fresh", idToken: "1d" });
    expect(migration.kept).toEqual(user({}));
    expect(migration.rest).toEqual({ extensions: ["kept"] });
  });

  it.each([
    ["idp-issuer-url", user({ "idp-issuer-url": "" })],
    ["client-id", user({ "client-id": 7 })],
    ["idp-issuer-url", { "auth-provider": { name: "oidc", config: null } }],
  ])("without %s is left", (name, value) => {
    expect(of(value)).toEqual({ kind: "auth-provider", problem: `its config does not say ${name}` });
  });

  it("beside another plugin is left", () => {
    expect(of({ ...user({}), exec: { command: "aws", args: [] } })).toMatchObject({ kind: "auth-provider", problem: expect.stringContaining("exec") });
  });
});

describe("args as pflag reads them", () => {
  it.each<[readonly string[], readonly (readonly [string | undefined, string | undefined])[]]>([
    [["--oidc-client-id", "--x"], [["oidc-client-id", "--x"]]],
    [["--oidc-client-id=a=b"], [["oidc-client-id", "a=b"]]],
    [
      ["--force-refresh", "false"],
      [
        ["force-refresh", undefined],
        [undefined, "false"],
      ],
    ],
    [
      ["-v1", "-v=2", "-v", "3", "--v=4"],
      [
        ["v", "1"],
        ["v", "2"],
        ["v", "3"],
        ["v", "4"],
      ],
    ],
    [["--oidc-client-id"], [["oidc-client-id", undefined]]],
    [
      ["--", "--oidc-client-id=x"],
      [
        [undefined, "--"],
        [undefined, "--oidc-client-id=x"],
      ],
    ],
    [
      ["--constructor", "x"],
      [
        ["constructor", undefined],
        [undefined, "x"],
      ],
    ],
  ])("%j", (args, words) => {
    expect(stanzaWords(args, kubeloginTakesValue).map(({ name, value, words: all }) => [name, name === undefined ? all[0] : value])).toEqual(words);
    expect(stanzaWords(args, kubeloginTakesValue).flatMap((word) => word.words)).toEqual(args);
  });
});
