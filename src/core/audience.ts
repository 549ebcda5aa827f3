import { decodeJwt } from "./id-token.ts";
import { textsOf } from "./token-proof.ts";

/** An absolute URI without a fragment, as RFC 8707, section 2, wants a `resource`. Another name (a client ID, for one) is a token exchange's `audience`. */
export function isResource(audience: string): boolean {
  return /^[a-z][a-z0-9+.-]*:[^#\s]+$/i.test(audience);
}

/**
 * The audiences to name as `resource`. An issuer that exchanges tokens is not asked for what RFC 8707 does not know; any other is asked all the
 * same, since some take a plain name.
 */
export function resourcesOf(audiences: readonly string[], supportsExchange: boolean): readonly string[] {
  return audiences.filter((audience) => isResource(audience) || !supportsExchange);
}

/** Is this JWT for one of the audiences? One that is for further ones as well (Auth0's userinfo, Keycloak's account) is. */
export function isTokenFor(token: string, audiences: readonly string[]): boolean {
  const named = textsOf(decodeJwt(token)?.claims["aud"]) ?? [];
  return audiences.some((audience) => named.includes(audience));
}
