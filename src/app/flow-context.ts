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
}

/** What a flow works with. */
export interface FlowContext {
  readonly run: Run;
  readonly provider: OpenIdProvider;
  readonly request: LoginRequest;
  readonly before: BeforeJudged;
  /** Ends at Ctrl-C and at the login's deadline. */
  readonly signal: AbortSignal;
  readonly offerPaste: boolean;
  readonly mayPrompt: boolean;
  /** ` for https://server` when kubectl named it. */
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
