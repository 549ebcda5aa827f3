import { safeText } from "../untrusted-text.ts";
import { failed, type Outcome, ok, skipped, together, warn } from "./outcome.ts";

/** What a kubeconfig says about the user of a context, and what its command is on this computer. */
export interface StanzaFacts {
  readonly contextName: string;
  readonly apiVersion: string;
  readonly command: string;
  readonly interactiveMode: string | undefined;
  readonly provideClusterInfo: boolean;
  readonly server: string | undefined;
  /** Names of the user's other ways to log in: `client-certificate-data`, `token`, … */
  readonly competing: readonly string[];
  /** The program that the command means, absolute, links followed; undefined when there is none. */
  readonly resolved: string | undefined;
  /** Every program of that name on the PATH, the first first, links followed. */
  readonly onPath: readonly string[];
  /** The running program, absolute, links followed. */
  readonly own: string;
}

const users = "kubectl config set-credentials";

/** D-01: would kubectl start this program, and use what it says? */
export function checkStanza(facts: StanzaFacts | undefined): Outcome {
  if (facts === undefined) return skipped("no context of a kubeconfig is used");
  const name = safeText(facts.contextName, 60);
  const outcomes: Outcome[] = [];
  const command = safeText(facts.command, 120);
  if (facts.competing.some((key) => key.startsWith("client-"))) {
    outcomes.push(
      failed(
        "SETTINGS_INVALID",
        `the user of ${name} has a client certificate too (${facts.competing.join(", ")}): the API server takes that one, not the token`,
        "remove the client certificate from the user in the kubeconfig",
      ),
    );
  } else if (facts.competing.length > 0) {
    outcomes.push(
      failed(
        "SETTINGS_INVALID",
        `the user of ${name} has another login too (${facts.competing.join(", ")}), which kubectl prefers`,
        `remove ${facts.competing.join(", ")} from the user in the kubeconfig`,
      ),
    );
  }
  if (facts.resolved === undefined) {
    outcomes.push(
      failed(
        "SETTINGS_INVALID",
        `kubectl cannot start ${command}: there is no such program on the PATH`,
        `put the folder of ${safeText(facts.own, 200)} on the PATH, or set command to that path`,
      ),
    );
  } else if (facts.resolved !== facts.own && /(^|[/\\])kubectl-oidc(\.exe|\.cmd)?$/.test(facts.command)) {
    outcomes.push(
      warn(
        `${command} is ${safeText(facts.resolved, 200)}, and this program is ${safeText(facts.own, 200)}: another copy stands before it on the PATH`,
        `remove ${safeText(facts.resolved, 200)}, or change the order of the PATH`,
      ),
    );
  }
  if (facts.apiVersion !== "client.authentication.k8s.io/v1") {
    outcomes.push(
      facts.apiVersion === "client.authentication.k8s.io/v1beta1"
        ? warn("the stanza uses client.authentication.k8s.io/v1beta1", "set apiVersion: client.authentication.k8s.io/v1 and interactiveMode: IfAvailable")
        : failed("API_VERSION_UNSUPPORTED", `the stanza's apiVersion is ${safeText(facts.apiVersion, 80)}`),
    );
  } else if (facts.interactiveMode === undefined) {
    outcomes.push(failed("SETTINGS_INVALID", "the stanza has no interactiveMode, which v1 demands", "set interactiveMode: IfAvailable"));
  } else if (facts.interactiveMode === "Always") {
    outcomes.push(warn("interactiveMode Always keeps programs without a terminal (k9s, Terraform, editors) from using the stanza", "set interactiveMode: IfAvailable"));
  }
  if (facts.server !== undefined && !facts.server.startsWith("https:"))
    outcomes.push(failed("SETTINGS_INVALID", "the cluster's server is not https: kubectl sends no token there", "correct the server of the context's cluster"));
  if (!facts.provideClusterInfo)
    outcomes.push(warn("without provideClusterInfo the session cannot be held to its API servers", `run: ${users} USER --exec-provide-cluster-info=true`));
  return together(outcomes, `${name} runs ${command}`);
}

/** D-21: one copy of this program, on a Node that is supported. `node`: `process.versions.node`. */
export function checkProgram(own: string, copies: readonly string[], version: string, node: string): Outcome {
  const major = Number(node.split(".")[0]);
  const others = [...new Set(copies)].filter((copy) => copy !== own);
  const outcomes: Outcome[] = [];
  if (others.length > 0)
    outcomes.push(warn(`there are other copies on the PATH: ${others.map((copy) => safeText(copy, 160)).join(", ")}`, "remove the copies that are not wanted"));
  if (major < 22) outcomes.push(warn(`Node ${safeText(node, 20)} gets no security fixes any more`, "install Node 24"));
  if (copies.length === 0) outcomes.push(warn("kubectl-oidc is not on the PATH, so `kubectl oidc` does not find it", `put the folder of ${safeText(own, 200)} on the PATH`));
  return together(outcomes, `kubectl-oidc ${safeText(version, 40)} on Node ${safeText(node, 20)}: ${safeText(own, 200)}`);
}

/** D-20: kubectl hands the authority over in one environment variable, which Linux limits to 128 KiB. `caBytes`: of its base64 text. */
export function checkAuthoritySize(caBytes: number | undefined, provideClusterInfo: boolean): Outcome {
  if (caBytes === undefined) return skipped("the cluster has no authority of its own");
  const size = `${Math.ceil(caBytes / 1024)} KiB`;
  if (!provideClusterInfo || caBytes < 88_000) return ok(`${size}`);
  return warn(
    `the cluster's authority has ${size}: with more than some 120 KiB kubectl cannot start any plugin ("argument list too long")`,
    "keep only the certificates that the cluster needs in certificate-authority-data",
  );
}
