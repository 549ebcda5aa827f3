import { decodeJwt, displayName } from "./id-token.ts";
import type { Secret } from "./secret.ts";

/** A refresh token that another program keeps, with what the token beside it says. Nothing of it is verified: the first refresh is what proves it. */
export interface ForeignToken {
  readonly refreshToken: Secret;
  readonly subject: string | undefined;
  readonly displayName: string | undefined;
  /** Seconds since the epoch; 0 when it is not said. */
  readonly issuedAt: number;
}

/** What it must be for. */
export interface ForeignClient {
  readonly issuer: string;
  readonly clientId: string;
  readonly useAccessToken: boolean;
}

/** True when the token names this issuer and this client: as audience, or, an access token, as the party that it was given to. */
export function isTokenOf(token: string, { issuer, clientId, useAccessToken }: ForeignClient): boolean {
  const claims = decodeJwt(token)?.claims;
  if (claims === undefined || claims["iss"] !== issuer) return false;
  const audiences: readonly unknown[] = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
  return audiences.includes(clientId) || (useAccessToken && ["azp", "client_id", "appid", "cid"].some((name) => claims[name] === clientId));
}

/** `idToken`: the one beside it, when there is one. */
export function foreignToken(refreshToken: Secret, idToken: string | undefined): ForeignToken {
  const claims = decodeJwt(idToken ?? "")?.claims ?? {};
  const { sub, iat } = claims;
  return {
    refreshToken,
    subject: typeof sub === "string" && sub !== "" ? sub : undefined,
    displayName: displayName(claims),
    issuedAt: typeof iat === "number" ? iat : 0,
  };
}

/** The newest of several that are all one person's; undefined when they are not, or it cannot be told. */
export function newestOfOne<T extends { readonly token: ForeignToken }>(all: readonly T[]): T | undefined {
  const [first] = all;
  if (first === undefined || all.length === 1) return first;
  if (first.token.subject === undefined || all.some(({ token }) => token.subject !== first.token.subject)) return undefined;
  return all.reduce((newest, one) => (one.token.issuedAt > newest.token.issuedAt ? one : newest), first);
}
