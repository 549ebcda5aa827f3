import { expect, it } from "vitest";
import { maskSecrets, withoutSecrets } from "../../src/adapters/kubeconfig-mask.ts";

const text = `users:
- name: admin
  user:
    token: aaa-1 # the token
    tokenFile: /run/token
    client-key-data: |
      aaa-2
      aaa-3
    username: ann
    password: 'aaa-4'
- name: old
  user:
    auth-provider:
      name: oidc
      config: {client-id: kubernetes, client-secret: aaa-5, id-token: aaa-6, refresh-token: "aaa-7", idp-issuer-url: https://id.example.com}
- name: exec
  user:
    exec:
      command: kubelogin
      args: [get-token, --oidc-client-secret=aaa-8, --password, aaa-9, --oidc-client-secret-file=/run/secret, --oidc-request-header=x=aaa-10, --token-cache-dir=/cache, --client-secret, aaa-11]
      env:
      - name: KUBECTL_OIDC_CLIENT_SECRET
        value: aaa-12
      - name: AAD_SERVICE_PRINCIPAL_CLIENT_SECRET
        value: aaa-13
      - name: HTTPS_PROXY
        value: http://ann:aaa-15@proxy.example.com:3128
      - name: AWS_PROFILE
        value: prod
clusters:
- name: c
  cluster: {certificate-authority-data: aaa-14, server: https://k8s.example.com, proxy-url: "socks5://aaa-16@proxy.example.com"}
`;

it("hides every secret of a kubeconfig, and nothing that a reader needs", () => {
  const masked = maskSecrets(text);
  expect(masked).not.toMatch(/aaa-/);
  for (const needed of [
    "# the token",
    "http://[hidden]@proxy.example.com:3128",
    '"socks5://[hidden]@proxy.example.com"',
    "/run/token",
    "kubernetes",
    "https://id.example.com",
    "--oidc-client-secret-file=/run/secret",
    "--token-cache-dir=/cache",
    "value: prod",
    "--oidc-client-secret=[hidden]",
  ])
    expect(masked).toContain(needed);
});

it("leaves the other lines as they are, so that a diff of two shows what changes", () => {
  const lines = maskSecrets(text).split("\n");
  for (const line of ["- name: admin", "    username: ann", "      env:", "      - name: AWS_PROFILE"]) expect(lines).toContain(line);
  expect(maskSecrets("users: []\n")).toBe("users: []\n");
  expect(maskSecrets("")).toBe("");
});

it("hides those of a stanza by itself", () => {
  expect(
    withoutSecrets({
      args: ["get-token", "--oidc-auth-request-extra-params=a=aaa-1", "--account=ann"],
      env: [{ name: "KUBECTL_OIDC_CLIENT_SECRET", value: "aaa-2" }],
      installHint: "x: y # token: z",
    }),
  ).toEqual({
    args: ["get-token", "--oidc-auth-request-extra-params=[hidden]", "--account=ann"],
    env: [{ name: "KUBECTL_OIDC_CLIENT_SECRET", value: "[hidden]" }],
    installHint: "x: y # token: z",
  });
});

it.each([
  "# - --oidc-client-secret=aaa-1",
  "#- --client-secret aaa-1",
  "#     token: aaa-1",
  "      # refresh-token: 'aaa-1'",
  "# client-key-data: aaa-1",
  "  - --oidc-client-id=k # was: --oidc-client-secret=aaa-1",
])("hides what was commented out: %s", (line) => {
  const masked = maskSecrets(`users:\n- name: a\n  user:\n    exec:\n      args:\n${line.trimStart().startsWith("#") ? line : `      ${line}`}\n`);
  expect(masked).not.toContain("aaa-1");
  expect(masked).toContain("[hidden]");
});

it("hides in bounded time what a comment or an argument says over and over", () => {
  for (const word of ["token-", "--", "secret", "a"])
    expect(maskSecrets(`users:\n- user:\n    exec:\n      args: ["--${word.repeat(20_000)}!"]\n# ${word.repeat(20_000)}\n`)).toContain("users");
}, 5_000);
