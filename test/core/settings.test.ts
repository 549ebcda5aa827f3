import { describe, expect, it } from "vitest";
import { environmentName, optionTable } from "../../src/core/flag-table.ts";
import type { RawOptions } from "../../src/core/option-values.ts";
import { type OptionSource, resolveSettings } from "../../src/core/settings.ts";
import { codeOf } from "../fakes/codes.ts";

const base: RawOptions = { "oidc-issuer-url": ["https://id.example.com"], "oidc-client-id": ["kubernetes"] };
const source = (options: RawOptions, typed = true): OptionSource => ({ label: typed ? "command line" : "environment", typed, options });
const resolve = (options: RawOptions, ...weaker: RawOptions[]) => resolveSettings([source({ ...base, ...options }), ...weaker.map((other) => source(other, false))]);

describe("precedence", () => {
  it("takes each option from the strongest source that says it", () => {
    const settings = resolveSettings([source({ "oidc-client-id": ["flag"] }), source({ ...base, "oidc-client-id": ["env"], account: ["ann"] }, false)]);
    expect(settings).toMatchObject({ issuer: "https://id.example.com", clientId: "flag", account: "ann" });
  });
  it("an empty value hides weaker ones and means the default", () => {
    expect(resolve({ account: [""] }, { account: ["bob"] }).account).toBeUndefined();
  });
  it("judges a weaker source although a stronger one hides it", () => {
    expect(codeOf(() => resolve({ "min-validity": ["1m"] }, { "min-validity": ["soon"] }))).toBe("SETTINGS_INVALID");
  });
});

describe("defaults are the contract's", () => {
  it("of everything", () => {
    expect(resolve({})).toMatchObject({
      grant: "auto",
      listenAddresses: ["127.0.0.1:8000", "127.0.0.1:18000"],
      redirectUrl: undefined,
      authenticationTimeout: 180,
      storage: "keyring",
      idTokenCache: "disk",
      minValidity: 60,
      credentialTtl: 300,
      insecure: false,
      useAccessToken: false,
      nonInteractive: undefined,
      warnings: [],
    });
  });
  it("id-token-cache is none when nothing is stored", () => expect(resolve({ "token-cache-storage": ["none"] }).idTokenCache).toBe("none"));
  it("the port comes from a loopback redirect URL", () => {
    expect(resolve({ "oidc-redirect-url": ["http://localhost:9000/cb"] }).listenAddresses).toEqual(["127.0.0.1:9000"]);
    expect(resolve({ "oidc-redirect-url": ["http://127.0.0.1:0/"] }).listenAddresses).toEqual(["127.0.0.1:0"]);
    expect(resolve({ "oidc-redirect-url": ["https://login.example.com/cb"] }).listenAddresses).toEqual(["127.0.0.1:8000", "127.0.0.1:18000"]);
  });
  it("a user name selects the password grant, as kubelogin does", () => expect(resolve({ username: ["ann"] }).grant).toBe("password"));
  it("scopes are a sorted set without openid", () => expect(resolve({ "oidc-extra-scope": ["groups,email", "email", "openid"] }).scopes).toEqual(["email", "groups"]));
});

describe("what is wrong is named by where it came from", () => {
  it.each<[string, RawOptions]>([
    ["issuer without https", { "oidc-issuer-url": ["http://id.example.com"] }],
    ["issuer with a query", { "oidc-issuer-url": ["https://id.example.com/?a"] }],
    ["discovery document as issuer", { "oidc-issuer-url": ["https://id.example.com/.well-known/openid-configuration"] }],
    ["PKCE switched off", { "oidc-pkce-method": ["no"] }],
    ["plain PKCE", { "oidc-pkce-method": ["plain"] }],
    ["a listener that others reach", { "listen-address": ["0.0.0.0:8000"] }],
    ["a listener without a port", { "listen-address": ["localhost"] }],
    ["a helper with a path in its name", { "token-cache-storage": ["helper:../x"] }],
    ["an unknown store", { "token-cache-storage": ["cloud"] }],
    ["an unknown grant", { "grant-type": ["implicit"] }],
    ["a header with a line break", { "oidc-request-header": ["a=b\r\nc: d"] }],
    ["an issuer with a user name", { "oidc-issuer-url": ["https://u:p@id.example.com"] }],
    ["a landing page with a user name", { "open-url-after-authentication": ["https://good.example.com@evil.example.com/"] }],
    ["a redirect URL with a user name", { "oidc-redirect-url": ["http://u@localhost:8000"] }],
    ["a client that looks like another", { "oidc-client-id": ["kuber\u200bnetes"] }],
    ["an account with a line break", { account: ["ann\nbob"] }],
    ["a path with a terminal's control characters", { "token-cache-dir": ["/tmp/\u009b2J"] }],
    ["a script as landing page", { "open-url-after-authentication": ["javascript:alert(1)"] }],
    ["a browser command with an open quote", { "browser-command": ["'firefox"] }],
    ["a boolean that is none", { "force-refresh": ["maybe"] }],
    ["control characters", { account: ["ann\u001b[2J"] }],
  ])("%s [MK-05]", (_, options) => {
    expect(codeOf(() => resolve(options))).toBe("FLAG_INVALID");
    expect(codeOf(() => resolveSettings([source({ ...base, ...options }, false)]))).toBe("SETTINGS_INVALID");
  });
  it("a missing issuer or client ID is incomplete, whoever asks", () => {
    expect(codeOf(() => resolveSettings([source({})]))).toBe("SETTINGS_INCOMPLETE");
    expect(codeOf(() => resolveSettings([source({ "oidc-issuer-url": ["https://id.example.com"] })]))).toBe("SETTINGS_INCOMPLETE");
  });
  it("half a certificate pair is a conflict", () => expect(codeOf(() => resolve({ "local-server-cert": ["/c"] }))).toBe("FLAG_CONFLICT"));
  it("--allow-non-loopback lets a container listen", () =>
    expect(resolve({ "listen-address": ["0.0.0.0:8000"], "allow-non-loopback": ["true"] }).listenAddresses).toEqual(["0.0.0.0:8000"]));
});

describe("secrets", () => {
  it("never print", () => {
    const settings = resolve({ "oidc-client-secret": ["s3cret-value"], password: ["pa55-value"] });
    expect(JSON.stringify(settings)).not.toMatch(/s3cret-value|pa55-value/);
    expect(`${settings.clientSecret}`).toBe("[redacted]");
    expect(settings.clientSecret?.reveal()).toBe("s3cret-value");
  });
  it("on the command line are warned of", () => expect(resolve({ "oidc-client-secret": ["x"] }).warnings.join()).toMatch(/oidc-client-secret-file/));
});

describe("the option table", () => {
  it("gives every option one environment name", () => {
    const names = optionTable.map((row) => environmentName(row.name));
    expect(new Set(names).size).toBe(names.length);
    expect(environmentName("oidc-issuer-url")).toBe("KUBECTL_OIDC_ISSUER_URL");
  });
  it("lets a cluster say who and for what, and nothing else", () => {
    expect(
      optionTable
        .filter((row) => "fromCluster" in row)
        .map((row) => row.name)
        .sort(),
    ).toEqual(["account", "acr-values", "max-age", "oidc-audience", "oidc-client-id", "oidc-extra-scope", "oidc-issuer-url", "profile"].sort());
  });
});

describe("a certificate authority's data", () => {
  const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  const given = (data: string) => ({ "certificate-authority-data": [data] });

  it("is base64 of PEM, or that itself, words around it and several of them", () => {
    for (const text of [pem("MAA="), `subject=/CN=x\n${pem("MAA=")}${pem("MAEB")}`, pem("MA").replaceAll("\n", "\r\n")])
      for (const data of [text, btoa(text), btoa(text).replace(/=*$/, ""), btoa(text).replace(/.{20}/g, "$&\n")]) expect(resolve(given(data)).caData).toEqual([data]);
  });
  it.each([["AAAA"], ["not base64 at all"], [btoa("-----BEGIN CERTIFICATE-----")], [btoa(pem("c2VjcmV0"))], [btoa(pem("MAA=") + pem("!"))]])(
    "that is %j is refused by where it was said, like any other value (M12), and not quoted",
    (data) => {
      expect(codeOf(() => resolve(given(data)))).toBe("FLAG_INVALID");
      expect(codeOf(() => resolve({}, given(data)))).toBe("SETTINGS_INVALID");
      expect(() => resolve(given(data))).toThrow("--certificate-authority-data must be a certificate in PEM, as base64");
    },
  );
});

describe("harder sessions", () => {
  it("prompt=none is refused by where it was said, in a list too: nobody could log in", () => {
    expect(codeOf(() => resolve({ prompt: ["none"] }))).toBe("FLAG_INVALID");
    expect(codeOf(() => resolve({ prompt: ["login none"] }))).toBe("FLAG_INVALID");
    expect(codeOf(() => resolve({}, { prompt: ["none"] }))).toBe("SETTINGS_INVALID");
    expect(resolve({ prompt: ["login select_account"] }).prompt).toBe("login select_account");
  });
  it("a session lasts a minute at least", () => {
    expect(codeOf(() => resolve({ "session-max-age": ["59s"] }))).toBe("FLAG_INVALID");
    expect(codeOf(() => resolve({}, { "session-max-age": ["0s"] }))).toBe("SETTINGS_INVALID");
    expect(resolve({ "session-max-age": ["1m"] }).sessionMaxAge).toBe(60);
    expect(resolve({}).sessionMaxAge).toBeUndefined();
  });
  it("what the cluster is to see cannot be bound to a key", () => {
    expect(codeOf(() => resolve({ dpop: ["always"], "oidc-use-access-token": ["true"] }))).toBe("FLAG_CONFLICT");
    expect(codeOf(() => resolve({ dpop: ["always"], "oidc-audience": ["a"] }))).toBe("FLAG_CONFLICT");
    for (const dpop of ["auto", "never"]) expect(codeOf(() => resolve({ dpop: [dpop], "oidc-use-access-token": ["true"] }))).toBe("none");
    expect(resolve({ dpop: ["always"] }).dpop).toBe("always");
  });
});

describe("how the client proves itself", () => {
  const key: RawOptions = { "client-key-file": ["/key.pem"], "client-key-id": ["k1"] };
  const secret: RawOptions = { "oidc-client-secret-file": ["/secret"] };

  it("a key replaces a secret of a weaker source, and a secret a key", () => {
    expect(resolve(key, secret)).toMatchObject({ clientKeyFile: "/key.pem", clientKeyId: "k1", clientSecretFile: undefined });
    expect(resolve(secret, key)).toMatchObject({ clientKeyFile: undefined, clientKeyId: undefined, clientSecretFile: "/secret" });
    expect(resolve({ "oidc-client-secret": ["s"] }, key)).toMatchObject({ clientKeyFile: undefined, clientSecret: expect.anything() });
  });
  it("a secret replaces another one of a weaker source, whichever of them is in a file", () => {
    expect(resolve({ "oidc-client-secret": ["s"] }, secret)).toMatchObject({ clientSecret: expect.anything(), clientSecretFile: undefined });
    expect(resolve(secret, { "oidc-client-secret": ["s"] })).toMatchObject({ clientSecret: undefined, clientSecretFile: "/secret" });
  });
  it.each(["oidc-client-secret", "oidc-client-secret-file"] as const)("a key beside --%s of the same source is a contradiction", (name) => {
    expect(codeOf(() => resolve({ ...key, [name]: ["x"] }))).toBe("FLAG_CONFLICT");
    expect(codeOf(() => resolve({}, { ...key, [name]: ["x"] }))).toBe("FLAG_CONFLICT");
  });
  it("an empty secret hides the profile's, and is no contradiction", () => {
    expect(resolve({ ...key, "oidc-client-secret-file": [""] }, secret)).toMatchObject({ clientKeyFile: "/key.pem", clientSecretFile: undefined });
  });
  it("a certificate needs its key, and stands beside a secret or a key", () => {
    const certificate: RawOptions = { "client-certificate": ["/c.pem"], "client-key": ["/k.pem"] };
    expect(codeOf(() => resolve({ "client-certificate": ["/c.pem"] }))).toBe("FLAG_CONFLICT");
    expect(codeOf(() => resolve({ "client-key": ["/k.pem"] }))).toBe("FLAG_CONFLICT");
    expect(resolve({ ...certificate, ...secret })).toMatchObject({ clientCertificate: "/c.pem", clientKey: "/k.pem", clientSecretFile: "/secret" });
    expect(resolve({ ...certificate, ...key })).toMatchObject({ clientCertificate: "/c.pem", clientKeyFile: "/key.pem" });
    expect(resolve({ "client-certificate": ["/c.pem"] }, { "client-key": ["/k.pem"] })).toMatchObject({ clientCertificate: "/c.pem", clientKey: "/k.pem" });
  });
});
