/** The discovery document of the ring's issuer. */
export const discovery = (url: string) => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  jwks_uri: `${url}/jwks`,
  revocation_endpoint: `${url}/revoke`,
  scopes_supported: ["openid", "offline_access"],
  response_types_supported: ["code"],
  id_token_signing_alg_values_supported: ["ES256"],
  authorization_response_iss_parameter_supported: true,
  code_challenge_methods_supported: ["S256"],
  dpop_signing_alg_values_supported: ["ES256"],
});
