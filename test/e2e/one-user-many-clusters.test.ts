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

  it("tells the administrator the cluster's own audience, whatever else the token is for, and with no token too", async () => {
    for (const more of [[], ["--non-interactive"]]) {
      const planned = await stage.setup([...stage.identity, "--context", "prod", "--user", "oidc", `--oidc-audience=${audiences.prod}`, "--dry-run", "-o", "json", ...more]);
      expect(planned.status, planned.stderr).toBe(0);
      expect(JSON.parse(planned.stdout).administrator.authenticationConfiguration).toMatch(/audiences:\n\s+- https:\/\/prod\.example\.com\n(?!\s+- )/);
    }
  });

  it("an audience in the arguments of a user that others share is not taken from them", async () => {
    const text = stage.text();
    stage.write(text.replace("      - get-token\n", "      - get-token\n      - --oidc-audience=https://old.example.com\n"));
    const ended = await stage.setup([...stage.identity, "--context", "prod", "--user", "oidc", `--oidc-audience=${audiences.prod}`, "--yes", "--non-interactive"]);
    expect([ended.status, ended.stderr.includes("[SETTINGS_INVALID]"), ended.stderr.includes("--user NAME")], ended.stderr).toEqual([40, true, true]);
    stage.write(text);
  });

  it("--undo takes the audience out of the cluster's entry again", async () => {
    for (const name of ["staging", "prod"]) expect((await stage.setup(["--undo", "--context", name, "--yes"])).status).toBe(0);
    expect(stage.text()).toBe(before());
  });
});
