import { safeText } from "../untrusted-text.ts";
import { setUser, unsetKeys, type UserEntry } from "./kubeconfig-edit.ts";
import { failed, type Outcome, ok, skipped, together, warn } from "./outcome.ts";

/** What a kubeconfig says about the user of a context, and what its command is on this computer. */
export interface StanzaFacts {
  readonly contextName: string;
  readonly user: UserEntry;
  readonly apiVersion: string;
  readonly command: string;
  /** `oidc` or `oidc-login` where the stanza has one before `get-token`. */
  readonly word: string;
  readonly interactiveMode: string | undefined;
  readonly provideClusterInfo: boolean;
  readonly server: string | undefined;
  /** Names of the user's other ways to log in: `client-certificate-data`, `token`, … */
  readonly competing: readonly string[];
  /** The program that the command means, absolute, links followed; undefined when there is none. */
  readonly resolved: string | undefined;
  /** Every program of that name on the PATH, the first first, links followed. */
  readonly onPath: readonly string[];
  /** kubelogin's programs on the PATH, by the name under which kubectl finds it as its plugin. */
  readonly kubelogin: readonly string[];
  /** The running program, absolute, links followed. */
  readonly own: string;
  /** How another stanza is made of this one. */
  readonly migrate: string;
}

const v1 = "client.authentication.k8s.io/v1";

/** D-01: would kubectl start this program, and use what it says? */
export function checkStanza(facts: StanzaFacts | undefined): Outcome {
  if (facts === undefined) return skipped("no context of a kubeconfig is used");
  const outcomes = [...competingLogins(facts), ...program(facts), ...form(facts)];
  return together(outcomes, `${safeText(facts.contextName, 60)} runs ${safeText(facts.command, 120)}`);
}

function competingLogins({ competing, contextName, user }: StanzaFacts): readonly Outcome[] {
  if (competing.length === 0) return [];
  const name = safeText(contextName, 60);
  const isCertificate = competing.some((key) => key.startsWith("client-"));
  const keys = [
    ...new Set(competing.flatMap((key) => (key.startsWith("client-certificate") ? [key, key.replace("certificate", "key")] : key === "username" ? [key, "password"] : [key]))),
  ];
  const detail = isCertificate
    ? `the user of ${name} has a client certificate too (${competing.join(", ")}): the API server takes that one, not the token`
    : `the user of ${name} has another login too (${competing.join(", ")}), which kubectl prefers`;
  return [failed("SETTINGS_INVALID", detail, unsetKeys(user, keys, `remove ${isCertificate ? "the client certificate" : competing.join(", ")} from the user in the kubeconfig`))];
}

function program({ command, word, resolved, own, onPath, kubelogin, migrate }: StanzaFacts): readonly Outcome[] {
  const shown = safeText(command, 120);
  if (resolved === undefined) {
    const cure = onPath.length === 0 ? `put the folder of ${safeText(own, 200)} on the PATH, or set command to that path` : "set command: kubectl-oidc in the exec stanza";
    return [failed("SETTINGS_INVALID", `kubectl cannot start ${shown}: there is no such program on the PATH`, cure)];
  }
  const last =
    command
      .replaceAll("\\", "/")
      .split("/")
      .at(-1)
      ?.replace(/\.(exe|cmd)$/i, "") ?? "";
  if (last === "kubectl") {
    const twice = "kubectl is started twice for every token, and an allow-list of plugins would have to name kubectl itself";
    const [first] = kubelogin;
    if (word !== "oidc-login") return [warn(`the stanza runs kubectl ${safeText(word, 20)}: ${twice}`, migrate)];
    if (first === undefined) return [failed("SETTINGS_INVALID", "the stanza runs kubectl oidc-login, and there is no kubectl-oidc_login on the PATH", migrate)];
    return [warn(`the stanza runs kubectl oidc-login${first === own ? "" : `, which is kubelogin (${safeText(first, 160)}) and not this program`}: ${twice}`, migrate)];
  }
  if (last !== "kubectl-oidc" && resolved !== own && last !== "node" && last !== "bun")
    return [warn(`the stanza runs ${shown} (${safeText(resolved, 160)}), not this program`, migrate)];
  if (resolved === own || last !== "kubectl-oidc") return [];
  return [
    warn(
      `${shown} is ${safeText(resolved, 200)}, and this program is ${safeText(own, 200)}: another copy stands before it on the PATH`,
      `remove ${safeText(resolved, 200)}, or change the order of the PATH`,
    ),
  ];
}

function form({ apiVersion, interactiveMode, server, provideClusterInfo, user }: StanzaFacts): readonly Outcome[] {
  const outcomes: Outcome[] = [];
  const mode = setUser(user, ["--exec-interactive-mode=IfAvailable"], "set interactiveMode: IfAvailable");
  const newer = setUser(user, [`--exec-api-version=${v1}`, "--exec-interactive-mode=IfAvailable"], `set apiVersion: ${v1} and interactiveMode: IfAvailable`);
  if (apiVersion !== v1) {
    outcomes.push(
      apiVersion === `${v1}beta1`
        ? warn(`the stanza uses ${v1}beta1`, newer)
        : failed("API_VERSION_UNSUPPORTED", `the stanza's apiVersion is ${safeText(apiVersion, 80) || "missing"}`, newer),
    );
  } else if (interactiveMode === undefined) {
    outcomes.push(failed("SETTINGS_INVALID", "the stanza has no interactiveMode, which v1 demands", mode));
  } else if (interactiveMode === "Always") {
    outcomes.push(warn("interactiveMode Always keeps programs without a terminal (k9s, Terraform, editors) from using the stanza", mode));
  }
  if (server !== undefined && !server.startsWith("https:"))
    outcomes.push(failed("SETTINGS_INVALID", "the cluster's server is not https: kubectl sends no token there", "correct the server of the context's cluster"));
  if (!provideClusterInfo)
    outcomes.push(
      warn(
        "without provideClusterInfo the session cannot be held to its API servers",
        setUser(user, ["--exec-provide-cluster-info=true"], "set provideClusterInfo: true in the exec stanza"),
      ),
    );
  return outcomes;
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
