import { describe, expect, it } from "vitest";
import { withClusterOptions } from "../../src/core/cluster-extension.ts";
import { type Around, backupWith, entryOf, type KubeconfigValue, runsUs, undone, withContextUser, withEntry, withoutEntry } from "../../src/core/kubeconfig-edits.ts";
import { clusterInfoFits, execStanza, secretOptions, setCredentialsWords, stanzaArguments } from "../../src/core/exec-stanza.ts";

const before = {
  contexts: [
    { name: "admin", context: { cluster: "c", user: "admin" } },
    { name: "prod", context: { cluster: "c", user: "admin", namespace: "n" } },
  ],
  users: [{ name: "admin", user: { token: "x" } }],
};
const setUp = withContextUser(withEntry(before, "users", "oidc-prod", { exec: { command: "kubectl-oidc" } }), "prod", "oidc-prod");
const ours = { exec: { command: "kubectl-oidc" } };
/** A kubeconfig of one file. */
const around = (config: KubeconfigValue, context: string, isUsed = (_: string) => false): Around => ({
  user: [entryOf(config, "contexts", context)?.["user"]].find((user) => typeof user === "string"),
  cluster: [entryOf(config, "contexts", context)?.["cluster"]].find((cluster) => typeof cluster === "string"),
  isClusterShared: false,
  isUsed,
  whose(user) {
    const entry = entryOf(config, "users", user);
    return entry === undefined ? "nobodys" : runsUs(entry) ? "ours" : "theirs";
  },
});
const back = (config: KubeconfigValue, backup: KubeconfigValue, context: string) => undone(config, backup, context, around(config, context));

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
    expect(back(setUp, before, "prod")).toEqual(before);
  });
  it("leaves another's change alone, and a user of ours that another context uses", () => {
    const changed = withContextUser({ ...setUp, "current-context": "admin" }, "admin", "oidc-prod");
    const kept = undone(
      changed,
      before,
      "prod",
      around(changed, "prod", (user) => user === "oidc-prod"),
    );
    expect(entryOf(kept, "contexts", "prod")?.["user"]).toBe("admin");
    expect(entryOf(kept, "users", "oidc-prod")).toBeDefined();
    expect(kept["current-context"]).toBe("admin");
  });
  it("leaves a namespace that was chosen since, and a credential that was renewed since, as they are", () => {
    const since = withEntry(withEntry(setUp, "contexts", "prod", { cluster: "c", user: "oidc-prod", namespace: "dev" }), "users", "admin", { token: "renewed" });
    const kept = back(since, before, "prod");
    expect(entryOf(kept, "contexts", "prod")).toEqual({ cluster: "c", user: "admin", namespace: "dev" });
    expect(entryOf(kept, "users", "admin")).toEqual({ token: "renewed" });
    expect(entryOf(kept, "users", "oidc-prod")).toBeUndefined();
  });
  it("leaves a context that others made since, or gave another user, or deleted, and their users", () => {
    const kind = withEntry(withEntry(setUp, "users", "kind", { "client-key-data": "k" }), "contexts", "kind", { cluster: "k", user: "kind" });
    expect(back(kind, before, "kind")).toBe(kind);
    const given = withContextUser(withEntry(setUp, "users", "bob", { token: "b" }), "prod", "bob");
    expect(back(given, before, "prod")).toBe(given);
    const broken = withEntry(setUp, "contexts", "broken", { cluster: "k", user: "none" });
    expect(back(broken, before, "broken")).toBe(broken);
    const deleted = withoutEntry(setUp, "contexts", "prod");
    expect(back(deleted, before, "prod")).toBe(deleted);
  });
  it("finds a context under its new name", () => {
    const renamed = withEntry(withoutEntry(setUp, "contexts", "prod"), "contexts", "p", { cluster: "c", user: "oidc-prod" });
    const kept = back(renamed, before, "p");
    expect(entryOf(kept, "contexts", "p")).toEqual({ cluster: "c", user: "admin" });
    expect(kept["users"]).toEqual(before.users);
  });
  it("gives a context back its user when somebody deleted ours or its own", () => {
    expect(entryOf(back(withoutEntry(setUp, "users", "oidc-prod"), before, "prod"), "contexts", "prod")?.["user"]).toBe("admin");
    expect(back(withoutEntry(setUp, "users", "admin"), before, "prod")).toMatchObject({ users: [{ name: "admin", user: { token: "x" } }] });
  });
  it("gives a stanza that was changed in its place its former text", () => {
    const kubelogin = withEntry(before, "users", "admin", { exec: { command: "kubectl", args: ["oidc-login", "get-token"] } });
    expect(back(withEntry(kubelogin, "users", "admin", ours), kubelogin, "prod")).toEqual(kubelogin);
  });
  it("gives it in the file that it is in, when the context is in another", () => {
    const users = { users: [{ name: "admin", user: { exec: { command: "kubelogin" } } }] };
    expect(
      undone(withEntry(users, "users", "admin", ours), users, "prod", { user: "admin", cluster: undefined, isClusterShared: false, isUsed: () => false, whose: () => "ours" }),
    ).toEqual(users);
  });
  it("leaves the cluster's audience to another context of ours, and takes it with the last", () => {
    const cluster = { server: "https://k8s.example.com" };
    const config = { ...before, clusters: [{ name: "c", cluster }] };
    const told = withEntry(
      withContextUser(withEntry(config, "users", "oidc-prod", ours), "prod", "oidc-prod"),
      "clusters",
      "c",
      withClusterOptions(cluster, { "oidc-audience": ["a"] }),
    );
    const clusterAfter = (isClusterShared: boolean) => entryOf(undone(told, config, "prod", { ...around(told, "prod"), isClusterShared }), "clusters", "c");
    expect([clusterAfter(true)?.["extensions"] !== undefined, clusterAfter(false)]).toEqual([true, cluster]);
  });
  it("takes away a user of a context that had none, and a list that we began", () => {
    for (const bare of [{ contexts: [{ name: "prod", context: { cluster: "c" } }] }, { contexts: [{ name: "prod", context: { cluster: "c" } }], users: null }]) {
      const done = withContextUser(withEntry(bare, "users", "oidc-prod", ours), "prod", "oidc-prod");
      expect(back(done, bare, "prod")).toEqual(bare);
    }
    const empty = { contexts: [{ name: "prod", context: { cluster: "c" } }], users: [] };
    expect(back(withContextUser(withEntry(empty, "users", "oidc-prod", ours), "prod", "oidc-prod"), empty, "prod")).toEqual(empty);
  });
  it("takes away a context that was made", () => {
    const made = withEntry(withEntry(before, "users", "oidc-new", ours), "contexts", "new", { cluster: "c", user: "oidc-new" });
    expect(back(made, before, "new")).toEqual(before);
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
    expect(setCredentialsWords("ann", stanza)).toEqual(expect.arrayContaining(["--exec-arg=get-token", "--exec-env=HTTPS_PROXY=http://p"]));
  });
  it("as a line of kubectl keeps each argument one, since kubectl takes --exec-arg for CSV; --exec-env it takes whole", () => {
    const args = ["--oidc-extra-scope=email,groups", `--browser-command="/opt/my browser" -x`, "", "--account=ann"];
    const env = [{ name: "NO_PROXY", value: "a,b" }];
    expect(setCredentialsWords("ann", execStanza({ command: "kubectl-oidc", args, env, provideClusterInfo: true })).slice(6, 11)).toEqual([
      `--exec-arg="--oidc-extra-scope=email,groups"`,
      `--exec-arg="--browser-command=""/opt/my browser"" -x"`,
      `--exec-arg=""`,
      "--exec-arg=--account=ann",
      "--exec-env=NO_PROXY=a,b",
    ]);
  });
  it("asks for no cluster info that would not fit into one variable", () => {
    expect(clusterInfoFits(undefined)).toBe(true);
    expect(clusterInfoFits(87_000)).toBe(true);
    expect(clusterInfoFits(120_000)).toBe(false);
  });
});
