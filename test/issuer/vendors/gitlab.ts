import type { Vendor } from "./vendor-issuer.ts";

/** Seconds since the epoch; a person's last sign-in at GitLab, which every new ID token names. */
export const signedInAt = 1_760_000_000;

/**
 * GitLab (gitlab.com and self-managed, 17.2 and later): docs.gitlab.com, "GitLab as OpenID Connect identity provider" and "OAuth 2.0
 * identity provider API". Its document offers the grant of device codes and does not say where they are asked for.
 */
export const gitlab: Vendor = {
  path: "",
  endpoints: {
    authorization: "/oauth/authorize",
    token: "/oauth/token",
    revocation: "/oauth/revoke",
    userinfo: "/oauth/userinfo",
    jwks: "/oauth/discovery/keys",
    verification: "/oauth/device",
  },
  unsaid: { device_authorization: "/oauth/authorize_device" },
  metadata: {
    introspection_endpoint: "https://gitlab.example.com/oauth/introspect",
    scopes_supported: ["api", "read_api", "read_user", "read_repository", "write_repository", "openid", "profile", "email"],
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment", "form_post"],
    grant_types_supported: ["authorization_code", "password", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    claim_types_supported: ["normal"],
    claims_supported: [
      "iss",
      "sub",
      "aud",
      "exp",
      "iat",
      "sub_legacy",
      "name",
      "nickname",
      "preferred_username",
      "email",
      "email_verified",
      "website",
      "profile",
      "picture",
      "groups",
      "groups_direct",
    ],
    code_challenge_methods_supported: ["plain", "S256"],
  },
  claims: {
    sub: "4711",
    sub_legacy: "9a3c5e0d",
    auth_time: signedInAt,
    email: "ann@example.com",
    email_verified: true,
    groups: undefined,
    groups_direct: ["platform", "platform/kubernetes"],
    jti: undefined,
  },
  behaviour: { lifetime: 120 },
};

/** Before 17.2 there was no such grant. */
export const olderGitlab: Vendor = {
  ...gitlab,
  metadata: { ...gitlab.metadata, grant_types_supported: ["authorization_code", "password", "client_credentials", "refresh_token"] },
};
