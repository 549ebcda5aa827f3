import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credentialOf, type Home, newHome, openUrl } from "../e2e/program.ts";
import { accounts } from "../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { findProgram } from "../programs.ts";

/** Debian's and other distributions' names of the program. */
const chromiumPath = findProgram("chromium", "chromium-browser", "google-chrome");

/** Screenshots are kept there for a look. */
const pictures = resolve(import.meta.dirname, "../../test-results");

describe.skipIf(chromiumPath === undefined)(`a real browser${chromiumPath === undefined ? " (needs chromium)" : ""}`, () => {
  let folder: string;
  let certificates: Certificates;
  let provider: RunningProvider;
  let browser: Browser;
  let home: Home;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-chromium-"));
    mkdirSync(pictures, { recursive: true });
    certificates = await makeCertificates(folder);
    provider = await startProvider({ certificates });
    browser = await chromium.launch({ executablePath: chromiumPath ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    home = newHome();
  });
  afterAll(async () => {
    await browser?.close();
    await provider?.stop();
    home?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const session = () => [
    "get-token",
    `--oidc-issuer-url=${provider.issuer}`,
    "--oidc-client-id=kubernetes",
    "--token-cache-storage=disk",
    `--certificate-authority=${certificates.caFile}`,
    "--oidc-extra-scope=email",
    "--listen-address=127.0.0.1:0",
    "--skip-open-browser",
  ];

  /** Opens the program's URL and clicks through the provider's own pages with what is given. */
  async function visit(url: string, click: (page: Page) => Promise<void>): Promise<Page> {
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    await page.goto(url);
    await click(page);
    await page.waitForURL(/^http:\/\/localhost:\d+\//);
    return page;
  }

  async function logIn(page: Page): Promise<void> {
    await page.fill('input[name="account"], input[name="login"], input[type="text"]', "alice");
    await page.fill('input[type="password"]', accounts.alice.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("button", { name: "Allow" }).click();
  }

  it("logs in through the provider's page, and our page says the same as the terminal", async () => {
    const started = home.start(session());
    const [, url = ""] = await started.sees(openUrl);
    const page = await visit(url, logIn);
    const ended = await started.ended;
    expect(ended.status, ended.stderr).toBe(0);
    expect(credentialOf(ended).status.token).toMatch(/^ey/);
    expect(await page.locator("h1").textContent()).toContain("Logged in");
    expect(await page.locator("main").textContent()).toContain(accounts.alice.email);
    await page.screenshot({ path: join(pictures, "logged-in.png") });
    await page.context().close();
  });

  it("shows why it failed when the person refuses", async () => {
    const other = newHome();
    try {
      const started = other.start(session());
      const [, url = ""] = await started.sees(openUrl);
      const page = await visit(url, async (form) => {
        await form.fill('input[name="account"], input[name="login"], input[type="text"]', "alice");
        await form.fill('input[type="password"]', accounts.alice.password);
        await form.getByRole("button", { name: "Log in" }).click();
        await form
          .getByRole("button", { name: /deny|cancel|refuse/i })
          .or(form.getByRole("link", { name: /deny|cancel|refuse/i }))
          .first()
          .click();
      });
      const ended = await started.ended;
      expect(ended).toMatchObject({ status: 20, stdout: "" });
      expect(await page.locator("main").textContent()).toContain("LOGIN_DENIED");
      await page.screenshot({ path: join(pictures, "denied.png") });
      await page.context().close();
    } finally {
      other.remove();
    }
  });
});
