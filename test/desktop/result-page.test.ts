import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CallbackConversation, callbackConversation } from "../../src/adapters/callback-conversation.ts";
import { hostsOf } from "../../src/adapters/callback-request.ts";
import type { ResultPage } from "../../src/core/result-page.ts";
import { never, state, theAnswer } from "../adapters/callback-stage.ts";
import { findProgram } from "../programs.ts";

const chromiumPath = findProgram("chromium", "chromium-browser", "google-chrome");
const pictures = resolve(import.meta.dirname, "../../test-results/pages");

const issuer = "https://id.example.com";
const long = `${"an-account-without-any-blank".repeat(12)}@example.com`;
const outcomes = {
  "logged in": { ok: true, issuer, account: "ann@example.com" },
  failed: {
    ok: false,
    issuer,
    code: "ISSUER_UNREACHABLE",
    message: "https://id.example.com cannot be reached (time-out)",
    hint: "check the network, the VPN and the proxy, then try again",
  },
  denied: { ok: false, issuer, code: "LOGIN_DENIED", message: "the login was denied: access_denied: You pressed Cancel.", hint: "run: kubectl oidc login" },
  "logged in, long names": { ok: true, issuer: `https://id.example.com/${"a-realm".repeat(60)}`, account: long },
  "denied, long words": {
    ok: false,
    issuer: `https://id.example.com/${"a-realm".repeat(60)}`,
    code: "LOGIN_DENIED",
    message: `the login was denied: ${long}`,
    hint: `run: kubectl oidc login --account=${long}`,
  },
} as const satisfies Record<string, ResultPage>;
const names = [...(Object.keys(outcomes) as (keyof typeof outcomes)[]), "already used", "not found"] as const;
type Name = (typeof names)[number];

/** Of two colours as `rgb(1, 2, 3)` (WCAG 2.2, relative luminance). */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [r = 0, g = 0, b = 0] = (colour.match(/\d+/g) ?? []).map((part) =>
      Number(part) / 255 <= 0.04045 ? Number(part) / 255 / 12.92 : ((Number(part) / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** Rectangles of text that reach out of the window, and elements that hold more than they show. */
const whatIsCut = `(() => {
  const cut = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.left < 0 || box.right > innerWidth + 0.5) cut.push(node.textContent.slice(0, 40));
  }
  for (const element of document.querySelectorAll("body, main, h1, p")) {
    if (element.scrollWidth > element.clientWidth + 1 || getComputedStyle(element).overflow !== "visible") cut.push(element.tagName);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) cut.push("scrolls sideways");
  return cut;
})()`;

describe.skipIf(chromiumPath === undefined)(`the page at the end of a login, in a real browser${chromiumPath === undefined ? " (needs chromium)" : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    browser = await chromium.launch({ executablePath: chromiumPath ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  });
  afterAll(() => browser?.close());

  /** The page as the program serves it, with all its headers; the server stays for what comes after the outcome. */
  async function open<T>(name: Name, options: BrowserContextOptions, look: (page: Page) => Promise<T>): Promise<T> {
    const conversation: CallbackConversation = callbackConversation((port) => ({ state, path: "/", hosts: hostsOf(port, false, undefined), formPost: false }), undefined);
    const server = createServer(conversation.handle);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const context = await browser.newContext(options);
    const page = await context.newPage();
    // A policy that forbids what the page has is said there.
    const said: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => void (/status of 40[04]/.test(message.text()) || said.push(message.text())));
    page.on("request", (request) => void asked.push(request.url()));
    try {
      if (name === "not found") await page.goto(`${origin}/nothing`);
      else {
        const shown = page.goto(`${origin}${theAnswer}`);
        await conversation.next(never);
        await conversation.tell(name === "already used" ? outcomes["logged in"] : outcomes[name]);
        await shown;
        if (name === "already used") await page.reload();
      }
      const result = await look(page);
      expect(said).toEqual([]);
      expect(new Set(asked).size, asked.join(" ")).toBe(1);
      return result;
    } finally {
      await context.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  const picture = (page: Page, name: string) => page.screenshot({ path: join(pictures, `${name.replace(/[ ,]+/g, "-")}.png`), fullPage: true });

  describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
    it.each(names)("%s: axe finds nothing to mend, and measured every contrast", async (name) => {
      await open(name, { colorScheme, viewport: { width: 800, height: 500 } }, async (page) => {
        await picture(page, `${name} ${colorScheme}`);
        await page.evaluate(axe.source);
        const { violations, incomplete, passes } = (await page.evaluate("axe.run(document, { resultTypes: ['violations', 'incomplete', 'passes'] })")) as axe.AxeResults;
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
        // The sign in the heading is no letter, which axe does not measure.
        expect(incomplete.flatMap(({ nodes }) => nodes.map(({ html }) => html)).filter((html) => !/^<span aria-hidden="true">.<\/span>$/u.test(html))).toEqual([]);
        const [ink, ground] = (await page.evaluate(
          "[getComputedStyle(document.querySelector('h1 span')).color, getComputedStyle(document.querySelector('main')).backgroundColor]",
        )) as [string, string];
        expect(contrast(ink, ground)).toBeGreaterThanOrEqual(4.5);
        expect(passes.map(({ id }) => id)).toEqual(
          expect.arrayContaining(["color-contrast", "document-title", "html-has-lang", "landmark-one-main", "page-has-heading-one", "region"]),
        );
      });
    });

    it("has a ground that fits", async () => {
      const ground = await open("logged in", { colorScheme }, (page) => page.evaluate("getComputedStyle(document.body).backgroundColor"));
      const lightness = Math.max(...(String(ground).match(/\d+/g) ?? []).map(Number));
      if (colorScheme === "dark") expect(lightness).toBeLessThan(64);
      else expect(lightness).toBeGreaterThan(224);
    });
  });

  it.each([
    ["a window of 320 px", { viewport: { width: 320, height: 568 } }],
    // 1280 x 1024 at 400 %: WCAG 2.2, 1.4.10.
    ["zoom 400 percent", { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 }],
  ] as const)("%s cuts no text and needs no scrolling sideways, whatever names and messages are", async (size, options) => {
    for (const name of names) {
      await open(name, options, async (page) => {
        await picture(page, `${name} ${size}`);
        expect(await page.evaluate(whatIsCut), name).toEqual([]);
      });
    }
  });

  it("follows the person's own font size, also when nothing else is changed", async () => {
    await open("denied", { viewport: { width: 800, height: 600 } }, async (page) => {
      const sizes = "['h1', 'p', 'code', '.small'].map((name) => parseFloat(getComputedStyle(document.querySelector(name)).fontSize))";
      const before = (await page.evaluate(sizes)) as readonly number[];
      await page.evaluate("document.documentElement.style.fontSize = '200%'");
      expect(await page.evaluate(sizes)).toEqual(before.map((size) => size * 2));
      expect(await page.evaluate(whatIsCut)).toEqual([]);
    });
  });

  it("keeps its border and its words with forced colours, where no colour of ours is left", async () => {
    for (const name of ["logged in", "denied"] as const) {
      await open(name, { forcedColors: "active" }, async (page) => {
        await picture(page, `${name} forced colours`);
        const look = (await page.evaluate(
          "(() => { const main = getComputedStyle(document.querySelector('main')); const h1 = getComputedStyle(document.querySelector('h1 span')); return { border: main.borderLeftWidth, line: main.borderLeftColor, ground: main.backgroundColor, text: main.color, sign: h1.color }; })()",
        )) as Readonly<Record<"border" | "line" | "ground" | "text" | "sign", string>>;
        expect(look.border).toBe("1px");
        expect(look.line).not.toBe(look.ground);
        expect(look.sign).toBe(look.text);
        expect(await page.locator("h1").textContent()).toMatch(name === "denied" ? "✗ Login failed" : "✓ Logged in");
      });
    }
  });
});
