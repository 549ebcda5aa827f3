import type { Answer } from "../issuer-answer.ts";
import type { Behaviour } from "../misbehaving.ts";
import type { Vendor } from "./vendor-issuer.ts";

export const groupsClaim = "https://example.com/groups";

const forApi = "~api";

/**
 * Auth0: auth0.com/docs, "OpenID Connect Protocol", "Refresh Token Rotation", "Device Authorization Flow". Its issuer ends with a slash, an API is asked for
 * by `audience`, an access token for no API is not readable, polls are answered with 403 and 429.
 */
export const auth0: Vendor = {
  path: "/",
  endpoints: {
    authorization: "/authorize",
    token: "/oauth/token",
    device_authorization: "/oauth/device/code",
    revocation: "/oauth/revoke",
    userinfo: "/userinfo",
    jwks: "/.well-known/jwks.json",
    verification: "/activate",
  },
  metadata: {
    mfa_challenge_endpoint: "https://company.eu.auth0.com/mfa/challenge",
    scopes_supported: [
      "openid",
      "profile",
      "offline_access",
      "name",
      "given_name",
      "family_name",
      "nickname",
      "email",
      "email_verified",
      "picture",
      "created_at",
      "identities",
      "phone",
      "address",
    ],
    response_types_supported: ["code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token"],
    code_challenge_methods_supported: ["S256", "plain"],
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["public"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    claims_supported: ["aud", "auth_time", "created_at", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss", "name", "nickname", "sub"],
    id_token_signing_alg_values_supported: ["HS256", "RS256", "PS256"],
    backchannel_logout_supported: true,
  },
  claims: {
    sub: "auth0|64f0c2a1b3d4e5f60718",
    email: "ann@example.com",
    email_verified: true,
    nickname: "ann",
    sid: "s1d",
    groups: undefined,
    [groupsClaim]: ["platform"],
    jti: undefined,
  },
  behaviour: {
    // Its codes say what they were asked for, as far as this test needs it.
    authorization: async (request, _nth, proper) => {
      const answer = await proper();
      const location = new URL(answer.headers?.["location"] ?? "");
      location.searchParams.delete("iss");
      const code = location.searchParams.get("code");
      if (code !== null && request.query.has("audience")) location.searchParams.set("code", `${code}${forApi}`);
      return { ...answer, headers: { ...answer.headers, location: location.href } };
    },
    token: async (request, _nth, proper): Promise<Answer> => {
      const isLogin = request.grantType === "authorization_code";
      const code = request.form.get("code") ?? "";
      const isForApi = code.endsWith(forApi);
      if (isLogin) request.form.set("code", code.replace(forApi, ""));
      const answer = await proper();
      // An encrypted token for nobody but Auth0 itself: five parts.
      return !isLogin || isForApi ? answer : { ...answer, json: { ...(answer.json as object), access_token: "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn" } };
    },
  },
};

export const pending: Answer = { status: 403, json: { error: "authorization_pending", error_description: "User has yet to authorize device code." } };
export const slowDown: Answer = { status: 429, json: { error: "slow_down", error_description: "You are polling faster than the specified interval of 5 seconds." } };

/** An application that signs with its secret. */
export const hs256: Behaviour = { idToken: () => ({ alg: "HS256", claims: auth0.claims }) };
