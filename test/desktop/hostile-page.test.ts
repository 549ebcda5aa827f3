import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credentialOf, newHome, openUrl } from "../e2e/program.ts";
import { listenOnLocalhost } from "../issuer/listen-on-localhost.ts";
import { startMisbehaving } from "../issuer/misbehaving.ts";
import { findProgram } from "../programs.ts";

const chromiumPath = findProgram("chromium", "chromium-browser", "google-chrome");

/** A page of another origin that knows the port, and even the state, and tries everything that a page can. Gives what it could read. */
const attack = (target: string, state: string) => `<!doctype html><title>evil</title><body><script>
const read = [];
const url = (query) => ${JSON.stringify(target)} + "/?" + query;
const queries = ["error=access_denied", "code=evil&state=other", "error=access_denied&state=other"];
const tries = queries.flatMap((query) => [
  fetch(url(query)).then((r) => r.text()).then((text) => read.push(text), () => undefined),
  fetch(url(query), { mode: "no-cors", credentials: "include" }).catch(() => undefined),
  fetch(url(query), { method: "POST", mode: "no-cors", body: new URLSearchParams("code=evil&state=${state}") }).catch(() => undefined),
  fetch(url(query), { headers: { "x-evil": "1" } }).catch(() => undefined),
  new Promise((done) => { const image = new Image(); image.onload = image.onerror = done; image.src = url(query); }),
  new Promise((done) => { const script = document.createElement("script"); script.onload = script.onerror = done; script.src = url(query); document.body.append(script); }),
  new Promise((done) => { const frame = document.createElement("iframe"); frame.onload = () => { try { read.push(frame.contentDocument.body.innerHTML); } catch {} done(); }; frame.src = url(query); document.body.append(frame); setTimeout(done, 2000); }),
]);
const form = document.createElement("form");
Object.assign(form, { method: "post", action: url("x=1"), target: "hidden" });
form.innerHTML = '<input name="code" value="evil"><input name="state" value="${state}">';
const hidden = document.createElement("iframe");
hidden.name = "hidden";
document.body.append(hidden, form);
form.submit();
navigator.sendBeacon(url("error=x"), "code=evil");
Promise.all(tries).then(() => { window.done = { read }; });
</script>`;

describe.skipIf(chromiumPath === undefined)(`a hostile page in a real browser${chromiumPath === undefined ? " (needs chromium)" : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  });
  afterAll(() => browser?.close());

  it("that talks to the listener in every way a page can neither ends nor takes over the login, and reads nothing [LB-01, LB-02, LB-10, LB-11]", async () => {
    const issuer = await startMisbehaving();
    const home = newHome();
    const seen: { attack: string } = { attack: "" };
    const evil = await listenOnLocalhost((_, response) => void response.writeHead(200, { "content-type": "text/html" }).end(seen.attack));
    try {
      const args = [
        "get-token",
        `--oidc-issuer-url=${issuer.issuer}`,
        "--oidc-client-id=kubernetes",
        "--token-cache-storage=disk",
        "--listen-address=127.0.0.1:0",
        "--skip-open-browser",
      ];
      const started = home.start(args);
      const [, url = ""] = await started.sees(openUrl);
      const asked = new URL(url).searchParams;
      seen.attack = attack(asked.get("redirect_uri") ?? "", asked.get("state") ?? "");
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(evil.origin);
      await page.waitForFunction("window.done !== undefined");
      const { read } = (await page.evaluate("window.done")) as { readonly read: readonly string[] };
      // Chromium shows its own error page in a frame that may not be framed; of ours nothing is read.
      expect(read.filter((text) => /kubectl-oidc|login/i.test(text))).toEqual([]);
      expect(issuer.count("token")).toBe(0);
      // The person, in the same browser.
      const own = await context.newPage();
      await own.goto(url);
      credentialOf(await started.ended);
      expect(await own.locator("h1").textContent()).toContain("Logged in");
      expect(issuer.count("token", "authorization_code")).toBe(1);
    } finally {
      await evil.stop();
      home.remove();
      await issuer.stop();
    }
  });
});
