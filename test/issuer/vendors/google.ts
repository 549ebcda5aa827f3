import type { Answer } from "../issuer-answer.ts";
import type { Vendor } from "./vendor-issuer.ts";

/**
 * Google: developers.google.com, "OpenID Connect", "OAuth 2.0 for TV and limited-input device applications". No offline_access, no end_session_endpoint,
 * endpoints at four hosts, a secret for every client, no new refresh token at a refresh, scopes granted under other names, the device answer of before the RFC.
 */
export const google: Vendor = {
  host: "accounts.google.com",
  path: "",
  endpoints: {
    authorization: "/o/oauth2/v2/auth",
    token: "https://oauth2.googleapis.com/token",
    device_authorization: "https://oauth2.googleapis.com/device/code",
    revocation: "https://oauth2.googleapis.com/revoke",
    userinfo: "https://openidconnect.googleapis.com/v1/userinfo",
    jwks: "https://www.googleapis.com/oauth2/v3/certs",
    verification: "https://www.google.com/device",
  },
  metadata: {
    response_types_supported: ["code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token", "none"],
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    scopes_supported: ["openid", "email", "profile"],
    token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
    claims_supported: ["aud", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss", "name", "picture", "sub"],
    code_challenge_methods_supported: ["plain", "S256"],
    grant_types_supported: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
  },
  claims: { sub: "110248495921238986420", azp: "kubernetes", email: "ann@example.com", email_verified: true, hd: "example.com", groups: undefined, jti: undefined },
  behaviour: {
    refreshTokens: "keep",
    token: async (request, _nth, proper) => {
      const secret = request.form.get("client_secret") ?? request.headers.authorization;
      if (secret === undefined) return { status: 400, json: { error: "invalid_request", error_description: "client_secret is missing." } };
      return granted(proper);
    },
    device_authorization: async (_request, _nth, proper) => {
      const answer = await proper();
      const { verification_uri: _, verification_uri_complete: __, ...rest } = answer.json as Readonly<Record<string, unknown>>;
      return { ...answer, json: { ...rest, verification_url: "https://www.google.com/device" } };
    },
  },
};

const granted = async (proper: () => Promise<Answer>): Promise<Answer> => {
  const answer = await proper();
  return { ...answer, json: { ...(answer.json as object), scope: "openid https://www.googleapis.com/auth/userinfo.email" } };
};

/** Its words while nobody has confirmed the code, and to who asks too often; their statuses are Google's own. */
export const pending: Answer = { status: 428, json: { error: "authorization_pending", error_description: "Precondition Required" } };
export const slowDown: Answer = { status: 403, json: { error: "slow_down", error_description: "Forbidden" } };
