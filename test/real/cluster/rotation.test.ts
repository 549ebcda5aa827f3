import { afterAll, beforeAll, expect, it } from "vitest";
import type { Person } from "../person.ts";
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
    const from = stage.cluster.log().length;
    // It remembers for ten seconds that it took a token. whoami asks with the token that there is, and refreshes none that is good.
    await expect
      .poll(async () => (await alice.oidc("whoami")).stderr, { timeout: 40_000, interval: 1_000 })
      .toContain("does not accept the token [TOKEN_REFUSED]\nkubectl-oidc: cause: HTTP 401\n");
    expect(stage.cluster.log().slice(from)).toContain("failed to verify id token signature");
    expect(refreshes()).toBe(0);
    const tries = [await alice.run(parts.kubectl.path, get), await alice.run(parts.kubectl.path, get)];
    expect(tries[1], tries.map(({ stderr }) => stderr).join("\n")).toMatchObject({ status: 0, stderr: "" });
    expect(refreshes()).toBe(1);
    expect(stage.count("token", "authorization_code")).toBe(logins);
  });

  it("an issuer that signs with new keys and publishes the old ones still is noticed by nobody: tokens of both are good, and no refresh is made", async () => {
    const [alice, bob] = [stage.person("alice"), stage.person("bob")];
    for (const person of [alice, bob]) expect((await person.oidc("setup", ...stage.identity, "--yes")).status).toBe(0);
    const seenAs = async (person: Person) => {
      const from = stage.cluster.audit().length;
      expect(await person.run(parts.kubectl.path, ["get", "configmaps"])).toMatchObject({ status: 0, stderr: "" });
      return [
        ...new Set(
          stage.cluster
            .audit()
            .slice(from)
            .flatMap(({ user, status, credentialId }) => (user.startsWith("oidc:") ? [`${user} ${status} ${credentialId}`] : [])),
        ),
      ];
    };
    const [old] = await seenAs(bob);
    expect(old).toMatch(/^oidc:bob 200 JTI=/);
    const refreshes = stage.count("token", "refresh_token");
    await stage.memory.rotateKeys({ keepOld: true });
    await stage.restartIssuer();
    // The server learns the new keys by it.
    expect((await alice.oidc("login", "--force-refresh")).status).toBe(0);
    for (let i = 0; i < 3; i++) expect(await seenAs(alice)).toEqual([expect.stringMatching(/^oidc:alice 200 JTI=/)]);
    expect(await seenAs(bob)).toEqual([old]);
    // It remembers for ten seconds that it took a token: started anew it has to look at the signature.
    await stage.cluster.stopServer();
    await stage.cluster.startServer();
    await expect.poll(async () => (await bob.oidc("whoami")).status, { timeout: 40_000, interval: 500 }).toBe(0);
    expect(await seenAs(bob)).toEqual([old]);
    expect(stage.count("token", "refresh_token")).toBe(refreshes);
  });
});
