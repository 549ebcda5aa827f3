import { createHash } from "node:crypto";
import type { ResultPage } from "../core/result-page.ts";
import { safeText } from "../core/untrusted-text.ts";

/** Of any foreign text in a page: what an issuer says about a refusal has a few hundred. Characters. */
const longestText = 300;

/**
 * The one style. Every colour on its ground has a contrast of 4.5:1 or more, in light and in dark, so none is made by opacity; sizes are in
 * rem, so that the person's own font size counts; an account of 300 letters breaks anywhere instead of widening the page. Nothing moves.
 */
const style = `
:root { color-scheme: light dark; --ground: #f6f8fa; --card: #fff; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) {
:root { --ground: #0d1117; --card: #151b23; --text: #f0f6fc; --quiet: #9198a1; --line: #3d444d; --good: #3fb950; --bad: #f85149; }
}
body { margin: 0; padding: 1rem; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 32rem; margin: 12vh auto 0; padding: 1.5rem clamp(1rem, 5vw, 2rem); background: var(--card); border: 1px solid var(--line); border-top: .25rem solid var(--mark, var(--quiet)); border-radius: .5rem; }
.good { --mark: var(--good); }
.bad { --mark: var(--bad); }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
h1 span { color: var(--mark, var(--quiet)); }
p { margin: .75rem 0 0; }
code { font: .875rem ui-monospace, monospace; background: var(--ground); padding: .125rem .25rem; border-radius: .25rem; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.small { color: var(--quiet); font-size: .875rem; }
`;

/** Nothing but the one style and the empty icon, which keeps browsers from asking for /favicon.ico. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The page that the person's browser shows at the end. No script, nothing from elsewhere; every foreign text is made safe and escaped. */
export function resultPage(page: ResultPage): string {
  if (page.ok) {
    return document("Logged in", "good", [
      `<p>You are logged in to <strong>${escapeHtml(page.issuer)}</strong>${page.account === undefined ? "" : ` as <strong>${escapeHtml(page.account)}</strong>`}.</p>`,
      "<p>You can close this window and go back to the terminal.</p>",
    ]);
  }
  return document("Login failed", "bad", [
    `<p>${escapeHtml(sentence(page.message ?? "the login did not succeed"))}</p>`,
    ...(page.hint === undefined ? [] : [`<p>${cure(page.hint)}</p>`]),
    `<p class="small">${escapeHtml(page.issuer)}${page.code === undefined ? "" : ` · ${escapeHtml(page.code)}`}</p>`,
  ]);
}

/** For requests that are not the login's answer. `text`: one sentence. */
export function plainPage(title: string, text: string): string {
  return document(title, "plain", [`<p>${escapeHtml(text)}</p>`]);
}

/** For the right answer when it comes again: a code is good for one exchange. */
export function alreadyUsedPage(): string {
  return plainPage("Already used", "You are logged in, and this address works once. You can close this window and go back to the terminal.");
}

/** A sign beside the words, since colour alone says nothing to many. */
const signs = { good: "✓", bad: "✗", plain: "·" } as const;

function document(title: string, kind: keyof typeof signs, lines: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} – kubectl-oidc</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main class="${kind}">
<h1><span aria-hidden="true">${signs[kind]}</span> ${escapeHtml(title)}</h1>
${lines.join("\n")}
</main>
</body>
</html>
`;
}

/** `unlock the keychain, or run: kubectl oidc login`: the command stands apart, as something to copy. */
function cure(hint: string): string {
  const safe = safeText(hint, longestText);
  const [, before, command] = /^(.*?\brun: )(.+)$/.exec(safe) ?? [];
  return before === undefined || command === undefined ? escapeHtml(sentence(safe)) : `${escapeHtml(capital(before))} <code>${escapeHtml(command)}</code>`;
}

/** Our messages have no full stop; an issuer's description at their end may bring one. */
const sentence = (text: string) => `${capital(text)}${/[.!?…]$/.test(text) ? "" : "."}`;
/** A word only: a URL or an option stays as it is. */
const capital = (text: string) => text.replace(/^[a-z]+(?=[\s,:]|$)(?!:\/)/, (word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);

function escapeHtml(text: string): string {
  return safeText(text, longestText).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
