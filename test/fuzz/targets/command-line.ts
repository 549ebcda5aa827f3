import { exactHint } from "../../../src/cli/hints.ts";
import { normaliseArguments } from "../../../src/cli/arguments.ts";
import { readCommandLine } from "../../../src/cli/program.ts";
import type { Machine } from "../../../src/compose.ts";
import { optionRow } from "../../../src/core/flag-table.ts";
import { memoInputs, memoName } from "../../../src/core/memo.ts";
import { isOptionName, type RawOptions } from "../../../src/core/option-values.ts";
import { isObject } from "../../../src/core/session.ts";
import { resolveSettings, type Settings } from "../../../src/core/settings.ts";
import { splitCommand } from "../../../src/core/split-command.ts";
import { shownUrl } from "../../../src/core/untrusted-text.ts";
import { isOidcError, OidcError } from "../../../src/errors/oidc-error.ts";
import { terminalLines } from "../../../src/errors/render.ts";
import { proxyFor } from "../../../src/adapters/proxy.ts";
import { mustHold, type Target } from "../target.ts";

const secret = "CLSQ-0123456789abcdefghij";
const password = "password-fedcba9876543210";

/** What must hold of settings whoever gave them. */
function judgeSettings(settings: Settings): void {
  mustHold(settings.credentialTtl >= 10 && Number.isFinite(settings.credentialTtl), "a credential may be kept for less than ten seconds");
  mustHold(Number.isFinite(settings.minValidity) && settings.minValidity >= 0, "the least validity is no number");
  mustHold(settings.authenticationTimeout > 0 && settings.authenticationTimeout <= 999_999_999, "a login may take no time, or for ever");
  const issuer = new URL(settings.issuer);
  mustHold(issuer.protocol === "https:" || /^(localhost|127\..*|\[::1\])$/.test(issuer.hostname), "an issuer without TLS");
  mustHold(!/CLSQ|fedcba/.test(JSON.stringify([settings.clientSecret, settings.password])), "settings tell a secret");
}

/** Runs with an error's hint made exact, as the program's end does. */
function sayHint(argv: readonly string[], say: (line: string) => void): void {
  const invocation = readCommandLine(argv);
  if (invocation.kind === "help") return;
  const machine = { contexts: () => [] } as unknown as Machine;
  for (const code of ["LOGIN_REQUIRED", "SERVER_NOT_TRUSTED"] as const) {
    const error = new OidcError(code, {});
    const hint = exactHint(error.hint, { machine, argv, invocation, env: {} });
    for (const line of terminalLines(new OidcError(code, { hint }))) say(line);
  }
}

export const commandLine: Target = {
  name: "arguments",
  what: "a command line",
  kind: "text",
  secrets: [secret, password],
  // One argument a line.
  seeds: [
    "get-token\n--oidc-issuer-url=https://id.example.com\n--oidc-client-id=kubernetes\n--oidc-extra-scope=email,groups\n-v1",
    `oidc-login\nget-token\n--oidc-issuer-url\nhttps://id.example.com\n--oidc-client-id\nk\n--oidc-client-secret=${secret}\n--logtostderr\n--stderrthreshold\n2`,
    `get-token\n--oidc-issuer-url=https://id.example.com\n--oidc-client-id=k\n--username=ann\n--password\n${password}\n--grant-type=password`,
    "login\n--context\nprod\n--kubeconfig=~/.kube/config\n-o\njson",
    "trust\nadd\nhttps://k8s.example.com:6443\n--context=prod",
    "logout\n--all\n--sso=true\n-v=8",
    "token\n-ojson\n--force-refresh=false\n--min-validity=1h30m\n--credential-ttl=90s",
    "get-token\n--oidc-auth-request-extra-params=a=b,c=d\n--oidc-request-header=x-a=b\n--listen-address=[::1]:0\n--oidc-redirect-url=http://localhost:0/cb",
    "help\nget-token",
    "--version",
    "status\n--token-cache-dir=/x",
    "get-token\n--\n-x",
  ],
  start: () => ({
    run(input, say) {
      const argv = input.toString().split("\n");
      const normal = normaliseArguments(argv);
      mustHold(
        normal.every((arg) => typeof arg === "string"),
        "an argument is no text",
      );
      memoName(memoInputs(argv, { KUBERNETES_EXEC_INFO: "{}" }, "1").open);
      const read = readCommandLine(argv);
      if (read.kind === "help") return read;
      mustHold(Object.keys(read.options).every(isOptionName), "an option that is none");
      sayHint(argv, say);
      const settings = resolveSettings([{ label: "command line", typed: true, options: read.options }]);
      judgeSettings(settings);
      say(shownUrl(settings.issuer));
      return { read, settings: { ...settings, clientSecret: undefined, password: undefined } };
    },
  }),
};

export const optionSources: Target = {
  name: "options",
  what: "the options of a stanza's environment, a cluster or a profile",
  kind: "json",
  secrets: [secret],
  seeds: [
    { "oidc-issuer-url": "https://id.example.com", "oidc-client-id": "k", "oidc-client-secret": secret, "max-age": "60", "acr-values": "mfa" },
    { "oidc-issuer-url": "http://localhost:1", "oidc-client-id": "k", "listen-address": "127.0.0.1:0,[::1]:8000", "oidc-audience": ["a", "b"], account: "ann" },
    { "oidc-issuer-url": "https://id.example.com", "oidc-client-id": "k", "certificate-authority-data": "LS0t\nLS0=", "oidc-request-header": "a=b", "browser-command": "'a b' %s" },
    { "oidc-issuer-url": "https://id.example.com", "oidc-client-id": "k", "token-cache-storage": "helper:pass", "id-token-cache": "none", "grant-type": "device-code", qr: "1" },
  ].map((options) => JSON.stringify(options)),
  start: () => ({
    run(input) {
      const value: unknown = JSON.parse(onlyJson(input));
      if (!isObject(value)) return undefined;
      const options: RawOptions = Object.fromEntries(
        Object.entries(value)
          .filter(([name]) => optionRow(name) !== undefined)
          .map(([name, texts]) => [name, (Array.isArray(texts) ? texts : [texts]).filter((text) => typeof text === "string")]),
      );
      const [typed, foreign] = [true, false].map((isTyped) => codeOrSettings(options, isTyped));
      mustHold(typed?.code !== "SETTINGS_INVALID" && foreign?.code !== "FLAG_INVALID", "an error blames the wrong source");
      const settings = resolveSettings([{ label: "environment", typed: false, options }]);
      judgeSettings(settings);
      return { ...settings, clientSecret: undefined, password: undefined };
    },
  }),
};

function codeOrSettings(options: RawOptions, typed: boolean): { readonly code: string } {
  try {
    resolveSettings([{ label: "x", typed, options }]);
    return { code: "none" };
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { code: error.code };
  }
}

/** The fuzzer's own reading of its input; what is none counts as nothing. */
export function onlyJson(input: Buffer): string {
  try {
    JSON.parse(input.toString());
    return input.toString();
  } catch {
    return "null";
  }
}

export const proxyVariables: Target = {
  name: "proxy",
  what: "a proxy variable",
  kind: "text",
  secrets: ["proxy-password-0123456789"],
  seeds: [
    "http://proxy.example.com:3128\n.internal,10.0.0.0/8,[::1]:80,*",
    "ann:proxy-password-0123456789@proxy.example.com\nexample.com:8443",
    "https://[2001:db8::1]:8\n::/0,fe80::/10",
    "socks5://ann:proxy-password-0123456789@x\n",
  ],
  start: () => ({
    run(input) {
      const [proxy = "", ...noProxy] = input.toString().split("\n");
      for (const address of ["https://id.example.com/x", "https://10.1.2.3/", "https://[2001:db8::2]/", "http://id.example.com/"]) {
        const found = proxyFor(new URL(address), { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: noProxy.join("\n") });
        mustHold(found === undefined || found.protocol === "http:" || found.protocol === "https:", "a proxy of another kind");
      }
    },
  }),
};

export const browserCommand: Target = {
  name: "command",
  what: "a browser command's words",
  kind: "text",
  secrets: [],
  seeds: [`"C:\\Program Files\\x.exe" --new '%s'`, "firefox -P 'a b' \\' \\\\", "\\\\server\\share\\x.exe %s", "'open quote"],
  start: () => ({
    run(input) {
      const words = splitCommand(input.toString());
      mustHold(words === undefined || words.join("").length <= input.toString().length, "words from nowhere");
      return words;
    },
  }),
};
