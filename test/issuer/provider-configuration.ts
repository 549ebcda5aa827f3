import { randomUUID } from "node:crypto";
import type { ClientMetadata, Configuration } from "oidc-provider";
import { type AccountName, accounts, claimsOf } from "./accounts.ts";
import { interactionPath } from "./provider-interactions.ts";
import { deviceCodePage, deviceConfirmPage, deviceDonePage, errorPage, loggedOutPage, logoutPage } from "./provider-pages.ts";
import type { ProviderMemory } from "./provider-memory.ts";

/** Lifetimes in seconds. */
export interface Lifetimes {
  readonly idToken?: number;
  readonly accessToken?: number;
  readonly refreshToken?: number;
}

export interface ProviderChoices {
  readonly ttl?: Lifetimes | undefined;
  /** A new refresh token with every use, the old one refused; true when not given. */
  readonly rotate?: boolean | undefined;
  /** In place of `kubernetes` and `pipeline`. */
  readonly clients?: readonly ClientMetadata[] | undefined;
  readonly extraConfig?: Configuration | undefined;
  /** Laid over the features named here, so `{ deviceFlow: { enabled: false } }` takes one away. */
  readonly features?: Configuration["features"] | undefined;
}

/** Public: the secret of an issuer that lives for one test or one demo. */
export const pipelineSecret = "pipeline-secret-of-the-throw-away-issuer";

/** A machine that asks for nothing gets an access token for this resource, whose audience is `kubernetes`. */
export const kubernetesResource = "urn:example:kubernetes";

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

export const defaultClients: readonly ClientMetadata[] = [
  {
    client_id: "kubernetes",
    client_name: "kubectl-oidc",
    application_type: "native",
    token_endpoint_auth_method: "none",
    redirect_uris: ["http://localhost:8000", "http://localhost:18000", "http://127.0.0.1:8000"],
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token", deviceGrant],
  },
  {
    client_id: "pipeline",
    client_secret: pipelineSecret,
    token_endpoint_auth_method: "client_secret_basic",
    redirect_uris: [],
    response_types: [],
    grant_types: ["client_credentials"],
  },
];

/** Everything is said, because the library writes a notice for each default that it has to use. */
export function providerConfiguration({ storage, cookieKey, keys }: ProviderMemory, choices: ProviderChoices): Configuration {
  const { ttl = {}, rotate = true, clients = defaultClients, extraConfig = {}, features = {} } = choices;
  const accessToken = ttl.accessToken ?? 3600;
  const refreshToken = ttl.refreshToken ?? 14 * 86_400;
  return {
    adapter: storage.adapter,
    clients,
    claims: { openid: ["sub", "jti"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    scopes: ["openid", "offline_access"],
    // kube-apiserver reads the ID token only, so the claims must lie in it and not at the userinfo endpoint.
    conformIdTokenClaims: false,
    cookies: { keys: [cookieKey] },
    jwks: { keys: [...keys()] },
    pkce: { required: () => true },
    rotateRefreshToken: rotate,
    findAccount: (_, sub) => (Object.hasOwn(accounts, sub) ? { accountId: sub, claims: () => ({ ...claimsOf(sub as AccountName), jti: randomUUID() }) } : undefined),
    interactions: { url: (_, interaction) => interactionPath(interaction.uid) },
    renderError: (ctx, out) => {
      ctx.type = "html";
      ctx.body = errorPage({ ...out });
    },
    ttl: {
      AccessToken: accessToken,
      AuthorizationCode: 60,
      ClientCredentials: accessToken,
      DeviceCode: 600,
      Grant: refreshToken,
      IdToken: ttl.idToken ?? 3600,
      Interaction: 600,
      RefreshToken: refreshToken,
      Session: 86_400,
    },
    features: { ...defaultFeatures(accessToken), ...features } as NonNullable<Configuration["features"]>,
    ...extraConfig,
  };
}

function defaultFeatures(accessTokenTTL: number): NonNullable<Configuration["features"]> {
  return {
    devInteractions: { enabled: false },
    // On by default there. A login would be bound to a key then, and what the tests hold of rotation is about sessions that are not.
    dPoP: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (ctx, form, _out, error) => {
        ctx.body = deviceCodePage(form, error !== undefined);
      },
      userCodeConfirmSource: (ctx, form, client, _device, userCode) => {
        ctx.body = deviceConfirmPage(form, client.clientName ?? client.clientId, userCode);
      },
      successSource: (ctx) => {
        ctx.body = deviceDonePage();
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, client, oneOf) => oneOf?.[0] ?? (client.clientId === "pipeline" ? kubernetesResource : []),
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: "",
        audience: resource === kubernetesResource ? "kubernetes" : resource,
        accessTokenFormat: "jwt",
        accessTokenTTL,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = logoutPage(form);
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = loggedOutPage();
      },
    },
  };
}
