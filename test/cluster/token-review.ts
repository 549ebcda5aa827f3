import * as https from "node:https";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";

/** How the cluster checks tokens: the fields of AuthenticationConfiguration v1 that this one knows. */
export interface TokenRules {
  readonly issuer: string;
  /** PEM of the authority of the issuer's certificate. */
  readonly issuerCa: string;
  readonly clientId: string;
  /** Default `sub`. */
  readonly usernameClaim?: string;
  /** Default `groups`. */
  readonly groupsClaim?: string;
  /** Laid before user and groups, as `--oidc-username-prefix` and `--oidc-groups-prefix` do. Default `oidc:`. */
  readonly prefix?: string;
  /** Default: kube-apiserver's asymmetric ones. */
  readonly algorithms?: readonly string[];
}

export interface Reviewed {
  readonly username: string;
  readonly groups: readonly string[];
  readonly jti: string | undefined;
}

/**
 * Checks tokens as kube-apiserver does (k8s.io/apiserver, plugin/pkg/authenticator/token/oidc): signature by the issuer's
 * keys, issuer and audience exactly, times, algorithm, user name and groups by claims. Undefined: not authenticated.
 */
export function tokenReview(rules: TokenRules): (token: string) => Promise<Reviewed | undefined> {
  const algorithms = [...(rules.algorithms ?? ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"])];
  return async (token) => {
    try {
      const metadata = (await getJson(`${rules.issuer}/.well-known/openid-configuration`, rules.issuerCa)) as { readonly issuer?: string; readonly jwks_uri?: string };
      if (metadata.issuer !== rules.issuer) return undefined;
      const keys = createLocalJWKSet((await getJson(String(metadata.jwks_uri), rules.issuerCa)) as JSONWebKeySet);
      const { payload } = await jwtVerify(token, keys, { issuer: rules.issuer, audience: rules.clientId, algorithms, requiredClaims: ["exp"] });
      const prefix = rules.prefix ?? "oidc:";
      const name = payload[rules.usernameClaim ?? "sub"];
      const groups = payload[rules.groupsClaim ?? "groups"] ?? [];
      if (typeof name !== "string" || name === "") return undefined;
      // Emails count only when the issuer verified them, unless it does not say.
      if (rules.usernameClaim === "email" && payload["email_verified"] === false) return undefined;
      return { username: `${prefix}${name}`, groups: (Array.isArray(groups) ? groups : [groups]).map((group) => `${prefix}${String(group)}`), jti: payload.jti };
    } catch {
      return undefined;
    }
  };
}

function getJson(url: string, ca: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ca, timeout: 5_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on("timeout", () => request.destroy(new Error("the issuer did not answer")));
    request.on("error", reject);
  });
}
