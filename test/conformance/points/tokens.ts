import { points } from "../point.ts";

const noUserinfo = "no userinfo request is made: the API server reads the ID token alone; a test shows that the endpoint is never asked";

/** OpenID Connect Core 3.1.3.7 and 12.2, RFC 9207, RFC 7636, RFC 9700. */
export const idTokens = points(
  ["ID-01", "library", "`iss` of the ID token is the issuer, exactly"],
  ["ID-02", "us", "the discovery document's issuer is the configured one, byte for byte; also for hosts where the library is lenient, and never by a `/.well-known/` URL"],
  ["ID-03", "library", "`aud` holds the client ID"],
  ["ID-04", "library", "audiences that we do not know are refused, unless `azp` is us"],
  ["ID-05", "us", "`azp` is the client ID whenever it is there"],
  ["ID-06", "option", "the signature is verified, at login and at refresh"],
  ["ID-07", "us", "asymmetric algorithms only, whatever the issuer's metadata lists"],
  ["ID-08", "both", "an expired token is refused, and none is handed out that is about to expire"],
  ["ID-09", "both", "`iat` is there and not in the future"],
  ["ID-10", "library", "`nbf` is respected"],
  ["ID-11", "library", "`nonce` is the one that was sent"],
  ["ID-12", "us", "`acr` is one that was asked for"],
  ["ID-13", "us", "`auth_time` proves what `--max-age` asks for"],
  ["ID-14", "library", "a `crit` header is refused"],
  ["ID-15", "us", "an answer without an ID token is an error of its own"],
  ["ID-16", "us", "`at_hash`, when it is there, fits the access token that is handed out"],
  ["ID-17", "us", "`sub` is a text of 1 to 255 characters"],
);

export const refresh = points(
  ["RF-01", "library", "`iss` and `aud` of a refreshed token are checked as at login"],
  ["RF-02", "us", "`sub` of a refreshed token is that of the login"],
  ["RF-03", "us", "`iat` is new; `auth_time` and `azp` are those of the login or absent"],
  ["RF-04", "us", "`nonce` is absent or that of the login"],
  ["RF-05", "us", "an answer without a refresh token keeps the old one; without an ID token it is an error that keeps the session"],
  ["RF-06", "us", "fewer scopes than asked for are noticed"],
  ["RF-07", "us", "`invalid_grant` deletes the stored token only if it is still the one that was refused"],
  ["UI-01", "us", "`sub` of userinfo is that of the ID token", noUserinfo],
);

export const issuerIdentification = points(
  ["I-01", "library", "`iss` of the authorization response is the issuer, exactly"],
  ["I-02", "library", "`iss` that the metadata promises must be there"],
  ["I-03", "library", "so in an error response"],
  ["I-04", "library", "`iss` that nobody promised is compared as well"],
  ["I-05", "library", "all of this before the code is used"],
  ["I-06", "both", "a parameter that comes twice is refused"],
);

export const pkce = points(
  ["P-01", "library", "the verifier has 256 bits of randomness, 43 characters"],
  ["P-02", "us", "S256, never plain"],
  ["P-03", "us", "a new verifier for every attempt"],
  ["P-04", "us", "the verifier goes with the code, always"],
  ["P-05", "us", "PKCE is used whether the metadata names it or not"],
  ["P-06", "us", "the verifier is neither stored nor logged"],
);

export const bestPractice = points(
  [
    "B-01",
    "us",
    "the code flow only; no implicit grant, no password",
    "the password grant exists for kubelogin's users; it has to be asked for, and warns (RFC 9700, section 2.4)",
  ],
  ["B-02", "both", "state, nonce and PKCE together"],
  ["B-03", "both", "no mix-up: one issuer for one flow, `iss` compared"],
  ["B-04", "us", "refresh tokens of a public client rotate, and rotation loses none"],
  ["B-05", "us", "scopes and audiences as narrow as they are asked for: nothing is added but `openid` and `offline_access`"],
  ["B-06", "us", "asymmetric client authentication: private_key_jwt and mutual TLS, for machines and for persons' logins"],
  ["B-07", "library", "endpoints come from the issuer's metadata"],
  ["B-08", "us", "metadata cannot talk us out of PKCE"],
  ["B-09", "us", "no token in a URL of ours; Referrer-Policy and Cache-Control on the callback page"],
  ["B-10", "us", "the listener redirects nobody"],
  ["B-11", "us", "no 307"],
  ["B-12", "us", "logout revokes"],
  ["B-13", "us", "a code is used once; an error ends its state"],
);

/** RFC 9449. */
export const bound = points(
  ["DP-01", "us", "one key for a session, made at its login, the same in every process"],
  ["DP-02", "both", "a proof with the code, each poll of a device and each refresh"],
  ["DP-03", "us", "the authorization request names the key (`dpop_jkt`)"],
  ["DP-04", "library", "a nonce that the issuer demands is used at once, once"],
  ["DP-05", "us", "a refresh token without its key is worth nothing"],
  ["DP-06", "us", "key and refresh token are stored in one write; who loses the key logs in again"],
  ["DP-07", "us", "not where the access token is handed out: an API server takes bearer tokens"],
  ["DP-08", "us", "a clock that is wrong is no logout; it is named"],
);
