import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { splitCommand } from "../../../src/core/split-command.ts";
import type { Person } from "../person.ts";
import { describeWith } from "../with-parts.ts";
import { parsed, type Stage, setStage } from "./stage.ts";

interface Check {
  readonly id: string;
  readonly status: string;
  readonly detail: string;
}

describeWith(["kubectl-newest", "kube-apiserver", "etcd"], (parts) => {
  let stage: Stage;
  let alice: Person;
  let kuberc: string;
  beforeAll(async () => {
    stage = await setStage(parts);
    const { authenticationConfiguration, roleBinding } = await stage.plan("--group=developers");
    await stage.cluster.reconfigure(authenticationConfiguration);
    await stage.bind(parts["kubectl-newest"].path, roleBinding);
  });
  beforeEach(async () => {
    alice = stage.person("alice");
    symlinkSync(parts["kubectl-newest"].path, join(dirname(alice.plugin), "kubectl"));
    const folder = join(alice.env["HOME"] ?? "", ".kube");
    mkdirSync(folder);
    kuberc = join(folder, "kuberc");
    expect((await alice.oidc("setup", ...stage.identity, "--yes", "--absolute-path")).status).toBe(0);
  });
  afterAll(() => stage?.stop());
  const kubectl = (...args: readonly string[]) => alice.run("kubectl", args);
  const policy = async () => {
    const { stdout } = await alice.oidc("doctor", "-o", "json");
    return (JSON.parse(stdout) as { readonly checks: readonly Check[] }).checks.find(({ id }) => id === "D-02");
  };
  const plan = async () =>
    parsed<{ readonly administrator: { readonly kuberc: string; readonly kubercCommand: string } }>(await alice.oidc("setup", "--dry-run", "-o", "json")).administrator;

  it("the kuberc that setup prints lets this program in, and doctor agrees", async () => {
    writeFileSync(kuberc, (await plan()).kuberc);
    const ran = await kubectl("get", "configmaps");
    expect(ran.status, ran.stderr).toBe(0);
    expect(await policy()).toMatchObject({ status: "ok" });
  });

  it("the command that setup prints writes such a kuberc", async () => {
    const [program = "", ...args] = splitCommand((await plan()).kubercCommand) ?? [];
    const set = await alice.run(program, args);
    expect(set.status, set.stderr).toBe(0);
    const ran = await kubectl("get", "configmaps");
    expect(ran.status, ran.stderr).toBe(0);
    expect(await policy()).toMatchObject({ status: "ok" });
  });

  it.each([
    ["names another plugin only", "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- command: /usr/bin/another-plugin\n"],
    ["denies every plugin", "credentialPluginPolicy: DenyAll\n"],
  ])("a kuberc that %s keeps kubectl from starting this program, and doctor says that it does", async (_, rules) => {
    writeFileSync(kuberc, `apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n${rules}`);
    const ran = await kubectl("get", "configmaps");
    expect(ran.status).not.toBe(0);
    expect(ran.stderr).toMatch(/not permitted by the credential plugin allowlist|credential plugin policy|DenyAll/);
    expect(await policy()).toMatchObject({ status: "fail" });
  });
});
