import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { kubeloginNames } from "../../src/core/kubelogin-key.ts";
import { kubeloginTakesValue, stanzaWords } from "../../src/core/stanza-words.ts";
import { findProgram } from "../programs.ts";
import { makeCertificates } from "../issuer/certificates.ts";
import { kubeconfigFile, kubeconfigText, kubeloginUser, loginElsewhere, type MigrateJson, providerUser, storedItem, writeUser } from "./migrate-stage.ts";
import { browse, credentialOf, errorCode, openUrl } from "./program.ts";
import { home, issuer, options, useStage } from "./stage.ts";

useStage();

const disk = { KUBECTL_OIDC_TOKEN_CACHE_STORAGE: "disk" };
const cache = "home/.kube/cache/oidc-login";
/** Nobody looks at the plan: a kubeconfig that somebody else sent must not get a token by that. */
async function migrated(...args: string[]): Promise<MigrateJson> {
  const ended = await home.run(["migrate", "--yes", "-o", "json", ...args], disk);
  expect(ended.status, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout) as MigrateJson;
}
/** The session that kubelogin made for that stanza, under its own name. */
async function kubeloginSession(...more: string[]): Promise<string> {
  const args = [`--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=kubernetes", ...more];
  const [name = ""] = kubeloginNames(stanzaWords(args, kubeloginTakesValue), (path) => path);
  const { idToken, refreshToken } = await loginElsewhere();
  const file = join(home.folder, cache, name);
  mkdirSync(join(home.folder, cache), { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify({ id_token: idToken, refresh_token: refreshToken }), { mode: 0o600 });
  return file;
}
const withEnv = (user: string, name: string, value: string) => user.replace("env: null", `env: [{name: ${name}, value: "${value}"}]`);
const addUser = (name: string, user: string) => writeFileSync(kubeconfigFile(), `${kubeconfigText()}- name: ${name}\n  user:\n${user}\n`);

describe("a session of kubelogin's", () => {
  it.each(["--certificate-authority", "--certificate-authority-data", "--oidc-request-header", "--insecure-skip-tls-verify"])(
    "does not move to a stanza with %s that did not make it, and moves to the one that did",
    async (option) => {
      home.holdsSecrets(cache);
      const { caFile, caPem } = await makeCertificates(home.folder);
      const value = {
        "--certificate-authority": `=${caFile}`,
        "--certificate-authority-data": `=${Buffer.from(caPem).toString("base64")}`,
        "--oidc-request-header": "=x-forwarded-host=evil.example.com",
      };
      const arg = `${option}${value[option as keyof typeof value] ?? ""}`;
      const other = await kubeloginSession();
      writeUser(kubeloginUser(arg));
      expect((await migrated()).users[0]).toMatchObject({ action: "rewritten", refreshToken: "not-carried-over", losses: [expect.stringContaining("does not show")] });
      expect([existsSync(other), storedItem()]).toEqual([true, undefined]);
      const own = await kubeloginSession(arg);
      writeUser(kubeloginUser(arg));
      expect((await migrated()).users[0]).toMatchObject({ action: "rewritten", refreshToken: "moved" });
      expect([existsSync(own), existsSync(other)]).toEqual([false, true]);
    },
  );

  it("moves with the trust of the stanza that it was made by, whoever stands first in the kubeconfig", async () => {
    home.holdsSecrets(cache);
    const { caFile } = await makeCertificates(home.folder);
    const text = writeUser(kubeloginUser(`--certificate-authority=${caFile}`));
    writeFileSync(kubeconfigFile(), `${text}- name: bob\n  user:\n${kubeloginUser()}\n`);
    await kubeloginSession();
    expect((await migrated()).users.map(({ user, refreshToken }) => [user, refreshToken])).toEqual([
      ["ann", "none"],
      ["bob", "moved"],
    ]);
    expect(storedItem()).toMatchObject({ trust: { insecure: false, authorities: [] }, servers: [] });
  });

  it.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "HOME", "XDG_DATA_HOME"])("does not move to a stanza whose env has %s", async (name) => {
    home.holdsSecrets(cache);
    const file = await kubeloginSession();
    writeUser(withEnv(kubeloginUser(), name, join(home.folder, "elsewhere")));
    expect((await migrated()).users[0]).toMatchObject({ action: "rewritten", refreshToken: "not-carried-over", losses: [expect.stringContaining(name)] });
    expect([existsSync(file), storedItem()]).toEqual([true, undefined]);
  });

  it("goes to no store that the stanza's env or args name for us, which kubelogin does not read", async () => {
    home.holdsSecrets(cache);
    await kubeloginSession();
    const elsewhere = join(home.folder, "elsewhere");
    writeUser(withEnv(kubeloginUser(), "KUBECTL_OIDC_TOKEN_CACHE_DIR", elsewhere));
    expect((await migrated()).users[0]).toMatchObject({ refreshToken: "moved", losses: [expect.stringContaining("KUBECTL_OIDC_TOKEN_CACHE_DIR")] });
    expect(existsSync(elsewhere)).toBe(false);
    expect(kubeconfigText()).not.toContain("KUBECTL_OIDC_");
    const text = writeUser(kubeloginUser("--token-cache-storage=helper:evil"));
    expect((await migrated()).users[0]).toMatchObject({ action: "not-carried-over", losses: [expect.stringContaining("helper:")] });
    expect(kubeconfigText()).toBe(text);
  });

  it("is told by its name from those of other options at the same issuer and client", async () => {
    home.holdsSecrets(cache);
    const ann = await kubeloginSession();
    const bob = await kubeloginSession("--oidc-extra-scope=groups");
    writeUser(kubeloginUser());
    addUser("bob", kubeloginUser("--oidc-extra-scope=groups"));
    expect((await migrated()).users).toMatchObject([{ refreshToken: "moved" }, { refreshToken: "moved" }]);
    expect([existsSync(ann), existsSync(bob)]).toEqual([false, false]);
  });

  it("with an access token that nobody can read is known by its name", async () => {
    home.holdsSecrets(cache);
    const file = await kubeloginSession("--oidc-use-access-token");
    const { refresh_token } = JSON.parse(readFileSync(file, "utf8")) as { readonly refresh_token: string };
    writeFileSync(file, JSON.stringify({ id_token: "opaque-access-token", refresh_token }));
    writeUser(kubeloginUser("--oidc-use-access-token"));
    expect((await migrated()).users[0]).toMatchObject({ refreshToken: "moved" });
    expect(existsSync(file)).toBe(false);
  });
});

describe("a session of ours", () => {
  it("is not let be used with the API server of another kubeconfig, and that is said", async () => {
    home.holdsSecrets(cache);
    await kubeloginSession();
    writeUser(kubeloginUser());
    await migrated();
    const before = storedItem()?.servers;
    expect(before).toHaveLength(1);
    await kubeloginSession();
    writeFileSync(kubeconfigFile(), writeUser(kubeloginUser()).replace("https://k8s.example.com:6443", "https://evil.example.com"));
    expect((await migrated()).users[0]).toMatchObject({ refreshToken: "kept-ours", losses: [expect.stringMatching(/https:\/\/evil\.example\.com.*trust add --context prod/)] });
    expect(storedItem()?.servers).toEqual(before);
  });

  it("that begins later knows no server of a kubeconfig whose token was worth nothing", async () => {
    const login = await loginElsewhere();
    issuer.live.clear();
    writeUser(providerUser(login));
    await migrated();
    expect(storedItem()?.servers ?? []).toEqual([]);
  });

  it("of which the record is gone, and which is somebody else's, stays, and so does kubelogin's: ACCOUNT_MISMATCH", async () => {
    home.holdsSecrets(cache);
    await kubeloginSession();
    writeUser(kubeloginUser());
    await migrated();
    rmSync(join(home.data, "sessions"), { recursive: true });
    issuer.play.claims = (proper) => ({ ...proper, sub: "user-2" });
    const file = await kubeloginSession();
    const text = writeUser(kubeloginUser());
    const ended = await home.run(["migrate", "--yes"], disk);
    expect([ended.status === 0, errorCode(ended)]).toEqual([false, "ACCOUNT_MISMATCH"]);
    expect([kubeconfigText(), existsSync(file), storedItem()?.subject]).toEqual([text, true, "user-1"]);
  });

  it("whose stanza names the folder of its store gets no token by a note that lies there", async () => {
    home.holdsSecrets(cache);
    const folder = join(home.folder, "planted");
    const more = [`--token-cache-dir=${folder}`];
    const file = await kubeloginSession();
    const args = ["get-token", ...options(...more)];
    const started = home.start(args);
    const [, url = ""] = await started.sees(openUrl);
    await browse(url);
    credentialOf(await started.ended);
    home.holdsSecrets("planted");
    const key = readdirSync(join(folder, "sessions"))[0]?.replace(".json", "") ?? "";
    mkdirSync(join(folder, "adopted"), { mode: 0o700 });
    writeFileSync(join(folder, "adopted", key), JSON.stringify({ schema: 1, digests: [], path: file }), { mode: 0o600 });
    writeUser(`    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: kubectl-oidc\n      args: ${JSON.stringify(args)}`);
    await migrated();
    expect(existsSync(file)).toBe(true);
  });
});

describe("a session that kubelogin is just refreshing", () => {
  it.skipIf(findProgram("flock") === undefined || process.platform !== "linux")("is taken over when it is done: no token that it has spent is sent", async () => {
    home.holdsSecrets(cache);
    const file = await kubeloginSession();
    const { refresh_token: old } = JSON.parse(readFileSync(file, "utf8")) as { readonly refresh_token: string };
    const holder = spawn(findProgram("flock") ?? "", [`${file}.lock`, "sh", "-c", "echo held; cat"], { stdio: ["pipe", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    writeUser(kubeloginUser());
    const started = home.start(["migrate", "--yes"], disk);
    await started.sees(/waiting for kubelogin/);
    issuer.live.delete(old);
    const next = await loginElsewhere();
    writeFileSync(file, JSON.stringify({ id_token: next.idToken, refresh_token: next.refreshToken }), { mode: 0o600 });
    holder.stdin.end();
    const ended = await started.ended;
    expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining("and works")]);
    expect(issuer.seen.filter(({ form }) => form["grant_type"] === "refresh_token").map(({ form }) => form["refresh_token"])).toEqual([next.refreshToken]);
    expect(existsSync(file)).toBe(false);
  });
});

describe("two migrates at once", () => {
  it.each(["kubelogin", "auth-provider"])("of a user of %s: one of them does it, the other changes nothing, and nothing is lost", async (kind) => {
    home.holdsSecrets(cache);
    if (kind === "kubelogin") {
      await kubeloginSession();
      writeUser(kubeloginUser());
    } else writeUser(providerUser(await loginElsewhere()));
    const both = await Promise.all([home.run(["migrate", "--yes"], disk), home.run(["migrate", "--yes"], disk)]);
    expect(both.map(({ status }) => status)).toContain(0);
    for (const ended of both) expect(["none", "KUBECONFIG_UNWRITABLE"], ended.stderr).toContain(errorCode(ended));
    await migrated();
    const args =
      (parse(kubeconfigText()) as { readonly users: readonly { readonly user: { readonly exec: { readonly args: readonly string[] } } }[] }).users[0]?.user.exec.args ?? [];
    credentialOf(await home.run([...args, "--non-interactive", "--force-refresh"], disk));
    expect(issuer.live.size).toBe(1);
    expect(readdirSync(join(home.data, "adopted"))).toEqual([]);
    if (kind === "kubelogin") expect(readdirSync(join(home.folder, cache))).toEqual([]);
  });
});

describe("a client secret", () => {
  it("that is kept already is not replaced by another of a kubeconfig", async () => {
    home.holdsSecrets("data/kubectl-oidc/client-secrets");
    home.holdsSecrets("kubeconfig");
    writeUser(kubeloginUser("--oidc-client-secret=a-client-secret-of-the-test"));
    await migrated();
    const [, path = ""] = /--oidc-client-secret-file=(\S+)/.exec(kubeconfigText()) ?? [];
    const text = writeUser(kubeloginUser("--oidc-client-secret=another"));
    expect((await migrated()).users[0]).toMatchObject({ action: "not-carried-over", losses: [expect.stringContaining(path)] });
    expect([kubeconfigText(), readFileSync(path, "utf8")]).toEqual([text, "a-client-secret-of-the-test"]);
  });
});

describe("the kubeconfig", () => {
  it("that cannot be written is found before the token moves", async () => {
    home.holdsSecrets(cache);
    const file = await kubeloginSession();
    const text = writeUser(kubeloginUser());
    writeFileSync(`${kubeconfigFile()}.lock`, "");
    const ended = await home.run(["migrate", "--yes"], disk);
    expect([ended.status, errorCode(ended)]).toEqual([50, "KUBECONFIG_UNWRITABLE"]);
    expect([kubeconfigText(), existsSync(file), storedItem(), existsSync(join(home.data, "adopted"))]).toEqual([text, true, undefined, false]);
  });

  it("of two users that move one after the other keeps the secrets of neither, nor does what is kept of it", async () => {
    home.holdsSecrets("kubeconfig");
    const ann = await loginElsewhere();
    writeUser(providerUser(ann, "client-secret: a-client-secret-of-the-test"));
    const bob = await loginElsewhere();
    addUser("bob", providerUser(bob, "client-secret: a-client-secret-of-the-test", "extra-scopes: groups"));
    writeFileSync(kubeconfigFile(), kubeconfigText().replace("contexts:\n", "contexts:\n- name: dev\n  context: {cluster: prod, user: bob}\n"));
    home.holdsSecrets("kubeconfig.before-kubectl-oidc");
    home.holdsSecrets("data/kubectl-oidc/client-secrets");
    await migrated("--context", "prod");
    await migrated("--context", "dev");
    for (const text of [kubeconfigText(), kubeconfigText(`${kubeconfigFile()}.before-kubectl-oidc`)]) {
      for (const secret of [ann.refreshToken, bob.refreshToken, ann.idToken, bob.idToken, "a-client-secret-of-the-test"]) expect(text).not.toContain(secret);
      expect(text).toContain("name: bob");
    }
    const undo = await home.run(["migrate", "--undo", "--yes"], disk);
    expect(undo.status, undo.stderr).toBe(0);
    expect(kubeconfigText()).toContain("extra-scopes: groups");
  });
});
