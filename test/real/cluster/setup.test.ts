import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { describeWith } from "../with-parts.ts";
import { parsed, type Stage, setStage } from "./stage.ts";

interface Setup {
  readonly review: string;
  readonly expected: { readonly username: string; readonly groups: readonly string[] } | null;
}

describeWith(["kube-apiserver", "kubectl-newest", "etcd"], (parts) => {
  let stage: Stage;
  const kubectl = parts["kubectl-newest"].path;
  beforeAll(async () => {
    stage = await setStage(parts);
  });
  afterAll(() => stage?.stop());

  it("setup at a cluster that knows no issuer writes, and says what its administrator has to do; with what it printed the running server takes the token", async () => {
    const alice = stage.person("alice");
    const early = await alice.oidc("setup", ...stage.identity, "--yes", "-o", "json");
    expect(parsed<Setup>(early).review).toBe("refused");
    expect(early.stderr).toContain("does not accept the token yet (401)");
    const refused = await alice.run(kubectl, ["get", "namespaces"]);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/Unauthorized|must be logged in/);

    const { authenticationConfiguration } = await stage.plan();
    expect(parse(authenticationConfiguration)).toMatchObject({ apiVersion: "apiserver.config.k8s.io/v1", jwt: [{ issuer: { url: stage.issuer } }] });
    await stage.cluster.reconfigure(authenticationConfiguration);
    const late = parsed<Setup>(await alice.oidc("setup", ...stage.identity, "--yes", "-o", "json"));
    expect(late).toMatchObject({ review: "seen", expected: { username: "oidc:alice", groups: ["oidc:admins", "oidc:developers"] } });
    expect(stage.count("token", "authorization_code")).toBe(1);
    expect((await alice.oidc("doctor")).stdout).toContain("the API server sees oidc:alice with 2 groups, by this very token");
  });

  it("the printed configuration starts a server that was stopped, too", async () => {
    await stage.cluster.reconfigure((await stage.plan()).authenticationConfiguration);
    await stage.cluster.stopServer();
    await stage.cluster.startServer();
    const bob = stage.person("bob");
    expect(parsed<Setup>(await bob.oidc("setup", ...stage.identity, "--yes", "-o", "json")).review).toBe("seen");
  });

  it("the printed flags, in the place of the configuration, make the same users", async () => {
    await stage.cluster.stopServer();
    await stage.cluster.startServer((await stage.plan()).flags);
    const alice = stage.person("alice");
    const setup = await alice.oidc("setup", ...stage.identity, "--yes");
    expect(setup.stderr).toContain("the API server sees oidc:alice, in oidc:admins, oidc:developers");
    await stage.cluster.stopServer();
    await stage.cluster.startServer();
  });

  it("the printed role binding, applied by kubectl, lets the group in and nobody else", async () => {
    const [alice, bob] = [stage.person("alice"), stage.person("bob")];
    for (const person of [alice, bob]) expect((await person.oidc("setup", ...stage.identity, "--yes")).status).toBe(0);
    const before = await alice.run(kubectl, ["create", "configmap", "of-alice"]);
    expect(before.stderr).toContain("forbidden");
    await stage.bind(kubectl, (await stage.plan("--group=admins", "--cluster-role=edit")).roleBinding);
    const made = await alice.run(kubectl, ["create", "configmap", "of-alice"]);
    expect(made, made.stderr).toMatchObject({ status: 0, stdout: "configmap/of-alice created\n" });
    const refused = await bob.run(kubectl, ["create", "configmap", "of-bob"]);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/User "oidc:bob" cannot create resource "configmaps"/);
  });
});
