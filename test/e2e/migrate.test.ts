import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { noteSecret } from "../canaries.ts";
import {
  golden,
  kubeconfigFile,
  kubeconfigText,
  kubeloginUser,
  loginElsewhere,
  type MigrateJson,
  providerUser,
  storedItem,
  writeKubeloginCache,
  writeUser,
} from "./migrate-stage.ts";
import { credentialOf, type Ended, errorCode, programPath } from "./program.ts";
import { home, issuer, useStage } from "./stage.ts";

useStage();

const disk = { KUBECTL_OIDC_TOKEN_CACHE_STORAGE: "disk" };
const cache = "home/.kube/cache/oidc-login";
const migrate = (...args: string[]) => home.run(["migrate", ...args], disk);
const json = (ended: Ended) => JSON.parse(ended.stdout) as MigrateJson;
async function migrated(...args: string[]): Promise<MigrateJson> {
  const ended = await migrate("--yes", "-o", "json", ...args);
  expect(ended.status, ended.stderr).toBe(0);
  return json(ended);
}
interface Stanza {
  readonly command: string;
  readonly args: readonly string[];
  readonly provideClusterInfo: boolean;
  readonly apiVersion: string;
  readonly env?: unknown;
}
const userOf = (name = "ann", file?: string) =>
  (
    parse(kubeconfigText(file)) as { readonly users: readonly { readonly name: string; readonly user: { readonly exec: Stanza } & Readonly<Record<string, unknown>> }[] }
  ).users.find((user) => user.name === name)?.user;
const stanzaArgs = (name = "ann", file?: string) => userOf(name, file)?.exec.args ?? [];
/** The stanza as kubectl would run it, without a person. */
const getToken = async (...more: string[]) => credentialOf(await home.run([...stanzaArgs(), "--non-interactive", ...more], disk)).status.token;
const golds = resolve(import.meta.dirname, "../golden/migrate");

describe("a user of kubelogin", () => {
  it("runs us, with the refresh token of kubelogin's cache, and nobody logs in", async () => {
    home.holdsSecrets(cache);
    const login = await loginElsewhere();
    const file = writeKubeloginCache(login);
    writeUser(kubeloginUser());
    const { users, written } = await migrated();
    expect(users).toEqual([{ user: "ann", contexts: ["prod"], kind: "kubelogin", action: "rewritten", refreshToken: "moved", losses: [] }]);
    expect(written).toBe(true);
    expect(existsSync(file)).toBe(false);
    expect(existsSync(`${file}.lock`)).toBe(true);
    const logins = issuer.count("/authorize");
    expect(await getToken()).toMatch(/^ey/);
    expect(await getToken("--force-refresh")).toMatch(/^ey/);
    expect(issuer.count("/authorize")).toBe(logins);
    expect(issuer.live.size).toBe(1);
    expect(issuer.live.has(login.refreshToken)).toBe(false);
  });

  it("keeps its args as they are written, comments and order and mode too", async () => {
    const before = writeUser(kubeloginUser("--oidc-extra-scope", "groups,email", "-v1"));
    await migrated();
    const text = kubeconfigText();
    const gone = before.split("\n").filter((line) => !text.split("\n").includes(line));
    expect(gone.map((line) => line.trim())).toEqual(["apiVersion: client.authentication.k8s.io/v1beta1", "command: kubectl", "- oidc-login", "provideClusterInfo: false"]);
    expect(text).toContain("      # ours\n");
    expect(text).toContain("# the issuer");
    expect(stanzaArgs().slice(-3)).toEqual(["--oidc-extra-scope", "groups,email", "-v1"]);
    expect(statSync(kubeconfigFile()).mode & 0o777).toBe(0o640);
    expect(userOf()).toMatchObject({ exec: { command: "kubectl-oidc", apiVersion: "client.authentication.k8s.io/v1", interactiveMode: "IfAvailable", provideClusterInfo: true } });
  });

  it("has nothing to do the second time: exit 0, every byte as it was, no request", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere());
    writeUser(kubeloginUser());
    await migrated();
    const text = kubeconfigText();
    const requests = issuer.seen.length;
    const second = await migrate();
    expect([second.status, second.stdout, second.stderr]).toEqual([0, "", "kubectl-oidc: nothing is left to do\n"]);
    expect(json(await migrate("-o", "json"))).toEqual({
      written: false,
      users: [{ user: "ann", contexts: ["prod"], kind: "ours", action: "nothing-to-do", refreshToken: "none", losses: [] }],
      changes: [],
    });
    expect(kubeconfigText()).toBe(text);
    expect(issuer.seen.length).toBe(requests);
  });

  it("without a token in the cache is taken over all the same", async () => {
    writeUser(kubeloginUser());
    expect((await migrated()).users[0]).toMatchObject({ action: "rewritten", refreshToken: "none" });
    expect(issuer.seen).toEqual([]);
  });

  it("finds its cache by --token-cache-dir and KUBECACHEDIR, its own and ours, and takes neither for our store", async () => {
    for (const [name, folder, args, env] of [
      ["dir", "one", [`--token-cache-dir=${join(home.folder, "one")}`], {}],
      ["own variable", "two/oidc-login", [], {}],
      ["variable", "three/oidc-login", [], { KUBECACHEDIR: join(home.folder, "three") }],
    ] as const) {
      home.holdsSecrets(folder);
      const file = writeKubeloginCache(await loginElsewhere(), join(home.folder, folder), name);
      writeUser(kubeloginUser(...args).replace("env: null", name === "own variable" ? `env: [{name: KUBECACHEDIR, value: "${join(home.folder, "two")}"}]` : "env: null"));
      const ended = await home.run(["migrate", "--yes", "-o", "json"], { ...disk, ...env });
      expect(json(ended).users[0], name).toMatchObject({ action: "rewritten", refreshToken: name === "own variable" ? "kept-ours" : "moved" });
      expect(existsSync(file)).toBe(false);
      expect(kubeconfigText()).not.toMatch(/token-cache-dir|KUBECACHEDIR/);
    }
  });

  it("has its client secret in a private file, and nowhere else", async () => {
    noteSecret("client secret", "a-client-secret-of-the-test");
    home.holdsSecrets("data/kubectl-oidc/client-secrets");
    writeUser(kubeloginUser("--oidc-client-secret=a-client-secret-of-the-test"));
    await migrated();
    const [, path = ""] = /--oidc-client-secret-file=(\S+)/.exec(kubeconfigText()) ?? [];
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["a-client-secret-of-the-test", 0o600]);
    expect(kubeconfigText() + kubeconfigText(`${kubeconfigFile()}.before-kubectl-oidc`)).not.toContain("a-client-secret-of-the-test");
  });

  it("whose tokens are of several people gets none of them, and the cache stays", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere(), undefined, "1");
    issuer.play.claims = (proper) => ({ ...proper, sub: "user-2" });
    writeKubeloginCache(await loginElsewhere(), undefined, "2");
    writeUser(kubeloginUser());
    const { users } = await migrated();
    expect(users[0]).toMatchObject({ action: "rewritten", refreshToken: "not-carried-over", losses: [expect.stringContaining("several people")] });
    expect(readdirSync(join(home.folder, cache)).filter((name) => !name.endsWith(".lock"))).toHaveLength(2);
    expect(storedItem()).toBeUndefined();
  });

  it("with several of one person gets the newest", async () => {
    home.holdsSecrets(cache);
    const newest = await loginElsewhere();
    const kept = writeKubeloginCache(newest, undefined, "1");
    issuer.play.claims = (proper) => ({ ...proper, iat: (proper.iat ?? 0) - 1000 });
    const old = writeKubeloginCache(await loginElsewhere(), undefined, "2");
    issuer.play.claims = (proper) => proper;
    writeUser(kubeloginUser());
    await migrated();
    expect([existsSync(kept), existsSync(old)]).toEqual([false, true]);
    expect(issuer.seen.findLast(({ form }) => form["grant_type"] === "refresh_token")?.form["refresh_token"]).toBe(newest.refreshToken);
  });

  it("of another issuer or client has nothing to do with a file of the cache", async () => {
    home.holdsSecrets(cache);
    issuer.play.claims = (proper) => ({ ...proper, aud: "another" });
    const other = writeKubeloginCache(await loginElsewhere(), undefined, "1");
    issuer.play.claims = (proper) => ({ ...proper, iss: "https://elsewhere.example.com" });
    const elsewhere = writeKubeloginCache(await loginElsewhere(), undefined, "2");
    issuer.play.claims = (proper) => proper;
    writeUser(kubeloginUser());
    expect((await migrated()).users[0]).toMatchObject({ refreshToken: "none" });
    expect([existsSync(other), existsSync(elsewhere)]).toEqual([true, true]);
  });

  it("beside one with other scopes: nobody can tell whose the file is, so neither gets it", async () => {
    home.holdsSecrets(cache);
    const file = writeKubeloginCache(await loginElsewhere());
    const text = writeUser(kubeloginUser());
    writeFileSync(kubeconfigFile(), `${text}- name: bob\n  user:\n${kubeloginUser("--oidc-extra-scope=groups")}\n`);
    const { users } = await migrated();
    expect(users.map(({ user, action, refreshToken }) => [user, action, refreshToken])).toEqual([
      ["ann", "rewritten", "not-carried-over"],
      ["bob", "rewritten", "not-carried-over"],
    ]);
    expect(existsSync(file)).toBe(true);
  });

  it("that does not check the issuer's certificate gets no session of the cache, which may have been made by one that does", async () => {
    home.holdsSecrets(cache);
    const file = writeKubeloginCache(await loginElsewhere());
    writeUser(kubeloginUser("--insecure-skip-tls-verify"));
    const { users } = await migrated();
    expect(users[0]).toMatchObject({ action: "rewritten", refreshToken: "not-carried-over", losses: [expect.stringContaining("--insecure-skip-tls-verify")] });
    expect([existsSync(file), storedItem()]).toEqual([true, undefined]);
  });

  it("with a session of ours already keeps that, and kubelogin's copy goes", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere());
    writeUser(kubeloginUser());
    await migrated();
    const { refreshToken } = storedItem() ?? {};
    const file = writeKubeloginCache(await loginElsewhere());
    writeUser(kubeloginUser());
    expect((await migrated()).users[0]).toMatchObject({ refreshToken: "kept-ours" });
    expect(storedItem()?.refreshToken).toBe(refreshToken);
    expect(existsSync(file)).toBe(false);
  });

  it("is somebody else than the stored session's person: stays as it is", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere());
    writeUser(kubeloginUser());
    await migrated();
    issuer.play.claims = (proper) => ({ ...proper, sub: "user-2" });
    const file = writeKubeloginCache(await loginElsewhere());
    const text = writeUser(kubeloginUser());
    expect((await migrated()).users[0]).toMatchObject({ action: "not-carried-over", losses: [expect.stringContaining("somebody else")] });
    expect(kubeconfigText()).toBe(text);
    expect(existsSync(file)).toBe(true);
  });

  it.each([
    ["an option that is none of ours", "--kubeconfig=/x", "--kubeconfig"],
    ["a value that cannot be", "--oidc-redirect-url=:", "oidc-redirect-url"],
    ["an authority that cannot be read", "--certificate-authority=/nowhere.pem", "nowhere.pem"],
  ])("with %s stays as it is, and is said", async (_, arg, said) => {
    const text = writeUser(kubeloginUser(`'${arg}'`));
    const ended = await migrate("--yes", "-o", "json");
    expect(json(ended).users[0]).toMatchObject({ action: "not-carried-over", losses: [expect.stringContaining(said)] });
    expect(kubeconfigText()).toBe(text);
  });
});

describe("a user of the auth-provider oidc", () => {
  it("runs us with its refresh token, which lies in the store alone", async () => {
    const login = await loginElsewhere();
    writeUser(providerUser(login, "extra-scopes: groups,email"));
    expect((await migrated()).users).toEqual([{ user: "ann", contexts: ["prod"], kind: "auth-provider", action: "rewritten", refreshToken: "moved", losses: [] }]);
    expect(userOf()).toEqual({
      exec: expect.objectContaining({ command: "kubectl-oidc", args: expect.arrayContaining(["--oidc-extra-scope=groups", "--oidc-extra-scope=email"]) }),
    });
    expect(await getToken()).toMatch(/^ey/);
    expect(storedItem()).toMatchObject({ subject: "user-1", servers: [{ origin: "https://k8s.example.com:6443" }] });
    expect(kubeconfigText(`${kubeconfigFile()}.before-kubectl-oidc`)).toContain("auth-provider");
  });

  it("with an ID token of another client loses the token, which is said", async () => {
    issuer.play.claims = (proper) => ({ ...proper, aud: "another" });
    writeUser(providerUser(await loginElsewhere()));
    expect((await migrated()).users[0]).toMatchObject({ action: "rewritten", refreshToken: "not-carried-over" });
    expect(storedItem()).toBeUndefined();
  });

  it("whose token the issuer refuses is told to log in", async () => {
    const login = await loginElsewhere();
    issuer.live.clear();
    writeUser(providerUser(login));
    const ended = await migrate("--yes");
    expect(ended.status).toBe(0);
    expect(ended.stderr).toContain("log in: kubectl oidc login --context prod");
    expect(storedItem()?.refreshToken).toBeUndefined();
  });

  it("is taken over while the issuer cannot be reached, and the next kubectl refreshes", async () => {
    writeUser(providerUser(await loginElsewhere()));
    const play = issuer.play.discovery;
    issuer.play.discovery = () => ({ status: 503, body: {} });
    const ended = await migrate("--yes");
    expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining("could not be tried now")]);
    if (play === undefined) delete issuer.play.discovery;
    else issuer.play.discovery = play;
    expect(await getToken()).toMatch(/^ey/);
  });

  it("is refused a refresh for somebody else, and nothing of it is kept", async () => {
    writeUser(providerUser(await loginElsewhere()));
    issuer.play.claims = (proper) => ({ ...proper, sub: "mallory" });
    const ended = await migrate("--yes", "-o", "json");
    expect(json(ended).users[0]).toMatchObject({ refreshToken: "not-carried-over" });
    expect(storedItem()).toBeUndefined();
  });

  it("two of several people stay as they are: one session is one person's", async () => {
    home.holdsSecrets("kubeconfig");
    const ann = await loginElsewhere();
    issuer.play.claims = (proper) => ({ ...proper, sub: "user-2" });
    const bob = await loginElsewhere();
    const text = `${writeUser(providerUser(ann))}- name: bob\n  user:\n${providerUser(bob)}\n`;
    writeFileSync(kubeconfigFile(), text);
    expect((await migrated()).users.map(({ action }) => action)).toEqual(["not-carried-over", "not-carried-over"]);
    expect(kubeconfigText()).toBe(text);
  });

  it.each(["a\\u0007b", "https://id.example.com/\\u202egnp", "' --insecure-skip-tls-verify", "http://plain.example.com"])(
    "of an issuer that cannot be one (%j) stays as it is",
    async (url) => {
      const text = writeUser(providerUser({}).replace(issuer.url, `"${url}"`));
      const ended = await migrate("--yes");
      expect(ended.status, ended.stderr).toBe(0);
      expect(ended.stderr).toContain("stays as it is");
      expect(["\u0007", "\u202e"].filter((one) => ended.stderr.includes(one))).toEqual([]);
      expect(kubeconfigText()).toBe(text);
    },
  );
});

describe("the plan", () => {
  it("shows what moves where and what is lost; --dry-run writes nothing and asks nobody", async () => {
    home.holdsSecrets(cache);
    home.holdsSecrets("kubeconfig");
    const login = await loginElsewhere();
    const file = writeKubeloginCache(login);
    const azure = `    exec:\n      command: kubelogin\n      args: [get-token, --server-id=s, --login=spn]`;
    const text = `${writeUser(kubeloginUser("--oidc-pkce-method=no", "--tls-renegotiation-once", "--oidc-client-secret=a-client-secret-of-the-test"))}- name: old\n  user:\n${providerUser({}, "extra-scopes: groups")}\n- name: "az\\e[31m"\n  user:\n${azure}\n- name: admin\n  user:\n    client-certificate-data: QUJD\n`;
    writeFileSync(kubeconfigFile(), text);
    const requests = issuer.seen.length;
    const ended = await migrate("--dry-run");
    expect([ended.status, ended.stderr]).toEqual([0, ""]);
    await expect(golden(ended.stdout)).toMatchFileSnapshot(join(golds, "plan.txt"));
    expect(json(await migrate("--dry-run", "-o", "json"))).toMatchObject({
      written: false,
      users: [
        { user: "ann", action: "would-rewrite", refreshToken: "moved" },
        { user: "old", action: "would-rewrite", refreshToken: "none", contexts: [] },
        { user: "az\u001b[31m", kind: "azure", action: "not-carried-over" },
      ],
      changes: [{ file: kubeconfigFile(), backup: `${kubeconfigFile()}.before-kubectl-oidc` }],
    });
    expect(kubeconfigText()).toBe(text);
    expect(existsSync(file)).toBe(true);
    expect(existsSync(home.data)).toBe(false);
    expect(issuer.seen.length).toBe(requests);
  });

  it("is followed by what was done", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere());
    writeUser(kubeloginUser());
    const bin = join(home.folder, "bin");
    mkdirSync(bin);
    symlinkSync(programPath, join(bin, "kubectl-oidc"));
    const ended = await home.run(["migrate", "--yes"], { ...disk, PATH: `${bin}:${home.env["PATH"]}` });
    expect([ended.status, ended.stdout]).toEqual([0, ""]);
    await expect(golden(ended.stderr)).toMatchFileSnapshot(join(golds, "done.txt"));
  });

  it("needs somebody who agrees: CONFIRMATION_REQUIRED, and nothing is written", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere());
    const text = writeUser(kubeloginUser());
    for (const args of [[], ["-o", "json"]]) {
      const ended = await migrate(...args);
      expect([ended.status, ended.stdout]).toEqual([2, ""]);
      expect(ended.stderr).toContain("CONFIRMATION_REQUIRED");
    }
    expect(kubeconfigText()).toBe(text);
    expect(existsSync(home.data)).toBe(false);
  });

  it("is of one context's user with --context, and says who else used the same token", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere());
    const text = `${writeUser(kubeloginUser())}- name: other\n  user:\n${kubeloginUser()}\n`;
    writeFileSync(kubeconfigFile(), text);
    const { users } = await migrated("--context", "prod");
    expect(users).toMatchObject([{ user: "ann", refreshToken: "moved", losses: [expect.stringContaining("other: still kubelogin's")] }]);
    expect(userOf("other")?.exec.command).toBe("kubectl");
    const missing = await migrate("--context", "nowhere");
    expect([missing.status, errorCode(missing)]).toEqual([40, "CONTEXT_NOT_FOUND"]);
  });

  it("has a place for the program's own path", async () => {
    writeUser(kubeloginUser());
    await migrated("--absolute-path");
    expect(userOf()?.exec.command).toMatch(/^\/.*kubectl-oidc/);
  });
});

describe("files", () => {
  it("of a KUBECONFIG list change each for itself; users of one session share one token; a JSON file stays JSON", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere());
    const [one, two, three] = ["one", "two", "three"].map((name) => join(home.folder, name));
    writeUser(kubeloginUser(), one ?? "");
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1beta1",
      command: "kubelogin",
      args: ["get-token", `--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=kubernetes"],
    };
    writeFileSync(
      two ?? "",
      JSON.stringify(
        {
          users: [
            { name: "bob", user: { exec } },
            { name: "ann", user: { token: "hidden behind the first" } },
          ],
          contexts: [{ name: "dev", context: { user: "bob", cluster: "dev" } }],
          clusters: [{ name: "dev", cluster: { server: "https://dev.example.com" } }],
        },
        null,
        4,
      ),
    );
    const untouched = "users:\n- name: admin\n  user: {token: abc}\n";
    writeFileSync(three ?? "", untouched);
    const ended = await home.run(["migrate", "--yes", "-o", "json"], { ...disk, KUBECONFIG: [one, two, three].join(":") });
    expect(ended.status, ended.stderr).toBe(0);
    expect(json(ended).users.map(({ user, refreshToken }) => [user, refreshToken])).toEqual([
      ["ann", "moved"],
      ["bob", "moved"],
    ]);
    expect(json(ended).changes.map(({ file }) => file)).toEqual([one, two]);
    expect(stanzaArgs("bob", two)).toEqual(exec.args);
    expect(readFileSync(two ?? "", "utf8")).toMatch(/^\{\n {4}"users"/);
    expect(readFileSync(three ?? "", "utf8")).toBe(untouched);
    expect(storedItem()?.servers.map(({ origin }) => origin)).toEqual(["https://k8s.example.com:6443", "https://dev.example.com"]);
  });

  it("come back with --undo; the token stays with us", async () => {
    home.holdsSecrets(cache);
    writeKubeloginCache(await loginElsewhere());
    const text = writeUser(kubeloginUser());
    await migrated();
    const ended = await migrate("--undo", "--yes");
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("refresh tokens and client secrets that were moved do not come back");
    expect(kubeconfigText()).toBe(text);
    expect(existsSync(`${kubeconfigFile()}.before-kubectl-oidc`)).toBe(false);
    expect(storedItem()?.refreshToken).toBeDefined();
  });

  it("that changed meanwhile, or that kubectl holds, are not written", async () => {
    writeUser(kubeloginUser());
    writeFileSync(`${kubeconfigFile()}.lock`, "");
    const ended = await migrate("--yes");
    expect([ended.status, errorCode(ended)]).toEqual([50, "KUBECONFIG_UNWRITABLE"]);
    expect(userOf()?.exec.command).toBe("kubectl");
  });

  it("without a keychain to take the token nothing is written, and the error names the way out", async () => {
    home.holdsSecrets(cache);
    const file = writeKubeloginCache(await loginElsewhere());
    const text = writeUser(kubeloginUser());
    const ended = await home.run(["migrate", "--yes"]);
    expect([ended.status, errorCode(ended)]).toEqual([50, "KEYCHAIN_UNAVAILABLE"]);
    expect(ended.stderr).toContain("token-cache-storage");
    expect([kubeconfigText(), existsSync(file)]).toEqual([text, true]);
  });
});
