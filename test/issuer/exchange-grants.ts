import { createLocalJWKSet, type JWTPayload, jwtVerify } from "jose";
import type { AccessToken, Client, errors as oidcErrors, KoaContextWithOIDC, Provider } from "oidc-provider";
import { bearerGrant, exchangeGrant } from "./machine-answers.ts";
import type { Platform } from "./platform-tokens.ts";

/** A public client without a secret: what a platform's token says is all that it has. */
export const deployClient = {
  client_id: "deploy",
  token_endpoint_auth_method: "none",
  redirect_uris: [],
  response_types: [],
  grant_types: [exchangeGrant, bearerGrant],
} as const;

const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";

/**
 * Token exchange (RFC 8693) and the JWT bearer grant (RFC 7523) for a real provider: a token of one of these platforms that is for the provider
 * itself becomes an access token of the same subject, for the audience that is asked for.
 */
export function registerExchangeGrants(provider: Provider, platforms: readonly Platform[], errors: typeof oidcErrors): void {
  const answer = async (ctx: KoaContextWithOIDC, subject: JWTPayload, audience: string, more: object) => {
    const { client } = ctx.oidc;
    if (client === undefined) throw new errors.InvalidClient("no client");
    const token = new provider.AccessToken({ accountId: String(subject.sub), client: client as Client, gty: "exchange", scope: "" } as ConstructorParameters<
      typeof AccessToken
    >[0]);
    token.resourceServer = new provider.ResourceServer(`urn:example:${audience}`, {
      scope: "",
      audience,
      accessTokenFormat: "jwt",
      accessTokenTTL: 3_600,
      jwt: { sign: { alg: "RS256" } },
    });
    ctx.body = { access_token: await token.save(), expires_in: 3_600, ...more };
  };
  const verified = async (token: unknown, refusal: (why: string) => Error) => {
    for (const { issuer, keys } of platforms) {
      try {
        const { payload } = await jwtVerify(String(token), createLocalJWKSet({ keys: [...keys.published().keys] }), {
          issuer,
          audience: provider.issuer,
          requiredClaims: ["exp", "sub"],
        });
        return payload;
      } catch {
        // The next one may have made it.
      }
    }
    throw refusal("the subject token is of no trusted platform, has expired, or is for somebody else");
  };
  provider.registerGrantType(
    exchangeGrant,
    async (ctx) => {
      const { subject_token: token, requested_token_type: type = accessTokenType, audience } = ctx.oidc.params ?? {};
      if (type !== accessTokenType) throw new errors.InvalidRequest("only access tokens are issued");
      if (audience !== "kubernetes") throw new errors.InvalidTarget("unknown audience");
      await answer(ctx, await verified(token, (why) => new errors.InvalidRequest(why)), audience, { token_type: "Bearer", issued_token_type: type });
    },
    ["subject_token", "subject_token_type", "requested_token_type", "audience", "scope"],
  );
  provider.registerGrantType(
    bearerGrant,
    async (ctx) => {
      const { assertion } = ctx.oidc.params ?? {};
      await answer(ctx, await verified(assertion, (why) => new errors.InvalidGrant(why)), "kubernetes", { token_type: "Bearer" });
    },
    ["assertion", "scope", "resource"],
  );
}
