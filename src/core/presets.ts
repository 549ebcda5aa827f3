import { isAuth0, isCognito, isEntra, tenantId } from "./issuer-kind.ts";

/** The kinds of issuers that setup knows. */
export type PresetName = "keycloak" | "dex" | "google" | "okta" | "entra" | "auth0" | "cognito" | "gitlab" | "generic";

/** What one kind of issuer needs, and how it is told apart. Facts: the issuers' own documentation; docs/how-to has a page for each. */
export interface Preset {
  readonly title: string;
  /** Asked for when the issuer lists them, or lists none. */
  readonly scopes: readonly string[];
  /** OpenID Connect prompt; undefined: what is usual. */
  readonly prompt?: string;
  /** Of an API server that knows the issuer. */
  readonly usernameClaim: string;
  readonly groupsClaim: string | undefined;
  /** It takes no client without a secret. */
  readonly needsSecret: boolean;
  /** What the issuer's administrator has to do, beside a client with our redirect URLs. */
  readonly notes: readonly string[];
}

export const presets = {
  keycloak: {
    title: "Keycloak",
    scopes: ["groups"],
    usernameClaim: "preferred_username",
    groupsClaim: "groups",
    needsSecret: false,
    notes: ["groups come from a mapper of the type Group Membership with the claim name groups, without full group path"],
  },
  dex: { title: "Dex", scopes: ["email", "groups", "profile"], usernameClaim: "email", groupsClaim: "groups", needsSecret: false, notes: ["the static client needs public: true"] },
  google: {
    title: "Google",
    scopes: ["email"],
    // Google gives a refresh token at a consent only.
    prompt: "consent",
    usernameClaim: "email",
    groupsClaim: undefined,
    needsSecret: true,
    notes: ["the client is of the type Desktop app", "Google's ID tokens hold no groups: bind user names"],
  },
  okta: {
    title: "Okta",
    scopes: ["email", "groups", "profile"],
    usernameClaim: "email",
    groupsClaim: "groups",
    needsSecret: false,
    notes: ["the application is of the type Native, with Refresh Token among its grants", "groups need a groups claim of the application, or of the authorization server"],
  },
  entra: {
    title: "Microsoft Entra ID",
    scopes: ["email", "profile"],
    usernameClaim: "oid",
    groupsClaim: "groups",
    needsSecret: false,
    notes: [
      "the redirect URL http://localhost is registered under Mobile and desktop applications",
      "groups need a groups claim (Token configuration), of the groups assigned to the application: with more than 200 the token holds none",
      "the user name is oid: preferred_username can be changed by whoever has it",
    ],
  },
  auth0: {
    title: "Auth0",
    scopes: ["email", "profile"],
    usernameClaim: "email",
    groupsClaim: undefined,
    needsSecret: false,
    notes: [
      "the application is of the type Native, with Refresh Token among its grants",
      "groups need an Action that sets a claim with a URL as its name: --groups-claim=https://example.com/groups",
    ],
  },
  cognito: {
    title: "Amazon Cognito",
    scopes: ["email"],
    usernameClaim: "email",
    groupsClaim: "cognito:groups",
    needsSecret: false,
    notes: [
      "the user pool has a domain (managed login), and the app client no secret and the OpenID Connect scopes openid and email",
      "callback URLs are compared byte for byte: http://localhost:8000 and http://localhost:18000",
    ],
  },
  gitlab: {
    title: "GitLab",
    scopes: ["email", "profile"],
    usernameClaim: "email",
    groupsClaim: "groups_direct",
    needsSecret: false,
    notes: ["the application is not confidential, and has the scopes openid, email and profile", "its ID tokens live for 2 minutes: kubectl-oidc refreshes them"],
  },
  generic: { title: "OpenID Connect", scopes: ["email", "groups"], usernameClaim: "sub", groupsClaim: "groups", needsSecret: false, notes: [] },
} as const satisfies Record<PresetName, Preset>;

export const isPresetName = (text: string): text is PresetName => Object.hasOwn(presets, text);
export const presetOf = (name: PresetName): Preset => presets[name];

/** The kind of an issuer by its URL; `generic` when that tells nothing. */
export function presetFor(issuer: string): PresetName {
  const { hostname, pathname } = new URL(issuer);
  if (hostname === "accounts.google.com") return "google";
  if (isEntra(issuer)) return "entra";
  if (isCognito(issuer)) return "cognito";
  if (/(^|\.)(okta|oktapreview|okta-emea)\.com$/.test(hostname)) return "okta";
  if (isAuth0(issuer)) return "auth0";
  // The domain of its login pages, which is no issuer.
  if (/\.amazoncognito\.com$/.test(hostname)) return "cognito";
  if (hostname === "gitlab.com") return "gitlab";
  if (/\/realms\/[^/]+\/?$/.test(pathname)) return "keycloak";
  return /(^|\/)dex\/?$/.test(pathname) || /^dex\./.test(hostname) ? "dex" : "generic";
}

/** What cannot be right about this issuer URL, with the one that was probably meant. */
export interface IssuerProblem {
  readonly problem: string;
  readonly meant?: string;
}

/** Checks the URL as that kind of issuer writes its own; undefined: nothing is wrong with it. */
export function issuerProblemOf(name: PresetName, issuer: string): IssuerProblem | undefined {
  const url = new URL(issuer);
  const bare = issuer.replace(/\/+$/, "");
  switch (name) {
    case "keycloak":
      if (!/\/realms\/[^/]+\/?$/.test(url.pathname)) return { problem: "Keycloak's issuer names a realm", meant: `${bare}/realms/REALM` };
      return slashless(issuer, bare, "Keycloak's");
    case "google":
      return issuer === "https://accounts.google.com" ? undefined : { problem: "Google's issuer is the same for everybody", meant: "https://accounts.google.com" };
    case "okta":
      if (/-admin\./.test(url.hostname)) return { problem: "that is Okta's console", meant: bare.replace("-admin.", ".") };
      return slashless(issuer, bare, "Okta's");
    case "entra":
      return entraProblem(url, issuer, bare);
    case "auth0":
      return issuer.endsWith("/") ? undefined : { problem: "Auth0's issuer ends with a slash", meant: `${issuer}/` };
    case "cognito":
      return cognitoProblem(url, issuer, bare);
    case "dex":
      return slashless(issuer, bare, "Dex'");
    case "gitlab":
      return slashless(issuer, bare, "GitLab's");
    case "generic":
      return undefined;
    default:
      return name satisfies never;
  }
}

const slashless = (issuer: string, bare: string, whose: string): IssuerProblem | undefined =>
  issuer === bare ? undefined : { problem: `${whose} issuer has no slash at its end`, meant: bare };

function cognitoProblem({ hostname }: URL, issuer: string, bare: string): IssuerProblem | undefined {
  const [, region] = /\.auth\.([a-z0-9-]+)\.amazoncognito\.com$/.exec(hostname) ?? [];
  if (region !== undefined) return { problem: "that is the domain of the login pages", meant: `https://cognito-idp.${region}.amazonaws.com/USER-POOL-ID` };
  if (!isCognito(issuer) || bare === new URL(issuer).origin)
    return { problem: "Amazon Cognito's issuer names the region and the user pool", meant: "https://cognito-idp.REGION.amazonaws.com/USER-POOL-ID" };
  return slashless(issuer, bare, "Amazon Cognito's");
}

function entraProblem(url: URL, issuer: string, bare: string): IssuerProblem | undefined {
  const [, tenant = "", version] = /^\/([^/]+)(?:\/(.*?))?\/?$/.exec(url.pathname) ?? [];
  const meant = (id: string) => `https://${url.hostname === "sts.windows.net" ? "login.microsoftonline.com" : url.hostname}/${id}/v2.0`;
  // A tenant's domain finds it too, and its discovery document then names another issuer.
  if (!tenantId.test(tenant)) return { problem: "Entra ID's issuer names the tenant by its ID", meant: meant("TENANT-ID") };
  if (url.hostname === "sts.windows.net" || version !== "v2.0") return { problem: "Entra ID's issuer of OpenID Connect ends with /v2.0", meant: meant(tenant) };
  return slashless(issuer, bare, "Entra ID's");
}
