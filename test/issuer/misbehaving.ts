import { noteExchange } from "../canaries.ts";
import { type Answer, sendAnswer } from "./issuer-answer.ts";
import { type Forgery, type IssuerKeys, makeIssuerKeys } from "./issuer-keys.ts";
import { listenOnLocalhost, type ServerTls } from "./listen-on-localhost.ts";
import { makeProperIssuer } from "./proper-issuer.ts";
import { type IssuerRoute, type ReceivedRequest, readRequest } from "./received-request.ts";

/**
 * What stands in place of a proper answer: an answer, or a function of the request, how many of its route came so far (from 1), and
 * the proper answer, which is made (with what it changes: codes used, tokens rotated) only when it is asked for.
 */
export type Override = Answer | ((request: ReceivedRequest, nth: number, proper: () => Promise<Answer>) => Answer | Promise<Answer>);

/** How the issuer misbehaves; nothing given: it does not. `misbehaviours.ts` has the known ones by name. */
export interface Behaviour {
  readonly discovery?: Override;
  readonly jwks?: Override;
  readonly authorization?: Override;
  /** Every grant, device polls included. */
  readonly token?: Override;
  readonly device_authorization?: Override;
  readonly revocation?: Override;
  readonly end_session?: Override;
  readonly pushed_authorization?: Override;
  readonly userinfo?: Override;
  /** Paths that the proper issuer does not have. */
  readonly unknown?: Override;
  /** How ID tokens are made; `missing`: there is none in the answer. */
  readonly idToken?: Forgery | "missing" | ((request: ReceivedRequest, accessToken: string) => Forgery | "missing" | undefined);
  /** `rotate` when not given; `keep`: no new one in a refresh answer; `none`: never one. */
  readonly refreshTokens?: "rotate" | "keep" | "none";
  /** Of ID and access tokens in seconds; 3600 when not given. */
  readonly lifetime?: number;
}

export interface Misbehaving {
  /** `https://localhost:12345`, or `http://…` without certificates. */
  readonly issuer: string;
  /** Of its server. */
  readonly port: number;
  /** In the order in which they came. */
  readonly requests: readonly ReceivedRequest[];
  /** Every code and token that a proper answer handed out. */
  readonly secrets: readonly string[];
  /** The requests to one route, of one grant type when that is given. */
  received(route: IssuerRoute, grantType?: string): readonly ReceivedRequest[];
  count(route: IssuerRoute, grantType?: string): number;
  /** Behaves like this from the next request on. */
  become(behaviour: Behaviour): void;
  /** Refuses every refresh token that is out. */
  revokeEverything(): void;
  /** The proper answer of one endpoint to a request that came elsewhere. */
  properly(request: ReceivedRequest, route: IssuerRoute): Promise<Answer>;
  /** As `IssuerKeys.rotate`. */
  rotateKeys: IssuerKeys["rotate"];
  /** Ends every connection, unanswered ones included. */
  stop(): Promise<void>;
}

/** Where an issuer lies on its server: `/tenant/v2.0` for `http://localhost:12345/tenant/v2.0`, and what is at which path, or URL. */
export interface IssuerSite {
  /** What people call its server; undefined: by its address. */
  readonly origin?: string | undefined;
  readonly path: string;
  readonly routes: Readonly<Record<string, IssuerRoute>>;
}

/**
 * Starts a small issuer whose every answer can be replaced. By default it is proper: the authorization endpoint redirects at once with
 * a code (nobody is asked), PKCE S256 and the exact redirect URI are checked, tokens are signed, refresh tokens rotate, and a refresh
 * token that is used twice ends the session.
 */
export async function startMisbehaving(behaviour: Behaviour = {}, options: { readonly certificates?: ServerTls; readonly site?: IssuerSite } = {}): Promise<Misbehaving> {
  const keys = await makeIssuerKeys();
  const requests: ReceivedRequest[] = [];
  let current = behaviour;
  const received = (route: IssuerRoute, grantType?: string) =>
    requests.filter((request) => request.route === route && (grantType === undefined || request.grantType === grantType));

  const server = await listenOnLocalhost((incoming, response) => {
    readRequest(incoming, options.site?.routes)
      .then(async (request) => {
        requests.push(request);
        const answer = await decide(request, received(request.route).length);
        noteExchange(request.form, request.headers.authorization, answer.json, answer.headers?.["location"]);
        await sendAnswer(response, answer);
      })
      // Only a fault of the test itself ends here: it must not hang.
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  }, options.certificates);

  const issuer = `${options.site?.origin ?? server.origin}${options.site?.path ?? ""}`;

  const proper = makeProperIssuer({
    issuer,
    keys,
    forgery: (request, accessToken) => (typeof current.idToken === "function" ? current.idToken(request, accessToken) : current.idToken),
    refreshTokens: () => current.refreshTokens ?? "rotate",
    lifetime: () => current.lifetime ?? 3600,
  });

  function decide(request: ReceivedRequest, nth: number): Answer | Promise<Answer> {
    const { route } = request;
    const override = route === "verification" ? undefined : current[route];
    if (override === undefined) return proper.answer(request);
    return typeof override === "function" ? override(request, nth, () => proper.answer(request)) : override;
  }

  return {
    issuer,
    port: server.port,
    requests,
    secrets: proper.secrets,
    received,
    count: (route, grantType) => received(route, grantType).length,
    become: (next) => {
      current = next;
    },
    revokeEverything: proper.revokeEverything,
    properly: (request, route) => proper.answer({ ...request, route }),
    rotateKeys: keys.rotate,
    stop: server.stop,
  };
}
