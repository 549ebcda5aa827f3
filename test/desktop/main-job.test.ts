import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { writeKubeconfig } from "../cluster/kubeconfig.ts";
import { type Home, newHome, openUrl, programCommand } from "../e2e/program.ts";
import { accounts } from "../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { findProgram, hasProgram } from "../programs.ts";
import { type SecretService, startSecretService } from "./secret-service.ts";

const [program, ...programArgs] = programCommand;
const chromiumPath = findProgram("chromium", "chromium-browser", "google-chrome");
const missing = ["dbus-daemon", "gnome-keyring-daemon", "dbus-send", "secret-tool", "kubectl"]
  .filter((name) => !hasProgram(name))
  .concat(chromiumPath === undefined ? ["chromium"] : []);

interface Command {
  readonly child: ChildProcess;
  readonly text: { stdout: string; stderr: string };
  readonly status: Promise<number | null>;
}

describe.skipIf(missing.length > 0)(`kubectl get pods with a real provider, browser and keyring${missing.length === 0 ? "" : ` (needs ${missing.join(", ")})`}`, () => {
  let home: Home;
  let certificates: Certificates;
  let provider: RunningProvider;
  let api: ApiServer;
  let service: SecretService;
  let browser: Browser;

  beforeAll(async () => {
    home = newHome();
    certificates = await makeCertificates(home.folder);
    provider = await startProvider({ certificates });
    api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
    service = await startSecretService("normal");
    browser = await chromium.launch({ executablePath: chromiumPath ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    const args = [
      ...programArgs,
      "get-token",
      `--oidc-issuer-url=${provider.issuer}`,
      "--oidc-client-id=kubernetes",
      `--certificate-authority=${certificates.caFile}`,
      "--listen-address=127.0.0.1:0",
      "--skip-open-browser",
    ];
    writeKubeconfig(join(home.folder, "kubeconfig"), { server: api.url, caFile: certificates.caFile, command: program, args });
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await api?.stop();
    await provider?.stop();
    home?.remove();
  });

  const environment = () => ({ ...home.env, DBUS_SESSION_BUS_ADDRESS: service.env["DBUS_SESSION_BUS_ADDRESS"] ?? "" });

  function start(program: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Command {
    const child = spawn(program, [...args], { env: { ...environment(), ...more }, stdio: ["ignore", "pipe", "pipe"], timeout: 50_000, killSignal: "SIGKILL" });
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text.stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text.stderr += chunk;
    });
    return { child, text, status: new Promise((done) => child.on("close", done)) };
  }

  async function run(
    program: string,
    args: readonly string[],
    more?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
    const command = start(program, args, more);
    return { status: await command.status, ...command.text };
  }

  const keyringItem = () => {
    try {
      return execFileSync("secret-tool", ["lookup", "service", "kubectl-oidc", "username", `${provider.issuer}#kubernetes`], { env: environment(), encoding: "utf8" });
    } catch {
      return "";
    }
  };

  it("logs in once, works from the cache, refreshes from the keyring, and is gone after logout", async () => {
    const first = start("kubectl", ["get", "pods"]);
    await expect.poll(() => openUrl.test(first.text.stderr), { timeout: 20_000 }).toBe(true);
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    await page.goto(openUrl.exec(first.text.stderr)?.[1] ?? "");
    await page.fill('input[name="login"]', "alice");
    await page.fill('input[name="password"]', accounts.alice.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(/^http:\/\/localhost:\d+\//);
    expect(await page.locator("h1").textContent()).toContain("Logged in");
    expect(await first.status, first.text.stderr).toBe(0);
    expect(first.text.stdout).toContain("web-5d8f");
    expect(keyringItem()).toContain("refreshToken");

    const before = provider.requests.length;
    const second = await run("kubectl", ["get", "pods"]);
    expect(second).toMatchObject({ status: 0, stderr: "" });
    // The API server asks the issuer for its keys; nobody asks it for tokens.
    expect(provider.requests.slice(before).filter(({ route }) => route === "token" || route === "authorization")).toEqual([]);

    const refreshed = await run(program, [...programArgs, "token", "--context=demo", "--force-refresh"]);
    expect(refreshed.status, refreshed.stderr).toBe(0);
    expect(provider.count("token", "refresh_token")).toBe(1);
    expect((await run("kubectl", ["get", "pods"])).status).toBe(0);

    const out = await run(program, [...programArgs, "logout", "--context=demo"]);
    expect(out.status, out.stderr).toBe(0);
    expect(provider.count("revocation")).toBe(1);
    // The list of trusted servers stays; the refresh token does not.
    expect(keyringItem()).not.toContain("refreshToken");
    const asked = await run("kubectl", ["get", "pods"], { CI: "true" });
    expect(asked.status).not.toBe(0);
    expect(asked.stderr).toContain("[LOGIN_REQUIRED]");
  });
});
