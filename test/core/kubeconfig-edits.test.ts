import { describe, expect, it } from "vitest";
import { backupWith, entryOf, undone, withContextUser, withEntry, withoutEntry } from "../../src/core/kubeconfig-edits.ts";
import { clusterInfoFits, execStanza, secretOptions, setCredentialsWords, stanzaArguments } from "../../src/core/exec-stanza.ts";

const before = {
  contexts: [
    { name: "admin", context: { cluster: "c", user: "admin" } },
    { name: "prod", context: { cluster: "c", user: "admin", namespace: "n" } },
  ],
  users: [{ name: "admin", user: { token: "x" } }],
};
const setUp = withContextUser(withEntry(before, "users", "oidc-prod", { exec: { command: "kubectl-oidc" } }), "prod", "oidc-prod");
const nobody = () => false;

describe("edits of a kubeconfig's value", () => {
  it("change the one entry, and add one that is not there", () => {
    expect(setUp.users).toEqual([...before.users, { name: "oidc-prod", user: { exec: { command: "kubectl-oidc" } } }]);
    expect(entryOf(setUp, "contexts", "prod")).toEqual({ cluster: "c", user: "oidc-prod", namespace: "n" });
    expect(entryOf(withEntry({}, "users", "a", { token: "t" }), "users", "a")).toEqual({ token: "t" });
  });
  it("give the very same value back when nothing changes", () => {
    expect(withEntry(before, "users", "admin", { token: "x" })).toBe(before);
    expect(withContextUser(before, "prod", "admin")).toBe(before);
    expect(withContextUser(before, "none", "admin")).toBe(before);
    expect(withoutEntry(before, "users", "none")).toBe(before);
  });
  it("pass over what is no entry", () => {
    expect(entryOf({ users: "x" }, "users", "a")).toBeUndefined();
    expect(entryOf({ users: [null, 7, { name: "a" }, { name: "a", user: { token: "t" } }] }, "users", "a")).toEqual({ token: "t" });
  });
});

describe("the way back", () => {
  it("gives the former value", () => {
    expect(undone(setUp, before, "prod", nobody)).toEqual(before);
  });
  it("leaves another's change alone, and a user of ours that another context uses", () => {
    const changed = withContextUser({ ...setUp, "current-context": "admin" }, "admin", "oidc-prod");
    const back = undone(changed, before, "prod", (user) => user === "oidc-prod");
    expect(entryOf(back, "contexts", "prod")?.["user"]).toBe("admin");
    expect(entryOf(back, "users", "oidc-prod")).toBeDefined();
    expect(back["current-context"]).toBe("admin");
  });
  it("gives a stanza that was changed in its place its former text", () => {
    const kubelogin = withEntry(before, "users", "admin", { exec: { command: "kubectl", args: ["oidc-login", "get-token"] } });
    expect(undone(withEntry(kubelogin, "users", "admin", { exec: { command: "kubectl-oidc" } }), kubelogin, "prod", nobody)).toEqual(kubelogin);
  });
  it("takes away a user of a context that had none, and a list that we began", () => {
    for (const bare of [{ contexts: [{ name: "prod", context: { cluster: "c" } }] }, { contexts: [{ name: "prod", context: { cluster: "c" } }], users: null }]) {
      const done = withContextUser(withEntry(bare, "users", "oidc-prod", { exec: {} }), "prod", "oidc-prod");
      expect(undone(done, bare, "prod", nobody)).toEqual(bare);
    }
    const empty = { contexts: [{ name: "prod", context: { cluster: "c" } }], users: [] };
    expect(undone(withContextUser(withEntry(empty, "users", "oidc-prod", {}), "prod", "oidc-prod"), empty, "prod", nobody)).toEqual(empty);
  });
  it("takes away a context that was made", () => {
    const made = withEntry(withEntry(before, "users", "oidc-new", {}), "contexts", "new", { cluster: "c", user: "oidc-new" });
    expect(undone(made, before, "new", nobody)).toEqual(before);
  });
  it("knows later contexts as they were before they were touched, and no entry of ours", () => {
    const later = withEntry(setUp, "contexts", "stage", { cluster: "c", user: "bob" });
    const touched = [
      { list: "contexts", name: "stage" },
      { list: "users", name: "oidc-prod", ownOf: "prod" },
    ] as const;
    const backup = backupWith(before, later, touched);
    expect(entryOf(backup ?? {}, "contexts", "stage")).toEqual({ cluster: "c", user: "bob" });
    expect(entryOf(backup ?? {}, "users", "oidc-prod")).toBeUndefined();
    expect(backupWith(before, later, [{ list: "users", name: "admin" }])).toBeUndefined();
    // One that somebody wrote by hand for a context that we never touched is theirs.
    expect(entryOf(backupWith(before, later, [{ list: "users", name: "oidc-prod", ownOf: "stage" }]) ?? {}, "users", "oidc-prod")).toBeDefined();
  });
});

describe("a stanza", () => {
  it("has its arguments in the table's order, lists one by one, booleans without a value, and nothing of one call or secret", () => {
    expect(
      stanzaArguments({
        "token-cache-storage": ["disk"],
        "oidc-client-id": ["old", "kubernetes"],
        "oidc-issuer-url": ["https://id.example.com"],
        "oidc-extra-scope": ["email", "groups,profile"],
        "oidc-use-access-token": ["true"],
        "no-offline-access": ["false"],
        "oidc-client-secret": ["s"],
        password: ["p"],
        "oidc-request-header": ["a=b"],
        "force-refresh": ["true"],
        "non-interactive": ["true"],
        account: [""],
      }),
    ).toEqual([
      "get-token",
      "--oidc-issuer-url=https://id.example.com",
      "--oidc-client-id=kubernetes",
      "--oidc-extra-scope=email",
      "--oidc-extra-scope=groups,profile",
      "--no-offline-access=false",
      "--oidc-use-access-token",
      "--token-cache-storage=disk",
    ]);
    expect(secretOptions({ "oidc-client-secret": ["s"], password: [""], account: ["a"] })).toEqual(["oidc-client-secret"]);
  });
  it("is v1 with its interactiveMode, and keeps an env that was there", () => {
    const stanza = execStanza({ command: "kubectl-oidc", args: ["get-token"], env: [{ name: "HTTPS_PROXY", value: "http://p" }], provideClusterInfo: true });
    expect(stanza).toMatchObject({ apiVersion: "client.authentication.k8s.io/v1", interactiveMode: "IfAvailable", provideClusterInfo: true, env: [{ name: "HTTPS_PROXY" }] });
    expect(execStanza({ command: "x", args: [], env: [], provideClusterInfo: false })).not.toHaveProperty("env");
    expect(setCredentialsWords("ann", stanza)).toContain("--exec-arg=get-token");
  });
  it("asks for no cluster info that would not fit into one variable", () => {
    expect(clusterInfoFits(undefined)).toBe(true);
    expect(clusterInfoFits(87_000)).toBe(true);
    expect(clusterInfoFits(120_000)).toBe(false);
  });
});
