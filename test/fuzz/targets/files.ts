import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseConfig } from "../../../src/adapters/config-text.ts";
import { credentialHelperStore } from "../../../src/adapters/credential-helper.ts";
import { listContexts, loadContext } from "../../../src/adapters/kubeconfig.ts";
import { readHolder } from "../../../src/adapters/lock-file.ts";
import { type LockOwner, thisProcess } from "../../../src/adapters/lock-owner.ts";
import { heldName, parseToken } from "../../../src/adapters/lock-token.ts";
import { addedAuthorities, trustedRoots, variableAuthorities } from "../../../src/adapters/trust-roots.ts";
import { checkStrict } from "../../../src/core/strict.ts";
import { isOidcError } from "../../../src/errors/oidc-error.ts";
import { mustHold, type Target } from "../target.ts";
import { certificate } from "./certificate.ts";
import { plantingSubject } from "./stored.ts";

const clientSecret = "CLSQ-0123456789abcdefghij";
const helperSecret = "HLPQ-0123456789abcdefghij";

const kubeconfig = `apiVersion: v1
kind: Config
current-context: prod
x-base: &base {server: "https://k8s.example.com:6443", insecure-skip-tls-verify: no}
clusters:
- name: prod
  cluster:
    <<: *base
    certificate-authority-data: LS0tLS1CRUdJTg==
    proxy-url: http://u:p@proxy.example.com
    extensions: [{name: client.authentication.k8s.io/exec, extension: {account: ann}}]
contexts:
- {name: prod, context: {cluster: prod, user: oidc}}
users:
- name: oidc
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: /usr/local/bin/kubectl-oidc
      args: [get-token, "--oidc-issuer-url=https://id.example.com", --oidc-client-secret=${clientSecret}]
      env: [{name: KUBECTL_OIDC_ACCOUNT, value: ann}]
- name: other
  user: {token: ${clientSecret}}
`;

export const kubeconfigs: Target = {
  name: "kubeconfig",
  what: "a kubeconfig",
  kind: "text",
  secrets: [clientSecret],
  seeds: [
    kubeconfig,
    JSON.stringify({
      "current-context": "a",
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      clusters: [{ name: "a", cluster: { server: "https://k8s", "certificate-authority": "ca.pem" } }],
      users: [{ name: "a", user: { exec: { command: "kubectl", args: ["oidc-login", "get-token", "--oidc-issuer-url=https://x"] } } }],
    }),
    "a: &a [x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\ncontexts: [*c, *c]\n",
    "%YAML 1.1\n--- !!map\n? contexts\n: []\n...\n---\nsecond: true\n",
    "contexts: !!binary AAAA\nusers: |-\n  x\n",
  ],
  start: () =>
    plantingSubject((plant, folder) => {
      const file = join(folder, "kubeconfig");
      return (input) => {
        plant("kubeconfig", input);
        const all = listContexts({ kubeconfig: file, env: {}, home: folder });
        for (const context of all)
          mustHold(context.args.every((arg) => typeof arg === "string") && Object.values(context.env).every((value) => typeof value === "string"), "no texts");
        loadContext({ kubeconfig: file, env: {}, home: folder });
        return all;
      };
    }),
};

export const configurationFiles: Target = {
  name: "config",
  what: "a configuration file",
  kind: "text",
  secrets: [clientSecret],
  seeds: [
    `strict: true\nallow:\n  oidc-issuer-url: [https://id.example.com]\n  browser-command: firefox\ndefaults:\n  oidc-client-secret: ${clientSecret}\n  oidc-request-header: {x-key: ${clientSecret}}\nprofiles:\n  work: {oidc-client-id: k, qr: true, max-age: 60}\naudit: false\n`,
    '{"strict": false, "defaults": {"account": "ann"}}',
    "a: &a {x: y}\ndefaults: {<<: *a}\n",
    "",
  ],
  start: () => ({
    run(input) {
      const found = parseConfig(input.toString(), "/etc/kubectl-oidc/config.yaml");
      mustHold(typeof found.strict === "boolean" && typeof found.audit === "boolean", "no booleans");
      try {
        checkStrict([{ label: "x", typed: false, options: { "browser-command": ["evil"] } }], {}, true, found.allow);
        mustHold(Object.hasOwn(found.allow, "browser-command") && (found.allow["browser-command"] ?? []).includes("evil"), "strict lets through what no file lists");
      } catch (error) {
        if (!isOidcError(error)) throw error;
      }
      return found;
    },
  }),
};

export const helperAnswers: Target = {
  name: "helper",
  what: "a credential helper's answer",
  kind: "json",
  secrets: [helperSecret],
  seeds: [{ ServerURL: "https://x", Username: "i", Secret: helperSecret }, { Username: "", Secret: "" }, "credentials not found in native keychain", "error: \u001b[31mno"].map(
    (one) => (typeof one === "string" ? one : JSON.stringify(one)),
  ),
  start() {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-fuzz-"));
    const program = join(folder, "docker-credential-fuzz");
    writeFileSync(program, `#!/bin/sh\ncat > /dev/null\ncat '${folder}/answer'\nexec test ! -e '${folder}/fails'\n`);
    chmodSync(program, 0o755);
    const path = process.env["PATH"];
    process.env["PATH"] = [folder, path].join(delimiter);
    const store = credentialHelperStore("fuzz", { deadlineMs: 5_000 });
    return {
      async run(input) {
        writeFileSync(join(folder, "answer"), input);
        // Of the input, so that a replay does the same.
        if (input.length % 2 === 1) writeFileSync(join(folder, "fails"), "");
        else rmSync(join(folder, "fails"), { force: true });
        const found = await store.read("i");
        mustHold(found === undefined || typeof found === "string", "a secret that is no text");
      },
      stop() {
        process.env["PATH"] = path;
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

export const certificates: Target = {
  name: "certificates",
  what: "a bundle of certificates",
  kind: "text",
  secrets: [],
  seeds: [
    certificate,
    `# a comment\n${certificate}\n${certificate.replaceAll("\n", "\r\n")}`,
    Buffer.from(certificate).toString("base64"),
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
  ],
  start: () =>
    plantingSubject((plant, folder) => {
      const file = join(folder, "ca.pem");
      return (input) => {
        plant("ca.pem", input);
        const variables = variableAuthorities({ SSL_CERT_FILE: file, NODE_EXTRA_CA_CERTS: file });
        const fromVariables = addedAuthorities({ caFiles: [], caData: [], insecure: false, variables });
        mustHold(
          fromVariables.trust.authorities.every((digest) => /^[0-9a-f]{64}$/.test(digest)),
          "a digest that is none",
        );
        trustedRoots([], variables);
        const none = { instead: [], extra: [] };
        for (const options of [
          { caFiles: [file], caData: [] },
          { caFiles: [], caData: [input.toString()] },
        ])
          mustHold(addedAuthorities({ ...options, insecure: false, variables: none }).certificates.length > 0, "no certificate and no error");
      };
    }),
};

export const lockNotes: Target = {
  name: "locks",
  what: "a lock's note or a lease's name",
  kind: "text",
  secrets: [],
  seeds: [
    JSON.stringify({ pid: 1, since: 1_700_000_000_000, boot: "b", space: "s" }).padEnd(256),
    heldName({ nonce: "0123456789abcdef", reach: "host-12", owner: { boot: "0".repeat(32), space: "1-2", pid: 7, start: "9" } }, 3),
    "free.0123456789abcdef",
    JSON.stringify({ pid: 1, since: 1e16, boot: "b", space: "s" }),
  ],
  start: () =>
    plantingSubject((plant, folder) => {
      const me: LockOwner = { ...thisProcess(), boot: "b", space: "s" };
      return (input, say) => {
        plant("lock", input);
        const holder = readHolder(join(folder, "lock"), me);
        // As a waiter says it.
        if (holder !== undefined) say(`process ${holder.pid}, since ${new Date(holder.since).toISOString()}`);
        const token = parseToken(input.toString());
        mustHold(token.kind !== "held" || (Number.isSafeInteger(token.holder.owner.pid) && token.holder.owner.pid > 0), "a process that cannot be");
        return { holder, token };
      };
    }),
};
