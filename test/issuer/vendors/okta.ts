import { randomBytes } from "node:crypto";
import type { Answer } from "../issuer-answer.ts";
import { changeRedirect } from "../misbehaviours.ts";
import type { Behaviour } from "../misbehaving.ts";
import type { Vendor } from "./vendor-issuer.ts";

const common = {
  response_types_supported: ["code", "id_token", "code id_token", "code token", "id_token token", "code id_token token"],
  response_modes_supported: ["query", "fragment", "form_post", "okta_post_message"],
  grant_types_supported: [
    "authorization_code",
    "implicit",
    "refresh_token",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
  ],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
  token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
  code_challenge_methods_supported: ["S256"],
  request_parameter_supported: true,
  dpop_signing_alg_values_supported: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
};

const endpointsAt = (base: string): Vendor["endpoints"] => ({
  authorization: `${base}/v1/authorize`,
  token: `${base}/v1/token`,
  device_authorization: `${base}/v1/device/authorize`,
  revocation: `${base}/v1/revoke`,
  end_session: `${base}/v1/logout`,
  userinfo: `${base}/v1/userinfo`,
  jwks: `${base}/v1/keys`,
  verification: "/activate",
});

const claims = {
  sub: "00u1a2b3c4D5e6F7g8h9",
  ver: 1,
  amr: ["pwd", "mfa"],
  idp: "00o1a2b3c4",
  auth_time: 1_790_000_000,
  email: "ann@example.com",
  email_verified: true,
  groups: ["k8s-platform"],
  jti: "ID.abc",
};

/**
 * Okta: developer.okta.com, "OpenID Connect & OAuth 2.0 API", "Refresh access tokens and rotate refresh tokens". The org's own server is the origin, with
 * the scope groups.
 */
export const oktaOrg: Vendor = {
  path: "",
  endpoints: endpointsAt("/oauth2"),
  metadata: { ...common, scopes_supported: ["openid", "email", "profile", "address", "phone", "offline_access", "groups"] },
  claims,
  behaviour: {},
};

/** A custom authorization server: its own scopes (no groups unless somebody made it), access policies, claims that may come always. */
export const oktaCustom: Vendor = {
  path: "/oauth2/default",
  endpoints: endpointsAt("/oauth2/default"),
  metadata: { ...common, scopes_supported: ["openid", "profile", "email", "address", "phone", "offline_access", "device_sso"] },
  claims,
  behaviour: {},
};

/** An access policy without a rule for offline_access. */
export const withoutOfflineRule: Behaviour = {
  authorization: (request, nth, proper) => {
    const asks = request.query.get("scope")?.split(" ").includes("offline_access") === true;
    const refusal = changeRedirect({
      code: undefined,
      iss: undefined,
      error: "access_denied",
      error_description: "Policy evaluation failed for this request, please check the policy configurations.",
    });
    return asks && typeof refusal === "function" ? refusal(request, nth, proper) : proper();
  },
  refreshTokens: "none",
};

/**
 * Rotation with a grace period: a refresh token that was spent within it is answered again, with a token of its own. The small issuer ends the
 * session at that, so this keeps its own account of who follows whom; `loseAnswer` cuts the connection of the next answer.
 */
export function rotationWithGrace(): Behaviour & { loseAnswer(): void } {
  const state = { loses: false };
  const known = new Map<string, string>();
  const freshFor = (token: string) => {
    const made = `refresh-${randomBytes(24).toString("base64url")}`;
    known.set(made, known.get(token) ?? token);
    return made;
  };
  return {
    loseAnswer: () => {
      state.loses = true;
    },
    refreshTokens: "keep",
    token: async (request, _nth, proper): Promise<Answer> => {
      if (request.grantType !== "refresh_token") return proper();
      const presented = request.form.get("refresh_token") ?? "";
      // The small issuer knows the login's token alone.
      request.form.set("refresh_token", known.get(presented) ?? presented);
      const answer = await proper();
      if (state.loses) {
        state.loses = false;
        return { fate: "reset" };
      }
      return { ...answer, json: { ...(answer.json as object), refresh_token: freshFor(presented) } };
    },
  };
}
