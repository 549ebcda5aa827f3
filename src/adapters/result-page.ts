import { safeText } from "../core/untrusted-text.ts";
import type { ResultPage } from "../core/result-page.ts";

/** Of any foreign text in a page. Characters. */
const longestText = 1_000;

/** `nonce` belongs into the header's style-src. */
export function contentSecurityPolicy(nonce: string): string {
  return `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/** The page that the person's browser shows at the end. No script, nothing from elsewhere; every foreign text is made safe and escaped. */
export function resultPage(page: ResultPage, nonce: string): string {
  const title = page.ok ? "Logged in" : "Login failed";
  const lines = page.ok
    ? [
        `<p>You are logged in to <strong>${escapeHtml(page.issuer)}</strong>${page.account === undefined ? "" : ` as <strong>${escapeHtml(page.account)}</strong>`}.</p>`,
        "<p>You can close this window and go back to the terminal.</p>",
      ]
    : [
        `<p>${escapeHtml(sentence(page.message ?? "the login did not succeed"))}</p>`,
        ...(page.hint === undefined ? [] : [`<p>What to do: <code>${escapeHtml(page.hint)}</code></p>`]),
        `<p class="small">${escapeHtml(page.issuer)}${page.code === undefined ? "" : ` · ${escapeHtml(page.code)}`}</p>`,
      ];
  return document(title, page.ok ? "✓" : "✗", lines, nonce);
}

/** For requests that are not the login's answer. `text`: one sentence. */
export function plainPage(title: string, text: string, nonce: string): string {
  return document(title, "·", [`<p>${escapeHtml(text)}</p>`], nonce);
}

function document(title: string, sign: string, lines: readonly string[], nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} – kubectl-oidc</title>
<style nonce="${nonce}">
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto 0; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
code { overflow-wrap: anywhere; }
.small { font-size: .875rem; opacity: .75; }
</style>
</head>
<body>
<main>
<h1><span aria-hidden="true">${sign}</span> ${escapeHtml(title)}</h1>
${lines.join("\n")}
</main>
</body>
</html>
`;
}

/** Our messages have no full stop; an issuer's description at their end may bring one. */
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`;

function escapeHtml(text: string): string {
  return safeText(text, longestText).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
