import type { Vendor } from "./vendor-issuer.ts";

export const pool = "eu-west-1_Ab12Cd34E";
const domain = "https://example.auth.eu-west-1.amazoncognito.com";

/**
 * Amazon Cognito: docs.aws.amazon.com/cognito, "Identity provider and relying party endpoints", "Refresh tokens", "The ID token". The issuer is the
 * user pool, the endpoints lie at its domain; no PKCE methods, no offline_access, no device codes; `groups` under a name of its own; the logout page
 * wants a registered URL.
 */
export const cognito: Vendor = {
  host: "cognito-idp.eu-west-1.amazonaws.com",
  path: `/${pool}`,
  endpoints: {
    authorization: `${domain}/oauth2/authorize`,
    token: `${domain}/oauth2/token`,
    revocation: `${domain}/oauth2/revoke`,
    end_session: `${domain}/logout`,
    userinfo: `${domain}/oauth2/userInfo`,
    jwks: `/${pool}/.well-known/jwks.json`,
  },
  metadata: {
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "token"],
    scopes_supported: ["openid", "email", "phone", "profile"],
    subject_types_supported: ["public"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
  },
  claims: {
    sub: "aaaaaaaa-bbbb-4ccc-8ddd-eeeeffff0000",
    "cognito:username": "ann",
    "cognito:groups": ["platform"],
    token_use: "id",
    auth_time: 1_790_000_000,
    origin_jti: "11111111-2222-4333-8444-555555555555",
    event_id: "66666666-7777-4888-8999-000000000000",
    email: "ann@example.com",
    email_verified: true,
    groups: undefined,
  },
  behaviour: {
    refreshTokens: "keep",
    end_session: ({ query }) => {
      const back = query.get("logout_uri") ?? query.get("redirect_uri");
      const isComplete = query.get("client_id") !== null && back !== null && (query.has("logout_uri") || query.get("response_type") === "code");
      return isComplete ? { status: 302, headers: { location: back } } : { status: 400, text: "Required String parameter 'redirect_uri' is not present" };
    },
  },
};

/** As documents of before revocation and logout were listed. */
export const olderCognito: Vendor = {
  ...cognito,
  endpoints: Object.fromEntries(Object.entries(cognito.endpoints).filter(([route]) => route !== "revocation" && route !== "end_session")),
};
