import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentSecurityPolicy, plainPage, resultPage } from "../../src/adapters/result-page.ts";

const golden = (name: string) => resolve(import.meta.dirname, "../golden/pages", name);
const issuer = "https://id.example.com";
/** Every tag of our own pages, attributes included. */
const tagsOf = (page: string) => page.match(/<[^>]*>/g) ?? [];

describe("a page for the person's browser", () => {
  it("for a request of another login", async () => {
    await expect(plainPage("Not this login", "This answer belongs to another login. Use the newest window, or start again.", "NONCE")).toMatchFileSnapshot(
      golden("not-this-login.html"),
    );
  });

  it("loads nothing, runs nothing and sends nothing, as its policy says too [LB-11, LB-12]", () => {
    for (const page of [resultPage({ ok: true, issuer }, "N"), resultPage({ ok: false, issuer, code: "X", message: "m", hint: "h" }, "N"), plainPage("t", "x", "N")]) {
      expect(page).not.toMatch(/<(script|img|link|iframe|form|a|object|base)\b|\b(src|href|on\w+)=/i);
      expect(page).toContain('<style nonce="N">');
      expect(page).toContain('<html lang="en">');
    }
    expect(contentSecurityPolicy("N")).toBe("default-src 'none'; style-src 'nonce-N'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  });

  it("has the same tags whatever an issuer, an account or an error is called", () => {
    const hostile = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("<script>alert(1)</script>", '" onload="x', "'><img src=x>", "</title>", "&lt;", "]]>", "<!--"));
    fc.assert(
      fc.property(hostile, hostile, hostile, (one, two, three) => {
        expect(tagsOf(resultPage({ ok: true, issuer: one, account: two }, "N"))).toEqual(tagsOf(resultPage({ ok: true, issuer, account: "a" }, "N")));
        const failed = { ok: false, issuer: one, code: "LOGIN_DENIED", message: two, hint: three };
        expect(tagsOf(resultPage(failed, "N"))).toEqual(tagsOf(resultPage({ ...failed, issuer, message: "m", hint: "h" }, "N")));
        expect(tagsOf(plainPage(one, two, "N"))).toEqual(tagsOf(plainPage("t", "x", "N")));
      }),
    );
  });

  it.each([
    ["the login was denied", "<p>The login was denied.</p>"],
    ["the login was denied: You pressed Cancel.", "<p>The login was denied: You pressed Cancel.</p>"],
    ["it was cut…", "<p>It was cut…</p>"],
    [undefined, "<p>The login did not succeed.</p>"],
  ])("%s is one sentence", (message, line) => expect(resultPage({ ok: false, issuer, ...(message === undefined ? {} : { message }) }, "N")).toContain(line));

  it("names the account only when it is known", () => {
    expect(resultPage({ ok: true, issuer }, "N")).toContain(`<p>You are logged in to <strong>${issuer}</strong>.</p>`);
    expect(resultPage({ ok: true, issuer, account: "ann" }, "N")).toContain("as <strong>ann</strong>.");
  });
});
