import { textsOf } from "../token-proof.ts";
import { safeText } from "../untrusted-text.ts";
import { failed, type Outcome, ok, together, warn } from "./outcome.ts";

type Claims = Readonly<Record<string, unknown>>;

/** kube-apiserver's own list (pkg/apis/apiserver/validation): no EdDSA, no HMAC (protocol.md AP-03). */
const serverAlgorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

/** D-07. */
export function checkAlgorithm(alg: unknown): Outcome {
  const shown = safeText(alg ?? "none", 20);
  if (typeof alg !== "string" || !serverAlgorithms.includes(alg))
    return failed("ID_TOKEN_INVALID", `the token is signed with ${shown}, which no API server accepts`, "have the issuer sign this client's ID tokens with RS256 or ES256");
  if (alg === "RS256") return ok("RS256");
  return warn(
    `the token is signed with ${shown}: an API server that is set up by flags accepts RS256 alone`,
    `add --oidc-signing-algs=${shown} to the API server's flags (an AuthenticationConfiguration needs nothing)`,
  );
}

/** D-08. `wanted`: `--oidc-audience`, where it was given. */
export function checkAudience(claims: Claims, clientId: string, wanted: readonly string[] = []): Outcome {
  const audience = textsOf(claims["aud"]) ?? [];
  const { exp, iat, azp } = claims;
  const life = typeof exp === "number" && typeof iat === "number" ? exp - iat : undefined;
  const expected = wanted.length > 0 ? wanted : [clientId];
  const list = (texts: readonly string[]) => texts.map((one) => safeText(one, 60)).join(", ");
  const outcomes: Outcome[] = [];
  if (audience.length === 0) {
    outcomes.push(failed("ID_TOKEN_INVALID", "the token has no audience: no API server takes it", `have the issuer put ${list(expected)} into aud`));
  } else if (!expected.some((one) => audience.includes(one))) {
    const meant = wanted.length > 0 ? `the audience ${list(wanted)}` : `the client ${safeText(clientId, 60)}`;
    outcomes.push(
      warn(`the token is for ${list(audience)}, not for ${meant}`, `name ${list(audience)} as an audience at the API server, or have the issuer put ${list(expected)} into aud`),
    );
  }
  if (azp !== undefined && azp !== clientId)
    outcomes.push(
      warn(
        `the token was issued to ${safeText(azp, 60)} (azp), not to the client ${safeText(clientId, 60)}`,
        `check --oidc-client-id: the issuer knows this client as ${safeText(azp, 60)}`,
      ),
    );
  if (typeof exp !== "number")
    outcomes.push(failed("ID_TOKEN_INVALID", "the token does not say when it ends (exp): no API server takes it", "have the issuer put exp into the token"));
  if (life !== undefined && life < 120)
    outcomes.push(warn(`the token lives for ${Math.round(life)} s: kubectl asks for a new one all the time`, "let the issuer's tokens live for 5 minutes or more"));
  if (life !== undefined && life > 86_400)
    outcomes.push(warn(`the token lives for ${Math.round(life / 3600)} hours, and nothing can revoke it`, "let the issuer's tokens live for an hour or less"));
  return together(outcomes, `for ${list(audience)}${life === undefined ? "" : `, ${Math.round(life / 60)} minutes`}`);
}

/** Too many groups for one token: Entra ID names the place to ask, or says only that there are some. */
export const overflows = (claims: Claims) => {
  const names = claims["_claim_names"];
  return (typeof names === "object" && names !== null && "groups" in names) || (claims["groups"] === undefined && claims["hasgroups"] === true);
};

/** An API server that makes the user name of the e-mail address refuses the token; one that makes it of another claim does not look. */
export const isUnverified = (claims: Claims) => claims["email"] !== undefined && claims["email_verified"] !== undefined && claims["email_verified"] !== true;

/** D-09: what most clusters make user names and groups of. */
export function checkNames(claims: Claims): Outcome {
  const outcomes: Outcome[] = [];
  const elsewhere = claims["groups"] === undefined ? groupsClaimOf(claims) : undefined;
  const groups = textsOf(claims[elsewhere ?? "groups"]);
  if (overflows(claims)) {
    outcomes.push(
      failed(
        "ID_TOKEN_INVALID",
        "the token does not hold the groups but says where to ask for them: there are too many (overage)",
        "let the issuer send only the groups that are assigned to this application, or roles in their place",
      ),
    );
  } else if (claims["groups"] === undefined && elsewhere === undefined) {
    outcomes.push(warn("the token holds no groups", "add --oidc-extra-scope=groups, or a groups claim for this client at the issuer; RBAC by user name needs none"));
  } else if (groups === undefined) {
    outcomes.push(warn("the claim groups is no list of texts: an API server refuses it", "let the issuer send the groups as a list of names"));
  }
  if (isUnverified(claims)) {
    outcomes.push(
      warn(
        "email_verified is false: an API server that takes the e-mail address as user name refuses the token",
        "confirm the e-mail address at the issuer, or use another claim as user name",
      ),
    );
  }
  return together(
    outcomes,
    `${safeText(claims["email"] ?? claims["preferred_username"] ?? claims["sub"], 100)}, ${groups?.length ?? 0} ${groups?.length === 1 ? "group" : "groups"}${elsewhere === undefined ? "" : ` in the claim ${safeText(elsewhere, 80)}, which the API server must be told`}`,
  );
}

/** Where issuers put groups when not in `groups`: GitLab, Amazon Cognito, Auth0's claims with a URL as their name, roles. */
export function groupsClaimOf(claims: Claims): string | undefined {
  return Object.keys(claims).find((name) => /^(groups_direct|cognito:groups|roles|https?:\/\/.*\/(groups|roles))$/.test(name) && textsOf(claims[name]) !== undefined);
}

/** D-10. */
export const checkJti = (claims: Claims): Outcome =>
  typeof claims["jti"] === "string"
    ? ok("the API server's audit log can name the token")
    : warn("the token has no jti: the audit log cannot tell one token from another", "let the issuer add jti, if it can");

/** D-11: proxies and load balancers before API servers take 8 KiB of one header. */
export function checkSize(token: string): Outcome {
  const size = `${(token.length / 1024).toFixed(1)} KiB`;
  return token.length > 7_168 ? warn(`the token has ${size}: a proxy before the API server may refuse it`, "let the issuer leave out claims, groups above all") : ok(size);
}
