import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { hasProgram } from "../programs.ts";
import { type SetupStage, setSetupStage } from "./setup-stage.ts";

const hasKubectl = hasProgram("kubectl");
const audiences = { prod: "https://prod.example.com", staging: "https://staging.example.com" } as const;

let stage: SetupStage;
let servers: Readonly<Record<keyof typeof audiences, ApiServer>>;
beforeAll(async () => {
  stage = await setSetupStage();
  const server = (audience: string) => startApiServer({ certificates: stage.certificates, issuer: stage.provider.issuer, issuerCa: stage.certificates.caPem, clientId: audience });
  servers = { prod: await server(audiences.prod), staging: await server(audiences.staging) };
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.stop();
  await stage.stop();
});

const before = () => `apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod # the one that pays
  cluster:
    server: ${servers.prod.url}
    certificate-authority: ${stage.certificates.caFile}
- name: staging
  cluster:
    server: ${servers.staging.url}
    certificate-authority: ${stage.certificates.caFile}
    extensions:
    - name: client.authentication.k8s.io/exec
      extension:
        account: ""
contexts:
- name: prod
  context:
    cluster: prod
    user: admin
- name: staging
  context:
    cluster: staging
    user: admin
users:
- name: admin
  user: {token: none}
`;

describe.skipIf(!hasKubectl)(`real kubectl${hasKubectl ? "" : " (not on the PATH)"}, two contexts, two audiences, one user entry`, () => {
  it("is set up by two commands, logs in once, and each cluster gets a token that the other refuses", async () => {
    stage.write(before());
    for (const name of ["prod", "staging"] as const) {
      const ended = await stage.setup([
        ...stage.identity,
        "--context",
        name,
        "--user",
        "oidc",
        `--oidc-audience=${audiences[name]}`,
        `--browser-command=${stage.browser}`,
        "--yes",
      ]);
      expect(ended.status, ended.stderr).toBe(0);
    }
    const text = stage.text();
    expect(text).toContain("- name: prod # the one that pays");
    expect(text.match(/oidc-audience: https:\/\/\w+\.example\.com/g)).toEqual([`oidc-audience: ${audiences.prod}`, `oidc-audience: ${audiences.staging}`]);
    expect(text).not.toContain("--oidc-audience");
    expect(text.match(/command: kubectl-oidc/g)).toHaveLength(1);
    const logins = stage.provider.count("token", "authorization_code");
    for (const name of ["prod", "staging", "prod", "staging"] as const) {
      const ended = await stage.kubectl("get", "pods", "--context", name);
      expect(ended.status, ended.stderr).toBe(0);
      expect(servers[name].requests.at(-1)?.user).toBe("oidc:alice");
    }
    expect(stage.provider.count("token", "authorization_code")).toBe(logins);

    const token = (await stage.home.run(["token", "--context=prod"])).stdout.trim();
    const asked = servers.staging.requests.length;
    const crossed = await stage.kubectl("get", "pods", "--context", "staging", "--user", "admin", "--token", token);
    expect(crossed.status).not.toBe(0);
    expect(servers.staging.requests.slice(asked).every(({ user }) => user === undefined)).toBe(true);
  });

  it("--undo takes the audience out of the cluster's entry again", async () => {
    for (const name of ["staging", "prod"]) expect((await stage.setup(["--undo", "--context", name, "--yes"])).status).toBe(0);
    expect(stage.text()).toBe(before());
  });
});
