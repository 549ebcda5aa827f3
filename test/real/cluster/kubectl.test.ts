import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Person } from "../person.ts";
import { describeWith } from "../with-parts.ts";
import { configMap, parsed, type Stage, setStage } from "./stage.ts";

interface Review {
  readonly status: { readonly userInfo: { readonly username: string; readonly groups: readonly string[]; readonly extra: Readonly<Record<string, readonly string[]>> } };
}
interface WhoAmI {
  readonly claims: Readonly<Record<string, unknown>>;
}

/** `whoami`: it has `kubectl auth whoami`, GA in 1.28. */
const kubectls = [
  { name: "kubectl-oldest", whoami: false },
  { name: "kubectl", whoami: true },
  { name: "kubectl-newest", whoami: true },
] as const;

for (const { name, whoami } of kubectls) {
  describeWith(["kube-apiserver", name, "etcd"], (parts) => {
    let stage: Stage;
    let alice: Person;
    beforeAll(async () => {
      stage = await setStage(parts);
      const { authenticationConfiguration, roleBinding } = await stage.plan("--group=developers", "--cluster-role=view");
      await stage.cluster.reconfigure(authenticationConfiguration);
      await stage.bind(parts[name].path, roleBinding);
      await stage.apply(parts[name].path, configMap("shared"));
    });
    /** The user is in the kubeconfig, and nobody is logged in. */
    beforeEach(async () => {
      alice = stage.person("alice");
      const setup = await alice.oidc("setup", ...stage.identity, "--yes", "--non-interactive");
      expect(setup.status, setup.stderr).toBe(0);
    });
    afterAll(() => stage?.stop());
    const kubectl = (...args: readonly string[]) => alice.run(parts[name].path, args);
    const logins = () => stage.count("token", "authorization_code");

    it("the first call logs in, the second asks the issuer nothing", async () => {
      const before = logins();
      const first = await kubectl("get", "configmaps");
      expect(first.status, first.stderr).toBe(0);
      expect(first.stdout).toContain("shared");
      expect(logins()).toBe(before + 1);
      const asked = stage.count("token") + stage.count("authorization");
      const second = await kubectl("get", "configmaps");
      expect(second, second.stderr).toMatchObject({ status: 0, stderr: "" });
      expect(stage.count("token") + stage.count("authorization")).toBe(asked);
    });

    it("the API server sees user, groups and the jti of our token as its credential-id, and so does its audit log", async () => {
      const raw = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
      writeFileSync(join(stage.folder, "review.json"), JSON.stringify({ kind: "SelfSubjectReview", apiVersion: "authentication.k8s.io/v1" }));
      const review = whoami ? await kubectl("auth", "whoami", "-o", "json") : await kubectl("create", "--raw", raw, "-f", join(stage.folder, "review.json"));
      const { userInfo } = parsed<Review>(review).status;
      const { claims } = parsed<WhoAmI>(await alice.oidc("whoami", "-o", "json"));
      const credentialId = `JTI=${claims["jti"]}`;
      expect(userInfo).toMatchObject({ username: "oidc:alice", groups: ["oidc:admins", "oidc:developers", "system:authenticated"] });
      expect(userInfo.extra["authentication.kubernetes.io/credential-id"]).toEqual([credentialId]);
      expect(stage.cluster.audit().filter((event) => event.credentialId === credentialId)).toContainEqual(
        expect.objectContaining({ user: "oidc:alice", uri: expect.stringContaining(raw) }),
      );
    });

    it("the line that roles draw holds: who may look may not write, and a 403 makes nobody log in or refresh", async () => {
      expect((await kubectl("get", "configmaps")).status).toBe(0);
      const asked = stage.count("token");
      const refused = await kubectl("create", "configmap", "mine");
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toMatch(/User "oidc:alice" cannot create resource "configmaps"/);
      expect(stage.count("token")).toBe(asked);
    });

    it("logout revokes and forgets: without a person the next call names the cure, with one it logs in anew", async () => {
      expect((await kubectl("get", "configmaps")).status).toBe(0);
      const before = { logins: logins(), revocations: stage.count("revocation") };
      const logout = await alice.oidc("logout");
      expect(logout.status, logout.stderr).toBe(0);
      expect(stage.count("revocation")).toBe(before.revocations + 1);
      const refused = await alice.run(parts[name].path, ["get", "configmaps"], { CI: "true" });
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain("[LOGIN_REQUIRED]");
      expect(refused.stderr).toContain("hint: run: kubectl oidc login --context=prod");
      expect(logins()).toBe(before.logins);
      expect((await kubectl("get", "configmaps")).status).toBe(0);
      expect(logins()).toBe(before.logins + 1);
    });
  });
}

describeWith(["kube-apiserver", "kubectl-v1beta1", "etcd"], (parts) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage(parts);
    const { authenticationConfiguration, roleBinding } = await stage.plan("--group=developers", "--cluster-role=view");
    await stage.cluster.reconfigure(authenticationConfiguration);
    await stage.bind(parts["kubectl-v1beta1"].path, roleBinding);
  });
  afterAll(() => stage?.stop());

  it("a kubectl of before client.authentication.k8s.io/v1 refuses the stanza by name; with v1beta1 in it, it works", async () => {
    const bob = stage.person("bob");
    expect((await bob.oidc("setup", ...stage.identity, "--yes", "--non-interactive")).status).toBe(0);
    const kubectl = (...args: readonly string[]) => bob.run(parts["kubectl-v1beta1"].path, args);
    const refused = await kubectl("get", "--raw", "/api/v1/namespaces/default/configmaps");
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain("client.authentication.k8s.io/v1");
    const changed = await kubectl("config", "set-credentials", "oidc-prod", "--exec-api-version=client.authentication.k8s.io/v1beta1");
    expect(changed.status, changed.stderr).toBe(0);
    const list = await kubectl("get", "--raw", "/api/v1/namespaces/default/configmaps");
    expect(list.status, list.stderr).toBe(0);
    expect(stage.cluster.audit().at(-1)).toMatchObject({ user: "oidc:bob", status: 200 });
  });
});
