/** Google's issuer is the same for everybody. */
export const googleIssuer = "https://accounts.google.com";

const hostOf = (issuer: string) => (URL.canParse(issuer) ? new URL(issuer).hostname : "");
const pathOf = (issuer: string) => (URL.canParse(issuer) ? new URL(issuer).pathname : "");

/** A tenant by its ID. */
export const tenantId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const microsoftHost = /^(login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net)$|\.ciamlogin\.com$/;

/** Entra ID, in every cloud of Microsoft's, and Entra External ID. No other issuer's path is a tenant's ID and `/v2.0`: proxies and emulators have it. */
export function isEntra(issuer: string): boolean {
  const [, tenant = "", version] = pathOf(issuer).split("/");
  return microsoftHost.test(hostOf(issuer)) || (tenantId.test(tenant) && version === "v2.0");
}

/** A user pool of Amazon Cognito: its path is the pool's ID (`/eu-west-1_Ab12Cd34E`), on whatever host. */
export const isCognito = (issuer: string) =>
  /^cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(hostOf(issuer)) || /^\/[a-z]{2}(-[a-z]+)+-\d+_[A-Za-z0-9]+\/?$/.test(pathOf(issuer));

export const isAuth0 = (issuer: string) => /(^|\.)auth0\.com$/.test(hostOf(issuer));

type Metadata = Readonly<Record<string, unknown>>;

/** GitLab, on whatever host: nobody else has the claim by which it remembers its subjects of before 2019. */
const isGitLab = (metadata: Metadata) => Array.isArray(metadata["claims_supported"]) && metadata["claims_supported"].includes("sub_legacy");

/** Their documents leave `none` out of the ways in which a client proves itself, and public clients are what they advise for programs like ours. */
export function takesPublicClients(metadata: Metadata): boolean {
  const issuer = typeof metadata["issuer"] === "string" ? metadata["issuer"] : "";
  const isKeycloak = /\/realms\/[^/]+$/.test(pathOf(issuer));
  return isEntra(issuer) || isCognito(issuer) || isAuth0(issuer) || isKeycloak || isGitLab(metadata);
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

/**
 * A discovery document with what its issuer is known to have and does not say. GitLab (17.2 and later) lists the grant of device codes and not
 * where they are asked for: beside the token endpoint (docs.gitlab.com, "OAuth 2.0 identity provider API").
 */
export function withUnsaid(metadata: Metadata): Metadata {
  const { token_endpoint: token, grant_types_supported: grants } = metadata;
  if (metadata["device_authorization_endpoint"] !== undefined || !Array.isArray(grants) || !grants.includes(deviceGrant)) return metadata;
  if (!isGitLab(metadata) || typeof token !== "string" || !token.endsWith("/oauth/token")) return metadata;
  return { ...metadata, device_authorization_endpoint: token.replace(/token$/, "authorize_device") };
}
