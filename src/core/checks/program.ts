import { safeText } from "../untrusted-text.ts";
import { failed, type Outcome, ok, together, warn } from "./outcome.ts";

/** This program and what lies beside it on the PATH, links followed. */
export interface ProgramFacts {
  /** The running one, absolute. */
  readonly own: string;
  /** Every `kubectl-oidc` on the PATH, the first first. */
  readonly copies: readonly string[];
  /** Programs that kubectl would start in our place for `kubectl oidc COMMAND`: it looks for the longest name first. */
  readonly shadows: readonly { readonly command: string; readonly path: string }[];
  /** kubelogin's. */
  readonly kubelogin: readonly string[];
  /** `kubectl_complete-oidc`, which kubectl asks for completions. */
  readonly completion: readonly string[];
  readonly version: string;
  /** `Node 24.11.0`, `Bun 1.4.5`. */
  readonly runtime: string;
}

/** D-21: one copy of this program, found by kubectl under every command, on a Node that is supported. */
export function checkProgram({ own, copies, shadows, kubelogin, completion, version, runtime }: ProgramFacts): Outcome {
  const others = [...new Set(copies)].filter((copy) => copy !== own);
  const stale = kubelogin.filter((path) => path !== own);
  const foreign = shadows.filter(({ path }) => path !== own);
  const outcomes: Outcome[] = foreign.map(({ command, path }) =>
    warn(
      `kubectl oidc ${command} starts ${safeText(path, 160)} and not this program: kubectl takes the longest name that is there`,
      `remove ${safeText(path, 160)}, or type: kubectl-oidc ${command}`,
    ),
  );
  if (others.length > 0)
    outcomes.push(warn(`there are other copies on the PATH: ${others.map((copy) => safeText(copy, 160)).join(", ")}`, "remove the copies that are not wanted"));
  if (stale.length > 0) outcomes.push(warn(`kubelogin is still there: ${stale.map((path) => safeText(path, 160)).join(", ")}`, "remove it, once no kubeconfig of yours runs it"));
  if (copies.length === 0) outcomes.push(warn("kubectl-oidc is not on the PATH, so `kubectl oidc` does not find it", `put the folder of ${safeText(own, 200)} on the PATH`));
  if (isOldNode(runtime)) outcomes.push(warn(`${safeText(runtime, 20)} gets no security fixes any more`, "install Node 24"));
  const completed = completion.length === 0 ? "; kubectl_complete-oidc is not on the PATH, so kubectl completes nothing" : "; kubectl completes it";
  return together(outcomes, `kubectl-oidc ${safeText(version, 40)} on ${safeText(runtime, 20)}: ${safeText(own, 200)}${completed}`);
}

const isOldNode = (runtime: string) => Number(/^Node v?(\d+)/.exec(runtime)?.[1] ?? 22) < 22;

/** D-22: a kubectl that speaks the stanza's version. `version`: `v1.36.2`; undefined when there is none, or it does not say. */
export function checkKubectl(version: string | undefined): Outcome {
  if (version === undefined) return warn("there is no kubectl on the PATH, or it does not say its version", "install kubectl: https://kubernetes.io/docs/tasks/tools/");
  const shown = safeText(version, 40);
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  if (major !== "1" || minor === undefined) return ok(shown);
  const release = Number(minor);
  if (release < 22)
    return failed(
      "API_VERSION_UNSUPPORTED",
      `kubectl ${shown} does not know client.authentication.k8s.io/v1 (1.22)`,
      "install a newer kubectl: https://kubernetes.io/docs/tasks/tools/",
    );
  if (release < 26) return warn(`kubectl ${shown} completes no plugins (1.26)`, "install a newer kubectl: https://kubernetes.io/docs/tasks/tools/");
  return ok(release < 35 ? `${shown}; plugin policies of kuberc begin with 1.35` : shown);
}
