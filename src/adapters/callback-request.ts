import { createHash, timingSafeEqual } from "node:crypto";

/** A callback's URL: a code of some KB at most. Characters. */
const longestUrl = 16_384;

/** What a request of this login looks like. */
export interface ExpectedCallback {
  readonly state: string;
  /** `/`, or the path of the registered redirect URL. */
  readonly path: string;
  /** Every Host header that names this listener (`hostsOf`). */
  readonly hosts: readonly string[];
  /** The login asked for response_mode=form_post; without that no POST is looked at. */
  readonly formPost: boolean;
}

/** The parts of a request that are judged. */
export interface CallbackRequest {
  readonly method: string | undefined;
  /** The request target: path and query. */
  readonly target: string;
  readonly host: string | undefined;
  /** The form of a POST as a query; undefined when it has none that can be used. */
  readonly form?: string | undefined;
}

export type JudgedCallback =
  | { readonly kind: "answer"; readonly query: string }
  | { readonly kind: "refused"; readonly status: 400 | 404 | 405 | 414; readonly title: string; readonly text: string };

/**
 * Is this the answer to this login? Host and state are judged before `error` too, since a web page can send a browser here with
 * `?error=…`, and must not be able to end the login with it.
 */
export function judgeCallback(request: CallbackRequest, expected: ExpectedCallback): JudgedCallback {
  const refused = (status: 400 | 404 | 405 | 414, title: string, text: string) => ({ kind: "refused", status, title, text }) as const;
  if (request.target.length > longestUrl) return refused(414, "Too long", "This address is too long.");
  const isForm = request.method === "POST" && expected.formPost;
  if (request.method !== "GET" && !isForm) return refused(405, "Not allowed", "Only a browser's GET is answered here.");
  if (request.host === undefined || !expected.hosts.includes(request.host)) return refused(400, "Wrong host", "This request was not meant for kubectl-oidc.");
  const at = request.target.indexOf("?");
  // Never both: what stands in the address of a form is not part of the answer.
  const query = isForm ? (request.form ?? "") : at === -1 ? "" : request.target.slice(at);
  if ((at === -1 ? request.target : request.target.slice(0, at)) !== expected.path) return refused(404, "Not found", "There is nothing here.");
  const problem = problemOf(new URLSearchParams(query), expected.state);
  return problem === undefined ? { kind: "answer", query } : refused(400, "Not this login", problem);
}

/**
 * The Host headers of this listener. A name that an attacker's DNS points here is none of them (DNS rebinding). `configured`:
 * the registered redirect URL; its own host and port count as well, since a container may map another port to ours.
 */
export function hostsOf(port: number, isSecure: boolean, configured: URL | undefined): readonly string[] {
  const names = new Set(["localhost", "127.0.0.1", "[::1]", ...(configured === undefined ? [] : [configured.hostname])]);
  // Browsers leave the scheme's own port out.
  const usual = port === (isSecure ? 443 : 80) ? [...names] : [];
  return [...[...names].map((name) => `${name}:${port}`), ...usual, ...(configured === undefined ? [] : [configured.host])];
}

/** Why these parameters are not this login's answer; undefined when they are. */
function problemOf(parameters: URLSearchParams, expected: string): string | undefined {
  const states = parameters.getAll("state");
  if (states.length !== 1 || !isSame(states[0] ?? "", expected)) return "This answer belongs to another login. Use the newest window, or start again.";
  if (["code", "error", "iss"].some((name) => parameters.getAll(name).length > 1)) return "This answer names something twice.";
  return parameters.get("code") || parameters.get("error") ? undefined : "This answer holds neither a code nor an error.";
}

/** Compares digests: constant time for texts of any length. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
