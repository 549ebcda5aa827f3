import { resourcesOf } from "../core/audience.ts";
import { maxAgeToAskFor } from "../core/authentication-age.ts";
import { googleIssuer, isAuth0, isEntra } from "../core/issuer-kind.ts";
import type { IssuerFacts, Parameters } from "../ports.ts";
import type { Run } from "./world.ts";

/** What a login asks for. */
export interface LoginRequest {
  readonly scope: string;
  readonly extra: Parameters;
  readonly asksOffline: boolean;
  /** Those of this call's audiences that the token request names: a part of what the authorization was asked for (RFC 8707, section 2.2). */
  readonly resources: Parameters;
}

/**
 * `openid`, the wanted scopes, and `offline_access` when the issuer advertises it and something can be stored (cli.md M8).
 * OIDC Core 11 demands prompt=consent with offline_access; Entra ID grants it without, and its consent page would need an
 * administrator in many tenants. Google knows no offline_access: access_type=offline takes its place. `audiences`: those that the session is to serve;
 * an issuer gives no later token for one that the login did not name (RFC 8707, section 2.2).
 */
export function loginRequest(run: Run, facts: IssuerFacts, withOffline: boolean, audiences: readonly string[] = run.settings.audiences): LoginRequest {
  const { settings, session, world } = run;
  const isGoogle = settings.issuer === googleIssuer;
  const keeps = world.store.keeps && settings.offlineAccess;
  const named = settings.scopes.includes("offline_access");
  const asksOffline = named || (withOffline && keeps && facts.supportsOffline && !isGoogle);
  const scopes = ["openid", ...settings.scopes.filter((scope) => scope !== "offline_access"), ...(asksOffline ? ["offline_access"] : [])];
  const prompt = settings.prompt ?? (asksOffline && !named && !grantsOfflineWithoutConsent(settings.issuer) ? "consent" : undefined);
  const extra: (readonly [string, string])[] = [];
  if (isGoogle && keeps && withOffline) extra.push(["access_type", "offline"]);
  if (prompt !== undefined) extra.push(["prompt", prompt]);
  // The account of the session, also where it is found without --account (cli.md M2).
  const account = settings.account ?? session.identity.account;
  if (account !== undefined) extra.push(["login_hint", account]);
  if (settings.acrValues !== undefined) extra.push(["acr_values", settings.acrValues]);
  const maxAge = maxAgeToAskFor(settings);
  if (maxAge !== undefined) extra.push(["max_age", String(maxAge)]);
  // Auth0 takes one API by this name, and looks at RFC 8707's only where a tenant was told to.
  const isOne = isAuth0(settings.issuer);
  const target = isOne ? "audience" : "resource";
  for (const audience of resourcesOf(isOne ? settings.audiences : audiences, facts.supportsExchange)) extra.push([target, audience]);
  const resources = extra.filter(([name, value]) => name === target && settings.audiences.includes(value));
  for (const [name, value] of Object.entries(settings.extraParams)) {
    const at = extra.findIndex(([known]) => known === name);
    if (at === -1) extra.push([name, value]);
    else extra[at] = [name, value];
  }
  return { scope: scopes.join(" "), extra, asksOffline, resources };
}

function grantsOfflineWithoutConsent(issuer: string): boolean {
  return isEntra(issuer) || /\.b2clogin\.com$/.test(new URL(issuer).hostname);
}
