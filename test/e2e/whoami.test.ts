import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { writeKubeconfig } from "../cluster/kubeconfig.ts";
import { accounts } from "../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { errorCode, type Home, newHome } from "./program.ts";

const browserProgram = resolve(import.meta.dirname, "../../dist-dev/browser-command.mjs");

let home: Home;
let certificates: Certificates;
let provider: RunningProvider;
let api: ApiServer;

const session = () => [
  `--oidc-issuer-url=${provider.issuer}`,
  "--oidc-client-id=kubernetes",
  "--oidc-extra-scope=groups",
  `--certificate-authority=${certificates.caFile}`,
  "--token-cache-storage=disk",
];
const use = (server: string, caFile = certificates.caFile) =>
  writeKubeconfig(join(home.folder, "kubeconfig"), { server, caFile, command: "kubectl-oidc", args: ["get-token", ...session()] });

beforeAll(async () => {
  home = newHome();
  certificates = await makeCertificates(home.folder);
  provider = await startProvider({ certificates });
  api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
  use(api.url);
  const login = ["login", "--listen-address=127.0.0.1:0", `--browser-command='${process.execPath}' '${browserProgram}'`];
  const ended = await home.run(login, { DEMO_CA_FILE: certificates.caFile, DEMO_ACCOUNT: "alice", DEMO_PASSWORD: accounts.alice.password });
  expect(ended.status, ended.stderr).toBe(0);
});
afterAll(async () => {
  await api.stop();
  await provider.stop();
  home.remove();
});

describe("whoami", () => {
  it("shows the token's claims beside whom the server sees, and proves that it saw this token", async () => {
    use(api.url);
    const ended = await home.run(["whoami"]);
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    const shown = ended.stdout.replaceAll(/https:\/\/localhost:\d+/g, "https://HOST").replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME");
    await expect(shown).toMatchFileSnapshot(resolve(import.meta.dirname, "../golden/whoami.txt"));
  });

  it("with -o json says the same for programs", async () => {
    use(api.url);
    const ended = await home.run(["whoami", "-o", "json"]);
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(ended.stdout)).toMatchObject({
      issuer: provider.issuer,
      clientId: "kubernetes",
      subject: "alice",
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
      claims: { iss: provider.issuer, sub: "alice", aud: "kubernetes" },
      context: "demo",
      server: api.url,
      review: "seen",
      user: { username: "oidc:alice", groups: expect.arrayContaining(["oidc:admins", "system:authenticated"]) },
      sameToken: true,
    });
    expect(ended.stdout).not.toMatch(/ey[\w-]+\.[\w-]+\./);
  });

  it("whose token the server refuses shows the claims all the same, then TOKEN_REFUSED", async () => {
    use(api.url);
    api.refuseNext();
    const ended = await home.run(["whoami"]);
    expect(ended.status).toBe(40);
    expect(errorCode(ended)).toBe("TOKEN_REFUSED");
    expect(ended.stdout).toContain("the token is refused (401)");
    expect(ended.stdout).toContain("alice");
    api.refuseNext();
    const json = await home.run(["whoami", "-o", "json"]);
    expect(json.status).toBe(40);
    expect(JSON.parse(json.stdout)).toMatchObject({ review: "refused", user: null, sameToken: null });
    expect(JSON.parse(json.stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({ code: "TOKEN_REFUSED", exit: 40 });
  });

  it("is never said to a server that the session does not know", async () => {
    use("https://localhost:1");
    const ended = await home.run(["whoami"]);
    expect(ended).toMatchObject({ status: 40, stdout: "" });
    expect(errorCode(ended)).toBe("SERVER_NOT_TRUSTED");
  });

  it("without a context shows the claims alone", async () => {
    writeFileSync(join(home.folder, "kubeconfig"), "");
    const ended = await home.run(["whoami", ...session(), "-o", "json"]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ subject: "alice", context: null, server: null, review: "not-asked", user: null });
    const text = await home.run(["whoami", ...session()]);
    expect(text.stdout).toMatch(/^The token says:\n/);
    expect(text.stdout).not.toContain("API server");
  });

  it("of nobody is LOGIN_REQUIRED, and starts no login", async () => {
    use(api.url);
    const ended = await home.run(["whoami", "--account=nobody"]);
    expect(ended).toMatchObject({ status: 20, stdout: "" });
    expect(errorCode(ended)).toBe("LOGIN_REQUIRED");
    expect(ended.stderr).not.toContain("open this URL");
  });

  it("and a server that is not there: the claims, then API_SERVER_UNREACHABLE", async () => {
    const other = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
    use(other.url);
    expect((await home.run(["trust", "add", "--context=demo"])).status).toBe(0);
    await other.stop();
    const ended = await home.run(["whoami"]);
    expect(ended.status).toBe(30);
    expect(errorCode(ended)).toBe("API_SERVER_UNREACHABLE");
    expect(ended.stdout).toContain("cannot be reached");
  });
});
