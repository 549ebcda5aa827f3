import { describe, expect, it } from "vitest";
import { otherLogins, stanzaProgram, stanzaVariables } from "../../src/core/stanza-program.ts";

const of = (command: unknown, ...args: readonly unknown[]) => stanzaProgram({ command, args });

describe("the program of a stanza", () => {
  it.each([
    ["kubectl-oidc", ["get-token", "a"], "ours", "", ["a"]],
    ["/usr/local/bin/kubectl-oidc", ["oidc-login", "get-token", "a"], "ours", "oidc-login", ["a"]],
    ["C:\\tools\\kubectl-oidc.exe", ["get-token"], "ours", "", []],
    ["kubectl", ["oidc", "get-token", "a"], "ours", "oidc", ["a"]],
    ["node", ["/opt/kubectl-oidc.cjs", "get-token", "a"], "ours", "/opt/kubectl-oidc.cjs", ["a"]],
    ["kubectl-oidc", ["-v1", "--oidc-issuer-url", "get-token", "--force-refresh", "get-token", "a"], "ours", "", ["-v1", "--oidc-issuer-url", "get-token", "--force-refresh", "a"]],
    ["kubectl", ["oidc", "-v", "1", "get-token", "a", "--", "b"], "ours", "oidc", ["-v", "1", "a", "--", "b"]],
    ["kubectl", ["oidc-login", "--v=1", "get-token", "a"], "kubelogin", "oidc-login", ["--v=1", "a"]],
    ["kubectl", ["oidc-login", "get-token", "a"], "kubelogin", "oidc-login", ["a"]],
    ["kubelogin", ["get-token", "a"], "kubelogin", "", ["a"]],
    ["/home/ann/.krew/bin/kubectl-oidc_login", ["get-token", "a"], "kubelogin", "", ["a"]],
    ["kubelogin", ["get-token", "--server-id", "x"], "azure", "", ["--server-id", "x"]],
  ] as const)("%s %j is %s", (command, args, kind, word, rest) => expect(of(command, ...args)).toEqual({ kind, word, args: rest }));

  it.each([
    ["kubectl-oidc", ["login"]],
    ["kubectl-oidc", ["sh", "-c", "get-token"]],
    ["kubectl", ["oidc-login", "x", "get-token"]],
    ["kubectl-oidc", ["--oidc-issuer-url", "get-token"]],
    ["kubectl-oidc", ["--", "get-token"]],
    ["node", ["/opt/kubectl-oidc.cjs"]],
  ] as const)("%s %j has no arguments that it would read", (command, args) => expect(of(command, ...args)?.args).toBeUndefined());

  it.each([
    ["kubectl", ["get", "get-token"]],
    ["aws", ["eks", "get-token"]],
    ["node", ["/opt/other.cjs", "get-token"]],
    ["kubectl-oidc-evil", ["get-token"]],
    [7, ["get-token"]],
    [undefined, [{ toString: 9 }]],
  ] as const)("%s %j is another's", (command, args) => expect(of(command, ...args)).toBeUndefined());
});

it("a user's other logins are those that say something", () => {
  expect(otherLogins({ exec: {}, token: "", username: "ann", "auth-provider": null, "client-certificate-data": "x" })).toEqual(["client-certificate-data", "username"]);
});

it("the variables of a stanza are pairs of texts", () => {
  expect(stanzaVariables([{ name: "A", value: "1" }, { name: "B" }, null, { name: 7, value: "x" }])).toEqual({ A: "1" });
  expect(stanzaVariables("x")).toEqual({});
});
