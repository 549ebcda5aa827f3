import { fail } from "../errors/oidc-error.ts";
import { safeText } from "./untrusted-text.ts";

/** What a person pasted, or the query of a redirect: a code's query (`?code=…&state=…`), a denial, or nothing of ours. */
export type Pasted = { readonly kind: "query"; readonly query: string } | { readonly kind: "wrong-state" } | { readonly kind: "nothing" };

/** A redirected URL has a few KB. Characters. */
const longestPasted = 65_536;

/**
 * A pasted code or whole redirected URL → the query that the exchange expects. A bare code gets our own state: the
 * person's hands bound it to this login, and PKCE and nonce still do (RFC 9700, section 4.5.3).
 */
export function readPasted(text: string, state: string, issuer: string | undefined): Pasted {
  if (text.length > longestPasted) return { kind: "nothing" };
  // Mail programs and chats put a URL into these.
  const trimmed = text
    .trim()
    .replace(/^["'<]{1,3}/, "")
    .replace(/["'>]{1,3}$/, "");
  if (trimmed === "") return { kind: "nothing" };
  const query = /[?&](code|error)=/.test(trimmed) ? trimmed.slice(trimmed.indexOf("?")).replace(/#.*$/, "") : undefined;
  if (query === undefined) {
    if (/\s|^https?:/.test(trimmed)) return { kind: "nothing" };
    const parameters = new URLSearchParams({ code: decodeOnce(trimmed), state, ...(issuer === undefined ? {} : { iss: issuer }) });
    return { kind: "query", query: `?${parameters}` };
  }
  const states = new URLSearchParams(query).getAll("state");
  return states.length === 1 && states[0] === state ? { kind: "query", query } : { kind: "wrong-state" };
}

function decodeOnce(text: string): string {
  try {
    return text.includes("%") ? decodeURIComponent(text) : text;
  } catch {
    return text;
  }
}

/**
 * RFC 9207: an authorization answer, a refusal too, that names another issuer than the one this login asked belongs to a mix-up; so does one
 * that names none though the issuer promised to (`isPromised`). Compared byte for byte, before anything else of it is believed or sent.
 * `query` as the browser brought it. ISSUER_MISMATCH.
 */
export function checkAnswerIssuer(query: string, issuer: string, isPromised: boolean): void {
  const named = new URLSearchParams(query).getAll("iss");
  if (named.length === 0 && !isPromised) return;
  if (named.length === 1 && named[0] === issuer) return;
  fail("ISSUER_MISMATCH", {
    message: named.length === 0 ? "the answer to this login does not name its issuer, which the issuer promises (iss)" : "the answer to this login comes from another issuer (iss)",
    hint: "log in again, in a fresh window; if it happens again, tell the administrator of the issuer",
  });
}

/** The issuer's own words about a refusal, made safe: `error: description`. */
export function describeOAuthError(error: unknown, description: unknown): string {
  const text = safeText(description ?? "", 200);
  return text === "" ? safeText(error, 60) : `${safeText(error, 60)}: ${text}`;
}
