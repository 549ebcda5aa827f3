import { isCognito } from "./issuer-kind.ts";

/** Where a login's answer goes when no redirect URL is set: to the first of the addresses, `HOST:PORT`; an ephemeral port means the usual one. */
export function firstRedirectUri(listenAddresses: readonly string[]): string {
  const address = listenAddresses[0] ?? "";
  const port = address.slice(address.lastIndexOf(":") + 1);
  return `http://localhost:${port === "" || port === "0" ? "8000" : port}`;
}

/** Who is logged out, and where the client is known to wait. */
export interface BrowserLogout {
  readonly issuer: string;
  readonly endSessionEndpoint: string;
  readonly clientId: string;
  /** The account, as the issuer knows it. */
  readonly hint: string | undefined;
  /** One that is registered for the client. */
  readonly redirectUri: string;
}

/**
 * The page that ends the browser's session (OpenID Connect RP-Initiated Logout 1.0): client_id and logout_hint, never a token in a URL (cli.md M11).
 * Amazon Cognito's needs to know where to go afterwards: with a redirect URL of the client it shows its login page (AWS, "The managed login
 * sign-out endpoint"), and with nothing it refuses.
 */
export function logoutPage({ issuer, endSessionEndpoint, clientId, hint, redirectUri }: BrowserLogout): string {
  const url = new URL(endSessionEndpoint);
  url.searchParams.set("client_id", clientId);
  if (isCognito(issuer)) {
    for (const [name, value] of Object.entries({ response_type: "code", scope: "openid", redirect_uri: redirectUri })) url.searchParams.set(name, value);
  } else if (hint !== undefined) {
    url.searchParams.set("logout_hint", hint);
  }
  return url.href;
}
