import type { DpopKey } from "../core/dpop.ts";
import { timeLeft } from "../core/time-left.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import type { BeforeJudged, OpenIdProvider, TokenAnswer } from "../ports.ts";
import type { LoginRequest } from "./login-request.ts";
import type { Run } from "./world.ts";

/** One line of `login -o json` (cli.md M13). */
export type LoginEvent =
  | { readonly event: "url"; readonly url: string }
  | { readonly event: "code"; readonly userCode: string; readonly verificationUri: string; readonly verificationUriComplete?: string; readonly expiresAt: string };

/** Who asks for the login. */
export interface LoginOrigin {
  /** `login` is typed by a person; `get-token` is run by kubectl. */
  readonly command: "login" | "get-token";
  readonly events?: (event: LoginEvent) => void;
  readonly mayPrompt: boolean;
  /** The context of the kubeconfig that the settings are from. */
  readonly context?: string;
  /** Called when a login that fails leaves something behind: an answer, to be judged at the next call, or a session that only lacks a token. */
  readonly onLeft?: (what: "answer" | "session") => void;
  /** Further audiences that the session is to serve: those of the kubeconfig's other contexts. */
  readonly audiences?: () => Promise<readonly string[]>;
}

/** What a flow works with. */
export interface FlowContext {
  readonly run: Run;
  readonly provider: OpenIdProvider;
  readonly request: LoginRequest;
  /** The key that this login's refresh token is to be bound to. */
  readonly binding: DpopKey | undefined;
  readonly before: BeforeJudged;
  /** Ends at Ctrl-C and at the login's deadline. */
  readonly signal: AbortSignal;
  readonly offerPaste: boolean;
  readonly mayPrompt: boolean;
  /** `full`: a person typed `login` and reads. `brief`: kubectl shows our lines among its own, or a program reads. */
  readonly manners: "full" | "brief";
  /** When the login's time is over. */
  readonly endsAt: number;
  /** ` for https://server` when kubectl named it, ` for context prod (https://server)` when a context did. */
  readonly forServer: string;
  readonly events: ((event: LoginEvent) => void) | undefined;
  /** Called right before a browser opens or a code is shown. */
  opened(): void;
  /** Checks and stores; called before the browser is answered. */
  keep(answer: TokenAnswer): Promise<void>;
  /** True when an answer came whose refresh token is stored. */
  received(): boolean;
  /** LOGIN_TIMED_OUT when the deadline ended the wait, else the error itself. */
  timeoutOr(error: unknown): unknown;
}

/** Said before a browser opens or a code is shown, so that a login which somebody's kubeconfig started is not taken for one's own. */
export function announcement({ run: { settings }, forServer }: Pick<FlowContext, "run" | "forServer">): string {
  return `kubectl-oidc: logging in to ${shownUrl(settings.issuer)} as client ${safeText(settings.clientId, 80)}${forServer}`;
}

/** Whom the login is for, as `FlowContext.forServer`. */
export function forWhom(origin: Pick<LoginOrigin, "context">, server: Run["server"]): string {
  const origins = server === undefined ? "" : safeText(server.origin, 120);
  if (origin.context === undefined) return origins === "" ? "" : ` for ${origins}`;
  return ` for context ${safeText(origin.context, 80)}${origins === "" ? "" : ` (${origins})`}`;
}

/** Something to copy has a line of its own, which three clicks take, on the terminal of who typed `login`; elsewhere every line says whose it is. */
export const hasOwnLines = ({ manners, run }: Pick<FlowContext, "manners" | "run">) => manners === "full" && run.world.terminal.stderrIsTerminal;

/** The line that counts down while the person is elsewhere: `what` they are waited for, `until` when. */
export function waitingLine({ run }: Pick<FlowContext, "run">, what: string, until: number): () => string {
  return () => `kubectl-oidc: waiting for ${what}… ${timeLeft(until - run.world.clock.now())} left, Ctrl-C cancels`;
}

/** Shows that line until the action ends; in `login` only: under kubectl the screen belongs to somebody else (k9s). */
export async function whileWaiting<T>(context: FlowContext, what: string, until: number, action: () => Promise<T>): Promise<T> {
  if (context.manners !== "full") return action();
  const line = context.run.world.terminal.waiting(waitingLine(context, what, until));
  try {
    return await action();
  } finally {
    line.end();
  }
}
