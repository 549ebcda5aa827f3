import { points } from "../point.ts";

const noUserinfo = "no userinfo request is made (UI-01)";

/** The modules of the OpenID Foundation's relying-party plans, re-made; names as in the conformance suite. */
export const modules = points(
  ["RP-01", "both", "oidcc-client-test: a proper login"],
  ["RP-02", "library", "invalid-iss"],
  ["RP-03", "library", "missing-sub"],
  ["RP-04", "library", "invalid-aud"],
  ["RP-05", "library", "missing-iat"],
  ["RP-06", "library", "kid-absent-single-jwks: accepted"],
  ["RP-07", "library", "kid-absent-multiple-jwks: refused"],
  ["RP-08", "option", "idtoken-sig-rs256: accepted"],
  ["RP-09", "us", "idtoken-sig-none: refused"],
  ["RP-10", "option", "invalid-sig-rs256: refused"],
  ["RP-11", "us", "userinfo-invalid-sub", noUserinfo],
  ["RP-12", "library", "nonce-invalid"],
  ["RP-13", "us", "scope-userinfo-claims", noUserinfo],
  ["RP-14", "library", "client-secret-basic"],
  ["RP-20", "library", "discovery-openid-config"],
  ["RP-21", "library", "discovery-jwks-uri-keys"],
  ["RP-22", "both", "discovery-issuer-mismatch: stops before any authorization"],
  ["RP-23", "library", "signing-key-rotation-just-before-signing"],
  ["RP-24", "both", "signing-key-rotation, with a warm and a cold cache of keys"],
  ["RP-30", "both", "refresh-token"],
  ["RP-31", "library", "refresh-token-invalid-issuer"],
  ["RP-32", "us", "refresh-token-invalid-sub"],
  ["RP-40", "library", "missing-aud"],
  ["RP-41", "option", "invalid-sig-es256"],
  ["RP-42", "us", "invalid-sig-hs256"],
  ["RP-43", "us", "userinfo-signed", noUserinfo],
  ["RP-44", "us", "form-post-error"],
  ["RP-45", "us", "mtls-endpoint-aliases"],
  ["RP-46", "us", "aggregated and distributed claims: handed on as they are, never followed"],
);

/** Negatives of the FAPI 2 client plan that make sense for any client. */
export const fapi = points(
  ["RP-50", "library", "no `iss` in the response although it was promised"],
  ["RP-51", "library", "a wrong `iss` in the response"],
  ["RP-52", "us", "a wrong state is answered, and the wait goes on"],
  ["RP-53", "us", "a missing state likewise"],
  ["RP-54", "us", "an alternate algorithm"],
  ["RP-55", "us", "algorithm none"],
  ["RP-56", "library", "expired for more than five minutes"],
  ["RP-57", "library", "no `aud`"],
  ["RP-58", "library", "no `exp`"],
  ["RP-59", "library", "no `iss`"],
  ["RP-60", "library", "no `nonce`"],
  ["RP-61", "library", "a wrong `nonce`"],
  ["RP-62", "library", "a second audience that we do not know"],
  ["RP-63", "library", "`aud` as a list: accepted"],
  ["RP-64", "library", "`token_type` in any case: accepted"],
  ["RP-65", "us", "no `expires_in`: accepted"],
  ["RP-66", "library", "DPoP without a nonce", "DPoP is not built yet"],
  ["RP-67", "both", "discovery names another issuer"],
);

/** Logout, the request side, and our own list against an issuer that misbehaves. */
export const more = points(
  ["RP-70", "us", "rp-init-logout"],
  ["RP-71", "us", "rp-init-logout-other-state: still finishes"],
  ["RP-72", "us", "rp-init-logout-no-state: still finishes"],
  ["RP-80", "both", "the request: `openid` in the scope, response type, the same redirect URI at both endpoints, client ID, PKCE"],
  ["RP-90", "us", "`azp` of somebody else"],
  ["RP-91", "us", "`iat` in the future"],
  ["RP-92", "us", "metadata that lists none and HS256"],
  ["RP-93", "us", "redirects at every endpoint are not followed"],
  ["RP-94", "both", "a plain http endpoint in the metadata"],
  ["RP-95", "us", "a page of HTML with status 200"],
  ["RP-96", "us", "status 500"],
  ["RP-97", "us", "JSON that is cut off"],
  ["RP-98", "us", "a body of 100 MB"],
  ["RP-99", "us", "an endpoint that hangs"],
);
