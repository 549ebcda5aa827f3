import { createHash } from "node:crypto";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alreadyUsedPage, contentSecurityPolicy, plainPage, resultPage } from "../../src/adapters/result-page.ts";

const golden = (name: string) => resolve(import.meta.dirname, "../golden/pages", name);
const issuer = "https://id.example.com";
const denied = { ok: false, issuer, code: "LOGIN_DENIED", message: "the login was denied: access_denied", hint: "run: kubectl oidc login" } as const;
/** Every tag of our own pages, attributes included. */
const tagsOf = (page: string) => page.match(/<[^>]*>/g) ?? [];
const pages = (): Readonly<Record<string, string>> => ({
  "logged in": resultPage({ ok: true, issuer, account: "ann@example.com" }),
  denied: resultPage(denied),
  "already used": alreadyUsedPage(),
  "not found": plainPage("Not found", "There is nothing here."),
});

describe("a page for the person's browser", () => {
  it("for a request of another login", async () => {
    await expect(plainPage("Not this login", "This answer belongs to another login. Use the newest window, or start again.")).toMatchFileSnapshot(golden("not-this-login.html"));
  });
  it("for an answer that comes again", async () => {
    await expect(alreadyUsedPage()).toMatchFileSnapshot(golden("already-used.html"));
  });

  it.each(Object.keys(pages()))("%s: has a language, the outcome first in its title, one main and one heading", (name) => {
    const page = pages()[name] ?? "";
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    const heading = /<h1><span aria-hidden="true">.<\/span> ([^<]+)<\/h1>/u.exec(page)?.[1] ?? "";
    expect(heading).not.toBe("");
    expect(page).toContain(`<title>${heading} – kubectl-oidc</title>`);
    expect(tagsOf(page).filter((tag) => /^<(main|h1)\b/.test(tag))).toHaveLength(2);
  });

  it.each(Object.keys(pages()))("%s: loads nothing, runs nothing and sends nothing, as its policy says too [LB-11, LB-12]", (name) => {
    const page = pages()[name] ?? "";
    expect(page).not.toMatch(/<(script|img|iframe|form|a|object|base)\b|\b(src|on\w+)=|url\(|@import|@font-face|animation|transition/i);
    // The one link is an icon of no bytes: without it browsers ask for /favicon.ico.
    expect(page.match(/<link\b[^>]*>/g)).toEqual(['<link rel="icon" href="data:,">']);
    expect(page.match(/\bhref=/g)).toHaveLength(1);
    const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? "";
    const digest = createHash("sha256").update(style).digest("base64");
    expect(contentSecurityPolicy).toBe(`default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`);
  });

  it("has sizes that follow the person's own font size, and colours for light and dark", () => {
    const style = /<style>([\s\S]*)<\/style>/.exec(alreadyUsedPage())?.[1] ?? "";
    expect(style).toContain("color-scheme: light dark");
    expect(style).not.toMatch(/opacity/);
    // A hairline may stay one.
    expect(style.match(/\d+px/g)).toEqual(["1px"]);
  });

  it("has less than 3 KB, with the longest texts of an issuer too", () => {
    for (const page of Object.values(pages())) expect(Buffer.byteLength(page)).toBeLessThan(2_500);
    const long = `https://id.example.com/${"x".repeat(2_000)}`;
    expect(Buffer.byteLength(resultPage({ ok: true, issuer: long, account: long }))).toBeLessThan(3_072);
    expect(Buffer.byteLength(resultPage({ ...denied, message: `the login was denied: ${long}`, issuer: long }))).toBeLessThan(3_072);
  });

  it("has the same tags whatever an issuer, an account or an error is called", () => {
    const hostile = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("<script>alert(1)</script>", '" onload="x', "'><img src=x>", "</title>", "&lt;", "]]>", "<!--"));
    fc.assert(
      fc.property(hostile, hostile, hostile, (one, two, three) => {
        expect(tagsOf(resultPage({ ok: true, issuer: one, account: two }))).toEqual(tagsOf(resultPage({ ok: true, issuer, account: "a" })));
        for (const before of ["", "run: "]) {
          const failed = { ok: false, issuer: one, code: "LOGIN_DENIED", message: two, hint: `${before}${three}x` };
          expect(tagsOf(resultPage(failed))).toEqual(tagsOf(resultPage({ ...failed, issuer, message: "m", hint: `${before}h` })));
        }
        expect(tagsOf(plainPage(one, two))).toEqual(tagsOf(plainPage("t", "x")));
      }),
    );
  });

  it.each([
    ["the login was denied", "<p>The login was denied.</p>"],
    ["the login was denied: You pressed Cancel.", "<p>The login was denied: You pressed Cancel.</p>"],
    ["https://id.example.com cannot be reached", "<p>https://id.example.com cannot be reached.</p>"],
    ["it was cut…", "<p>It was cut…</p>"],
    [undefined, "<p>The login did not succeed.</p>"],
  ])("%s is one sentence", (message, line) => expect(resultPage({ ok: false, issuer, ...(message === undefined ? {} : { message }) })).toContain(line));

  it.each([
    ["run: kubectl oidc login", "<p>Run: <code>kubectl oidc login</code></p>"],
    ["unlock the keychain, or run: kubectl oidc login", "<p>Unlock the keychain, or run: <code>kubectl oidc login</code></p>"],
    ["check this computer's clock", "<p>Check this computer&#39;s clock.</p>"],
  ])("the cure %s is a sentence, its command apart", (hint, line) => expect(resultPage({ ok: false, issuer, hint })).toContain(line));

  it("names the account only when it is known", () => {
    expect(resultPage({ ok: true, issuer })).toContain(`<p>You are logged in to <strong>${issuer}</strong>.</p>`);
    expect(resultPage({ ok: true, issuer, account: "ann" })).toContain("as <strong>ann</strong>.");
  });
});
