import { createHash, randomBytes } from "node:crypto";
import { type Answer, oauthError } from "./issuer-answer.ts";
import type { Forgery, IssuerKeys } from "./issuer-keys.ts";
import { bearerGrant, exchangeGrant, machineAnswer } from "./machine-answers.ts";
import type { IssuerRoute, ReceivedRequest } from "./received-request.ts";

/** What the issuer does when nothing replaces it, and the few things in it that can be turned. */
export interface ProperIssuer {
  answer(request: ReceivedRequest): Promise<Answer>;
  /** Every code and token that was handed out, for tests that look for them where they must not be. */
  readonly secrets: readonly string[];
  /** Refuses every refresh token from now on. */
  revokeEverything(): void;
}

export interface ProperChoices {
  readonly issuer: string;
  readonly keys: IssuerKeys;
  /** Called for each ID token, with the access token beside it. `missing`: the answer has none. */
  readonly forgery: (request: ReceivedRequest, accessToken: string) => Forgery | "missing" | undefined;
  /** `rotate`: a new one with each use. `keep`: none in a refresh answer. `none`: never one. */
  readonly refreshTokens: () => "rotate" | "keep" | "none";
  /** Of ID and access tokens, in seconds. */
  readonly lifetime: () => number;
}

interface Login {
  readonly clientId: string;
  readonly scope: string;
  readonly nonce: string | undefined;
  readonly audience: string | undefined;
}
interface Code extends Login {
  readonly redirectUri: string;
  readonly challenge: string;
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

export function makeProperIssuer(choices: ProperChoices): ProperIssuer {
  const { issuer, keys } = choices;
  const secrets: string[] = [];
  const codes = new Map<string, Code>();
  const refreshTokens = new Map<string, Login>();
  const devices = new Map<string, Login>();
  const pushed = new Map<string, URLSearchParams>();
  const newSecret = (kind: string): string => {
    const made = `${kind}-${randomBytes(24).toString("base64url")}`;
    secrets.push(made);
    return made;
  };

  function authorize(request: ReceivedRequest): Answer {
    const query = pushed.get(request.query.get("request_uri") ?? "") ?? request.query;
    const redirectUri = query.get("redirect_uri");
    if (redirectUri === null || !URL.canParse(redirectUri)) return { status: 400, text: "<title>no redirect_uri</title>" };
    const back = new URL(redirectUri);
    back.searchParams.set("iss", issuer);
    const state = query.get("state");
    if (state !== null) back.searchParams.set("state", state);
    const challenge = query.get("code_challenge");
    const isProper =
      query.get("response_type") === "code" && query.get("code_challenge_method") === "S256" && challenge !== null && query.get("scope")?.split(" ").includes("openid") === true;
    if (isProper) {
      const code = newSecret("code");
      codes.set(code, { ...loginOf(query), redirectUri, challenge });
      back.searchParams.set("code", code);
    } else {
      back.searchParams.set("error", "invalid_request");
    }
    return { status: 303, headers: { location: back.href } };
  }

  async function token(request: ReceivedRequest): Promise<Answer> {
    const { form, grantType } = request;
    if (grantType === "authorization_code") {
      const code = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      const hash = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (code === undefined || code.redirectUri !== form.get("redirect_uri") || code.challenge !== hash) return oauthError("invalid_grant");
      return tokens(request, narrowed(code, form), true);
    }
    if (grantType === "refresh_token") {
      const presented = form.get("refresh_token") ?? "";
      const login = refreshTokens.get(presented);
      if (login === undefined) {
        // A token that was used before may be stolen: everything ends (RFC 9700 section 4.14.2).
        refreshTokens.clear();
        return oauthError("invalid_grant");
      }
      const rotates = choices.refreshTokens() === "rotate";
      if (rotates) refreshTokens.delete(presented);
      return tokens(request, { ...narrowed(login, form), nonce: undefined }, rotates);
    }
    if (grantType === deviceGrant) {
      const login = devices.get(form.get("device_code") ?? "");
      devices.delete(form.get("device_code") ?? "");
      return login === undefined ? oauthError("invalid_grant") : tokens(request, narrowed(login, form), true);
    }
    if (grantType === "password" || grantType === "client_credentials") return tokens(request, loginOf(form), grantType === "password");
    if (grantType === exchangeGrant || grantType === bearerGrant) {
      const answer = await machineAnswer(request, { issuer, keys, lifetime: choices.lifetime(), forgery: (accessToken) => choices.forgery(request, accessToken) });
      const given = (answer.json as { readonly access_token?: string } | undefined)?.access_token;
      if (given !== undefined) secrets.push(given);
      return answer;
    }
    return oauthError("unsupported_grant_type");
  }

  async function tokens(request: ReceivedRequest, login: Login, withRefreshToken: boolean): Promise<Answer> {
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, exp: now + choices.lifetime() };
    const subject = request.grantType === "client_credentials" ? login.clientId : "alice";
    const person = { sub: subject, email: "alice@example.com", groups: ["developers"] };
    const accessToken = await keys.sign({ iss: issuer, aud: login.audience ?? login.clientId, ...person, ...times, jti: randomBytes(8).toString("hex") });
    const forgery = choices.forgery(request, accessToken);
    const idToken =
      forgery === "missing"
        ? undefined
        : await keys.sign({ iss: issuer, aud: login.clientId, ...person, ...times, nonce: login.nonce, jti: randomBytes(8).toString("hex") }, forgery);
    secrets.push(accessToken, ...(idToken === undefined ? [] : [idToken]));
    const refreshToken = withRefreshToken && choices.refreshTokens() !== "none" ? newSecret("refresh") : undefined;
    if (refreshToken !== undefined) refreshTokens.set(refreshToken, login);
    return { json: { token_type: "Bearer", access_token: accessToken, expires_in: choices.lifetime(), scope: login.scope, id_token: idToken, refresh_token: refreshToken } };
  }

  function device({ form }: ReceivedRequest): Answer {
    const code = newSecret("device");
    devices.set(code, loginOf(form));
    const uri = `${issuer}/device`;
    return { json: { device_code: code, user_code: "WDJB-MJHT", verification_uri: uri, verification_uri_complete: `${uri}?user_code=WDJB-MJHT`, expires_in: 600, interval: 1 } };
  }

  /** RFC 9126. Discovery does not name it: a test that wants it adds it there. */
  function push({ form }: ReceivedRequest): Answer {
    const uri = `urn:ietf:params:oauth:request_uri:${randomBytes(12).toString("base64url")}`;
    pushed.set(uri, form);
    return { status: 201, json: { request_uri: uri, expires_in: 60 } };
  }

  const answers: Readonly<Record<IssuerRoute, (request: ReceivedRequest) => Answer | Promise<Answer>>> = {
    discovery: () => ({ json: metadataOf(issuer) }),
    jwks: () => ({ json: keys.published() }),
    authorization: authorize,
    token,
    device_authorization: device,
    verification: () => ({ text: "<title>Device confirmed</title>" }),
    revocation: ({ form }) => {
      refreshTokens.delete(form.get("token") ?? "");
      return {};
    },
    pushed_authorization: push,
    end_session: () => ({ text: "<title>Logged out</title>" }),
    userinfo: () => ({ json: { sub: "alice", email: "alice@example.com" } }),
    unknown: () => ({ status: 404, text: "<title>not found</title>" }),
  };
  return { answer: async (request) => answers[request.route](request), secrets, revokeEverything: () => refreshTokens.clear() };
}

/** RFC 8707, section 2.2. */
const narrowed = <T extends Login>(login: T, form: URLSearchParams): T => ({ ...login, audience: form.get("resource") ?? login.audience });

function loginOf(parameters: URLSearchParams): Login {
  return {
    clientId: parameters.get("client_id") ?? "kubernetes",
    scope: parameters.get("scope") ?? "openid",
    nonce: parameters.get("nonce") ?? undefined,
    audience: parameters.get("resource") ?? undefined,
  };
}

/** What a proper issuer says about itself. */
export function metadataOf(issuer: string): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    device_authorization_endpoint: `${issuer}/device_authorization`,
    revocation_endpoint: `${issuer}/revoke`,
    end_session_endpoint: `${issuer}/logout`,
    userinfo_endpoint: `${issuer}/userinfo`,
    scopes_supported: ["openid", "offline_access", "email", "groups"],
    response_types_supported: ["code"],
    grant_types_supported: ["authorization_code", "refresh_token", "client_credentials", "password", deviceGrant, exchangeGrant, bearerGrant],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256", "ES256"],
    token_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
  };
}
