import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { type Stage, setStage } from "../cluster/stage.ts";
import type { Person } from "../person.ts";
import { describeWith } from "../with-parts.ts";

// The callers once more, at a real API server that was set up by what setup prints; the tokens live for six seconds.
const server = ["kube-apiserver", "etcd", "kubectl-newest"] as const;
type Parts = { readonly [Name in (typeof server)[number]]: { readonly path: string } };

const shared: { stage?: Promise<Stage> } = {};
/** One cluster for the whole file: it takes half a minute to start. */
function stageOf(parts: Parts): Promise<Stage> {
  shared.stage ??= (async () => {
    const stage = await setStage(parts, { ttl: { idToken: 6, accessToken: 6 } });
    const { authenticationConfiguration, roleBinding } = await stage.plan("--group=admins", "--cluster-role=edit");
    await stage.cluster.reconfigure(authenticationConfiguration);
    await stage.apply(parts["kubectl-newest"].path, roleBinding);
    return stage;
  })();
  return shared.stage;
}
afterAll(async () => (await shared.stage)?.stop());

/** Alice, set up and logged in once; what her caller asked as, and how often the issuer was asked. */
async function alice(parts: Parts): Promise<{ readonly person: Person; readonly stage: Stage; logins(): number; refreshes(): number; askedAs(agent: RegExp): readonly string[] }> {
  const stage = await stageOf(parts);
  const person = stage.person("alice");
  const setup = await person.oidc("setup", ...stage.identity, "--yes");
  expect(setup.status, setup.stderr).toBe(0);
  const [first, second, from] = [stage.count("token", "authorization_code"), stage.count("token", "refresh_token"), stage.cluster.audit().length];
  return {
    person,
    stage,
    logins: () => stage.count("token", "authorization_code") - first,
    refreshes: () => stage.count("token", "refresh_token") - second,
    askedAs: (uri) => [
      ...new Set(
        stage.cluster
          .audit()
          .slice(from)
          .filter(({ uri: asked }) => uri.test(asked))
          .map(({ user, status }) => `${user} ${status}`),
      ),
    ],
  };
}

const pods = /^\/api\/v1\/namespaces\/default\/pods/;

describeWith(["client-go", ...server], (parts) => {
  let caller: Awaited<ReturnType<typeof alice>>;
  beforeEach(async () => {
    caller = await alice(parts);
  });
  it("lives on through refreshes: every request is alice's, none is refused, nobody is asked to log in", async () => {
    const ended = await caller.person.run(parts["client-go"].path, ["-rounds=8", "-parallel=4", "-pause=2s"]);
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: "\n".repeat(32), stderr: "" });
    expect(caller.logins()).toBe(0);
    expect(caller.refreshes()).toBeGreaterThanOrEqual(2);
    expect(caller.askedAs(pods)).toEqual(["oidc:alice 200"]);
  });
});

describeWith(["javascript-client", ...server], (parts) => {
  it("lives on through refreshes: every request is alice's, and nobody is asked to log in", async () => {
    const caller = await alice(parts);
    const ended = await caller.person.run(process.execPath, [resolve("test/real/callers/javascript.mjs"), "4", "3000"]);
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: "\n".repeat(4), stderr: "" });
    expect(caller.logins()).toBe(0);
    expect(caller.askedAs(pods)).toEqual(["oidc:alice 200"]);
  });
});

describeWith(["python-client", ...server], (parts) => {
  it("lives on through refreshes: every request is alice's, and nobody is asked to log in", async () => {
    const caller = await alice(parts);
    const env = { PYTHONPATH: dirname(parts["python-client"].path), PYTHONDONTWRITEBYTECODE: "1" };
    const ended = await caller.person.run("python3", [resolve("test/real/callers/python_caller.py"), "4", "3"], env);
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: "\n".repeat(4) });
    expect(caller.logins()).toBe(0);
    expect(caller.askedAs(pods)).toEqual(["oidc:alice 200"]);
  });
});

describeWith(["helm", ...server], (parts) => {
  it("installs a chart, lists it and takes it away again, as alice, with whole JSON and a silent plugin", async () => {
    const { person, logins, askedAs } = await alice(parts);
    const chart = join(person.home.folder, "chart");
    mkdirSync(join(chart, "templates"), { recursive: true });
    writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: greeting\nversion: 0.1.0\n");
    writeFileSync(join(chart, "templates", "greeting.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: greeting}\ndata: {hello: world}\n");
    const helm = (...args: readonly string[]) => person.run(parts.helm.path, args);
    const installed = await helm("install", "hello", chart, "--output=json");
    expect(installed, installed.stderr).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(installed.stdout)).toMatchObject({ name: "hello", info: { status: "deployed" } });
    expect(JSON.parse((await helm("list", "--output=json")).stdout)).toMatchObject([{ name: "hello", chart: "greeting-0.1.0" }]);
    expect(await helm("uninstall", "hello")).toMatchObject({ status: 0, stdout: 'release "hello" uninstalled\n', stderr: "" });
    expect(logins()).toBe(0);
    // Asked for before it is made; read and deleted afterwards.
    expect(askedAs(/configmaps\/greeting/)).toEqual(["oidc:alice 404", "oidc:alice 200"]);
  });

  it("is refused by the server what bob may not do, and says so in the server's words", async () => {
    const stage = await stageOf(parts);
    const bob = stage.person("bob");
    expect((await bob.oidc("setup", ...stage.identity, "--yes")).status).toBe(0);
    const ended = await bob.run(parts.helm.path, ["list"]);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain('User "oidc:bob" cannot list resource "secrets"');
  });
});
