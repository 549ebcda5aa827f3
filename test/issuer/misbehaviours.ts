import { type Answer, oauthError } from "./issuer-answer.ts";
import type { Behaviour, Override } from "./misbehaving.ts";

/** Lays members over a proper JSON answer; `undefined` takes one away. */
export function changeJson(changes: Readonly<Record<string, unknown>>): Override {
  return async (_request, _nth, proper) => {
    const answer = await proper();
    return { ...answer, json: { ...(answer.json as object), ...changes } };
  };
}

/** Changes parameters of the redirect that the authorization endpoint answers with; `undefined` takes one away. */
export function changeRedirect(changes: Readonly<Record<string, string | undefined>>): Override {
  return async (_request, _nth, proper) => {
    const answer = await proper();
    const location = new URL(answer.headers?.["location"] ?? "");
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) location.searchParams.delete(name);
      else location.searchParams.set(name, value);
    }
    return { ...answer, headers: { ...answer.headers, location: location.href } };
  };
}

/** These answers one after the other, then proper ones. */
export function firstThese(...answers: readonly Answer[]): Override {
  return (_request, nth, proper) => answers[nth - 1] ?? proper();
}

/** Answers so to one grant type (`refresh_token`), properly to the others. */
export function onlyFor(grantType: string, override: Override): Override {
  return (request, nth, proper) => {
    if (request.grantType !== grantType) return proper();
    return typeof override === "function" ? override(request, nth, proper) : override;
  };
}

const html: Answer = { text: "<!DOCTYPE html><title>Welcome to the hotel</title><p>Accept the terms to go on." };
const broken: Answer = { status: 500, text: "<h1>Internal Server Error</h1>" };
const redirected: Answer = { status: 302, headers: { location: "https://elsewhere.example/" } };
/** 4 MiB; the program reads 1 MiB at most. */
const huge = "x".repeat(4 << 20);
const now = () => Math.floor(Date.now() / 1000);

/** Discovery that must be refused. */
export const discoveries = {
  "of another issuer": { discovery: changeJson({ issuer: "https://elsewhere.example" }) },
  "with a slash more in the issuer": {
    discovery: async (_request, _nth, proper) => {
      const answer = await proper();
      const metadata = answer.json as Record<string, unknown>;
      return { ...answer, json: { ...metadata, issuer: `${String(metadata["issuer"])}/` } };
    },
  },
  "that is not JSON": { discovery: html },
  "that is JSON but no object": { discovery: { json: ["issuer"] } },
  "that is cut off": { discovery: { text: '{"issuer":"https', headers: { "content-type": "application/json" } } },
  "that is not there": { discovery: { status: 404, text: "<title>not found</title>" } },
  "that is broken": { discovery: broken },
  "that redirects": { discovery: redirected },
  "that is huge": { discovery: changeJson({ padding: huge }) },
  "with plain http endpoints": {
    discovery: changeJson({
      authorization_endpoint: "http://elsewhere.example/authorize",
      token_endpoint: "http://elsewhere.example/token",
      jwks_uri: "http://elsewhere.example/jwks",
    }),
  },
  "without a token endpoint": { discovery: changeJson({ token_endpoint: undefined }) },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** ID tokens that must be refused at login. */
export const forgedIdTokens = {
  "without a signature": { idToken: { alg: "none" } },
  "signed with the client's own secret": { idToken: { alg: "HS256" } },
  "signed by a stranger": { idToken: { key: "stranger" } },
  "of another issuer": { idToken: { claims: { iss: "https://elsewhere.example" } } },
  "for another client": { idToken: { claims: { aud: "another-client" } } },
  "for us and a stranger too": { idToken: { claims: { aud: ["kubernetes", "another-client"] } } },
  "that another party asked for (azp)": { idToken: { claims: { azp: "another-client" } } },
  "with another nonce": { idToken: { claims: { nonce: "another-nonce" } } },
  "without a nonce": { idToken: { claims: { nonce: undefined } } },
  "that has expired": { idToken: () => ({ claims: { iat: now() - 7200, exp: now() - 3600 } }) },
  "without an expiry": { idToken: { claims: { exp: undefined } } },
  "issued tomorrow": { idToken: () => ({ claims: { iat: now() + 86_400, exp: now() + 90_000 } }) },
  "that is not valid yet": { idToken: () => ({ claims: { nbf: now() + 3600 } }) },
  "without an issue time": { idToken: { claims: { iat: undefined } } },
  "without a subject": { idToken: { claims: { sub: undefined } } },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** Callbacks that must not become a login. */
export const callbacks = {
  "with another state": { authorization: changeRedirect({ state: "another-state" }) },
  "without a state": { authorization: changeRedirect({ state: undefined }) },
  "of another issuer (mix-up)": { authorization: changeRedirect({ iss: "https://elsewhere.example" }) },
  "without the issuer that was promised": { authorization: changeRedirect({ iss: undefined }) },
  "that says no": { authorization: changeRedirect({ code: undefined, error: "access_denied", error_description: "the person said no" }) },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** Token answers that are faults of the issuer or the network, never a reason to log in again. */
export const tokenFaults = {
  "is broken": { token: broken },
  "is busy": { token: { status: 503, text: "", headers: { "retry-after": "5" } } },
  "resets the connection after it received the request": { token: { fate: "reset" } },
  "answers with a page": { token: html },
  redirects: { token: redirected },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** invalid_grant, hidden behind a header that makes the library look elsewhere (protocol.md OC-03). */
export const invalidGrantBehindChallenge: Answer = { ...oauthError("invalid_grant", "gone"), status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"' } };

/** Device answers that must be refused or tamed. */
export const devices = {
  "opens a script": { device_authorization: changeJson({ verification_uri: "javascript:alert(1)", verification_uri_complete: "javascript:alert(1)" }) },
  "opens a file": { device_authorization: changeJson({ verification_uri: "file:///etc/passwd", verification_uri_complete: undefined }) },
  "moves the cursor": { device_authorization: changeJson({ user_code: "\u001b[2J\u001b]0;owned\u0007AAAA", verification_uri_complete: undefined }) },
  "wants a poll a year": { device_authorization: changeJson({ interval: 31_536_000, expires_in: 1e12 }) },
  "lives for no time": { device_authorization: changeJson({ expires_in: 1 }) },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** What a device hears while the person has not confirmed yet, or never will. */
export const devicePolls = {
  "is told to wait, then gets tokens": { token: firstThese(oauthError("authorization_pending")) },
  "is told to slow down, then gets tokens": { token: firstThese(oauthError("slow_down")) },
  "loses its connection once, then gets tokens": { token: firstThese({ fate: "reset" }) },
  "comes too late": { token: oauthError("expired_token") },
  "is told that the person said no": { token: oauthError("access_denied") },
} as const satisfies Readonly<Record<string, Behaviour>>;

export const revocationFault: Behaviour = { revocation: broken };
