import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../with-parts.ts";
import { configMap, type Stage, setStage } from "./stage.ts";

describeWith(["kube-apiserver", "kubectl", "etcd"], (parts) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage(parts);
    const { authenticationConfiguration, roleBinding } = await stage.plan("--group=developers");
    await stage.cluster.reconfigure(authenticationConfiguration);
    await stage.bind(parts.kubectl.path, roleBinding);
    await stage.apply(parts.kubectl.path, configMap("shared"));
  });
  afterAll(() => stage?.stop());

  it("after the issuer's signing keys were changed, a token of the old ones is refused, and heals by one refresh without a login", async () => {
    const [alice, bob] = [stage.person("alice"), stage.person("bob")];
    const get = ["get", "configmaps"];
    expect((await alice.oidc("setup", ...stage.identity, "--yes")).status).toBe(0);
    expect((await alice.run(parts.kubectl.path, get)).status).toBe(0);
    await stage.memory.rotateKeys({ keepOld: false });
    await stage.restartIssuer();
    // The server learns the new keys when it sees a token of theirs, and drops the old ones then.
    expect((await bob.oidc("setup", ...stage.identity, "--yes")).stderr).toContain("the API server sees oidc:bob");
    const logins = stage.count("token", "authorization_code");
    const refreshes = () => stage.count("token", "refresh_token");
    expect(refreshes()).toBe(0);
    // It remembers for ten seconds that it took a token.
    await expect.poll(async () => (await alice.oidc("whoami")).stderr + String(refreshes()), { timeout: 40_000, interval: 1_000 }).toMatch(/401|refuse|1$/);
    const tries = [await alice.run(parts.kubectl.path, get), await alice.run(parts.kubectl.path, get)];
    expect(tries[1], tries.map(({ stderr }) => stderr).join("\n")).toMatchObject({ status: 0, stderr: "" });
    expect(refreshes()).toBe(1);
    expect(stage.count("token", "authorization_code")).toBe(logins);
  });

  it("keys that are published before they sign, and after, are noticed by nobody", async () => {
    const alice = stage.person("alice");
    expect((await alice.oidc("setup", ...stage.identity, "--yes")).status).toBe(0);
    const refreshes = stage.count("token", "refresh_token");
    await stage.memory.rotateKeys({ keepOld: true });
    await stage.restartIssuer();
    expect((await alice.oidc("login", "--force-refresh")).status).toBe(0);
    for (let i = 0; i < 3; i++) expect(await alice.run(parts.kubectl.path, ["get", "configmaps"])).toMatchObject({ status: 0, stderr: "" });
    expect(stage.count("token", "refresh_token")).toBe(refreshes);
  });
});
