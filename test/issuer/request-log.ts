/** One request that the issuer answered. Names only: values may be codes, tokens and verifiers. */
export interface LoggedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** `discovery`, `jwks`, `authorization`, `token`, `device_authorization`, `code_verification`, `revocation`, `end_session`, `interaction`, … */
  readonly route: string;
  /** Names of the parameters in the body, sorted. */
  readonly parameters: readonly string[];
  readonly grantType: string | undefined;
  readonly status: number;
}

export interface RequestLog {
  readonly requests: readonly LoggedRequest[];
  add(request: LoggedRequest): void;
  /** How many requests went to this route; of one grant type only, when it is given. */
  count(route: string, grantType?: string): number;
}

export function makeRequestLog(): RequestLog {
  const requests: LoggedRequest[] = [];
  return {
    requests,
    add: (request) => {
      requests.push(request);
    },
    count: (route, grantType) => requests.filter((request) => request.route === route && (grantType === undefined || request.grantType === grantType)).length,
  };
}
