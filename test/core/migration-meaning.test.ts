import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argumentsOf } from "../../src/cli/sources.ts";
import { migrationOf } from "../../src/core/migration.ts";
import { resolveSettings } from "../../src/core/settings.ts";

/** One option as it may stand in a stanza, and what kubelogin makes of it (its pkg/cmd, and pflag's kinds). */
interface Given {
  readonly name: string;
  readonly value: string;
  /** As `--name value`, where pflag takes the next word. */
  readonly inTwo: boolean;
}

const oneOf = (...values: string[]) => fc.constantFrom(...values);
const named = (name: string, value: fc.Arbitrary<string>) => fc.record({ name: fc.constant(name), value, inTwo: fc.boolean() });
const flag = (name: string) => fc.record({ name: fc.constant(name), value: oneOf("", "true", "false", "1", "0", "T", "F"), inTwo: fc.constant(false) });

const option: fc.Arbitrary<Given> = fc.oneof(
  named("oidc-issuer-url", oneOf("https://id.example.com", "https://id.example.com/", "https://id.example.com/realms/a")),
  named("oidc-client-id", oneOf("kubernetes", "a=b", "a,b", "--x")),
  named("oidc-client-secret", oneOf("s3cret", "a,b=c", "-s")),
  named("oidc-extra-scope", oneOf("groups", "groups,email", "email", "openid", '"a",b', "offline_access")),
  named("oidc-redirect-url", oneOf("http://localhost:8000/cb", "http://127.0.0.1:9000")),
  named("listen-address", oneOf("127.0.0.1:8000", "127.0.0.1:0,127.0.0.1:9", "0.0.0.0:8000", "0.0.0.0:1,127.0.0.1:2", "localhost:7")),
  named("certificate-authority", oneOf("/etc/ca.pem", "/etc/a,b.pem", '/etc/"q".pem', "~/ca.pem")),
  named("certificate-authority-data", oneOf(...["MAA=", "MAEB"].map((body) => btoa(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`)))),
  named("oidc-request-header", oneOf("x-a=1", "x-a=1,x-b=2", "x-c=1,2")),
  named("oidc-auth-request-extra-params", oneOf("prompt=consent", "a=1,b=2", "a=x,y")),
  named("grant-type", oneOf("auto", "authcode", "authcode-keyboard", "device-code", "password", "client-credentials")),
  named("username", oneOf("ann", "bob")),
  named("browser-command", oneOf("firefox", "/opt/chrome")),
  named("authentication-timeout-sec", oneOf("60", "300")),
  named("open-url-after-authentication", oneOf("https://done.example.com")),
  named("oidc-pkce-method", oneOf("auto", "S256", "no")),
  named("token-cache-dir", oneOf("/x")),
  named("v", oneOf("1", "4")),
  flag("oidc-use-access-token"),
  flag("insecure-skip-tls-verify"),
  flag("skip-open-browser"),
  flag("force-refresh"),
  flag("oidc-use-pkce"),
  flag("tls-renegotiation-once"),
);

const wordsFor = ({ name, value, inTwo }: Given) => (value === "" ? [`--${name}`] : inTwo ? [`--${name}`, value] : [`--${name}=${value}`]);

/** What kubelogin reads: the last of a text, all of a list (StringSlice: CSV), each of an array as it is, pairs over pairs. */
function documented(given: readonly Given[]) {
  const all = (name: string) => given.filter((one) => one.name === name).map(({ value }) => value);
  const last = (name: string) => all(name).at(-1);
  const isOn = (name: string) => ["", "true", "1", "T"].includes(last(name) ?? "false");
  const csv = (text: string) => (text.startsWith('"') ? ["a", "b"] : text.split(","));
  const pairs = (name: string) =>
    Object.fromEntries(
      all(name)
        .flatMap((text) => (text.split("=").length > 2 ? text.split(",") : [text]))
        .map((pair) => pair.split(/=(.*)/s).slice(0, 2)),
    );
  const addresses = all("listen-address").flatMap(csv);
  const reachable = addresses.filter((address) => !address.startsWith("0.0.0.0"));
  const grant = last("grant-type") ?? "auto";
  return {
    issuer: last("oidc-issuer-url"),
    clientId: last("oidc-client-id"),
    clientSecretFile: last("oidc-client-secret") === undefined ? undefined : "/kept",
    clientSecret: undefined,
    scopes: [...new Set(all("oidc-extra-scope").flatMap(csv))].filter((scope) => scope !== "openid").sort(),
    redirectUrl: last("oidc-redirect-url"),
    ...(reachable.length === 0 ? {} : { listenAddresses: reachable }),
    caFiles: all("certificate-authority"),
    caData: all("certificate-authority-data"),
    requestHeaders: pairs("oidc-request-header"),
    extraParams: pairs("oidc-auth-request-extra-params"),
    grant: grant === "auto" && last("username") !== undefined ? "password" : grant,
    username: last("username"),
    browserCommand: last("browser-command"),
    authenticationTimeout: Number(last("authentication-timeout-sec") ?? 180),
    openAfter: last("open-url-after-authentication"),
    useAccessToken: isOn("oidc-use-access-token"),
    insecure: isOn("insecure-skip-tls-verify"),
    skipOpenBrowser: isOn("skip-open-browser"),
    forceRefresh: isOn("force-refresh"),
    cacheDirectory: undefined,
  };
}

describe("a stanza that was taken over", () => {
  it("means what kubelogin read in it", () => {
    const must: readonly Given[] = [
      { name: "oidc-issuer-url", value: "https://first.example.com", inTwo: false },
      { name: "oidc-client-id", value: "first", inTwo: true },
    ];
    fc.assert(
      fc.property(fc.array(option, { maxLength: 14 }), (more) => {
        const given = [...must, ...more];
        const user = { exec: { command: "kubectl", args: ["oidc-login", "get-token", ...given.flatMap(wordsFor)] } };
        const migration = migrationOf(user, { secretPath: () => "/kept", absolute: (path) => path });
        if (migration === undefined || !("tokens" in migration)) throw new Error(`not carried over: ${JSON.stringify(migration)}`);
        const settings = resolveSettings([argumentsOf(migration.args.slice(1), "user ann")]);
        const wanted = documented(given);
        const found = Object.fromEntries(Object.keys(wanted).map((name) => [name, settings[name as keyof typeof settings]]));
        expect({ ...found, requestHeaders: { ...settings.requestHeaders }, extraParams: { ...settings.extraParams } }).toEqual(wanted);
      }),
      { numRuns: 600 },
    );
  });
});
