import { oauthError } from "../issuer-answer.ts";
import { changeJson, onlyFor } from "../misbehaviours.ts";
import type { Behaviour } from "../misbehaving.ts";
import type { Vendor } from "./vendor-issuer.ts";

export const tenant = "3f2c9a10-7b64-4e0e-9d35-1a2b3c4d5e6f";
/** The person in this tenant, and the same person as this application sees them (pairwise). */
export const ann = { oid: "5d0e1f2a-3b4c-4d5e-8f60-718293a4b5c6", sub: "Qk3pT0sZ8uXhV1wYb2nRc5dLfE7gJ9mA4iKoPqSvUxw" } as const;
export const groups = ["0a1b2c3d-1111-4222-8333-444455556666", "0a1b2c3d-7777-4888-9999-aaaabbbbcccc"] as const;

/**
 * Microsoft Entra ID, endpoints of version 2.0 of one tenant: learn.microsoft.com, "OpenID Connect on the Microsoft identity platform", "ID token
 * claims reference", "device authorization grant flow". No PKCE methods, no revocation, keys without `alg`, `scope` without openid.
 */
export const entra: Vendor = {
  path: `/${tenant}/v2.0`,
  endpoints: {
    authorization: `/${tenant}/oauth2/v2.0/authorize`,
    token: `/${tenant}/oauth2/v2.0/token`,
    device_authorization: `/${tenant}/oauth2/v2.0/devicecode`,
    end_session: `/${tenant}/oauth2/v2.0/logout`,
    jwks: `/${tenant}/discovery/v2.0/keys`,
    userinfo: "/oidc/userinfo",
    verification: "/devicelogin",
  },
  metadata: {
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic", "self_signed_tls_client_auth"],
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    request_uri_parameter_supported: false,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    claims_supported: ["sub", "iss", "cloud_instance_name", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "email"],
    tenant_region_scope: "EU",
    cloud_instance_name: "microsoftonline.com",
    msgraph_host: "graph.microsoft.com",
  },
  claims: {
    sub: ann.sub,
    oid: ann.oid,
    tid: tenant,
    ver: "2.0",
    preferred_username: "ann@example.com",
    name: "Ann",
    email: undefined,
    groups,
    jti: undefined,
    uti: "dXRp",
    rh: "0.AAA.",
  },
  behaviour: {
    token: changeJson({ scope: "email profile https://graph.microsoft.com/User.Read", ext_expires_in: 3600 }),
    jwks: async (_request, _nth, proper) => {
      const answer = await proper();
      const { keys } = answer.json as { readonly keys: readonly Readonly<Record<string, unknown>>[] };
      return { ...answer, json: { keys: keys.map(({ alg: _, ...key }) => ({ ...key, x5t: key["kid"], x5c: ["MIIC"], cloud_instance_name: "microsoftonline.com" })) } };
    },
    device_authorization: async (_request, _nth, proper) => {
      const answer = await proper();
      const { verification_uri_complete: _, ...rest } = answer.json as Readonly<Record<string, unknown>>;
      return { ...answer, json: { ...rest, message: "To sign in, use a web browser …" } };
    },
  },
};

/** More than 200 groups: the token says where to ask, which no API server does. */
export const overage: Behaviour = {
  idToken: () => ({
    alg: "RS256",
    claims: {
      ...entra.claims,
      groups: undefined,
      _claim_names: { groups: "src1" },
      _claim_sources: { src1: { endpoint: `https://graph.microsoft.com/v1.0/users/${ann.oid}/getMemberObjects` } },
    },
  }),
};

/** As its errors are: numbers beside words, and lines within the words. */
export const aadsts = (error: string, number: number, words: string, more: Readonly<Record<string, unknown>> = {}) => {
  const answer = oauthError(error, `AADSTS${number}: ${words}\r\nTrace ID: 00000000-0000-4000-8000-000000000000\r\nTimestamp: 2026-11-28 10:00:00Z`);
  return { ...answer, json: { ...(answer.json as object), error_codes: [number], trace_id: "00000000-0000-4000-8000-000000000000", ...more } };
};

/** ID tokens only to who names openid in the refresh request. */
export const idTokenByScope: Behaviour = {
  token: onlyFor("refresh_token", async (request, _nth, proper) => {
    const answer = await proper();
    if (request.form.get("scope")?.split(" ").includes("openid") === true) return answer;
    const { id_token: _, ...rest } = answer.json as Readonly<Record<string, unknown>>;
    return { ...answer, json: rest };
  }),
};
