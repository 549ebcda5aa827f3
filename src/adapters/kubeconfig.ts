import { extensionName } from "../core/cluster-extension.ts";
import { dirname, resolve } from "node:path";
import { type ClusterAccess, serverIdentity } from "../core/exec-info.ts";
import { nearestContext } from "../core/nearest.ts";
import { isObject, type TrustedServer } from "../core/session.ts";
import { shellWord } from "../core/shell-word.ts";
import { isSaid, otherLogins, stanzaProgram, stanzaVariables } from "../core/stanza-program.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { authorityData } from "./authority-file.ts";
import { type Kubeconfig, type KubeconfigChoice, type KubeconfigEntry, readKubeconfig } from "./kubeconfig-files.ts";

/** One context whose user runs us or kubelogin. */
export interface KubeContext {
  readonly contextName: string;
  readonly userName: string;
  readonly command: string;
  /** The word between command and `get-token`: `oidc` or `oidc-login`, or empty. */
  readonly word: string;
  /** The stanza's arguments without `get-token`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  readonly interactiveMode: string | undefined;
  readonly provideClusterInfo: boolean;
  /** The user's other ways to log in, by their names in the file: kubectl sends a client certificate beside the token, and prefers a token. */
  readonly competing: readonly string[];
  /** The folder of the file that the user comes from; a relative command counts from there. */
  readonly folder: string;
  /** As kubectl would name it in KUBERNETES_EXEC_INFO; undefined when it cannot be told. */
  readonly server: TrustedServer | undefined;
  /** How kubectl reaches that server; undefined when it cannot be told. */
  readonly cluster: ClusterAccess | undefined;
  /** The cluster's extension `client.authentication.k8s.io/exec`; undefined when there is none. */
  readonly clusterConfig: unknown;
}

/**
 * The context that is named, else the current one. KUBECONFIG_UNREADABLE (reason ENOENT: there is no kubeconfig at all),
 * CONTEXT_NOT_FOUND for a missing context and for one whose user does not run us or kubelogin.
 */
export function loadContext(choice: KubeconfigChoice & { readonly context?: string }): KubeContext {
  const merged = readKubeconfig(choice);
  // As kubectl: an empty --context is none.
  const name = choice.context || merged.current;
  if (name === undefined) return fail("CONTEXT_NOT_FOUND", { message: "the kubeconfig has no current context", hint: hintWithoutCurrent([...merged.contexts.keys()]) });
  const found = contextOf(name, merged);
  return typeof found === "string" ? fail("CONTEXT_NOT_FOUND", { message: found, ...hintFor(name, merged, choice.kubeconfig) }) : found;
}

/** For a kubeconfig without a current context. */
function hintWithoutCurrent(names: readonly string[]): string {
  if (names.length === 0) return "it has no context at all; add --oidc-issuer-url and --oidc-client-id";
  const only = names.length === 1 ? shellWord(names[0] ?? "", process.platform) : undefined;
  return only === undefined ? "add --context NAME; kubectl config get-contexts lists them" : `add --context=${only}`;
}

/** The context that was meant; for one that is there, the command that makes it ours. */
function hintFor(name: string, merged: Kubeconfig, kubeconfig: string | undefined): { readonly hint?: string } {
  const context = merged.contexts.get(name);
  if (context === undefined) {
    const near = nearestContext(name, [...merged.contexts.keys()]);
    return near === undefined ? {} : { hint: `did you mean --context ${safeText(near, 80)}?` };
  }
  const words = [name, ...(kubeconfig === undefined ? [] : [kubeconfig])].map((text) => shellWord(text, process.platform));
  const flags = words.includes(undefined) ? " --context NAME" : ` --context=${words[0]}${words.length === 1 ? "" : ` --kubeconfig=${words[1]}`}`;
  const user = merged.users.get(String(context.value["user"]))?.value;
  return { hint: user?.["auth-provider"] === undefined ? `to set it up, run: kubectl oidc setup${flags}` : `to take it over, run: kubectl oidc migrate${flags}` };
}

/** Every context whose user runs us or kubelogin; others are passed over. KUBECONFIG_UNREADABLE. */
export function listContexts(choice: KubeconfigChoice): readonly KubeContext[] {
  const merged = readKubeconfig(choice);
  return [...merged.contexts.keys()].flatMap((name) => {
    const found = contextOf(name, merged);
    return typeof found === "string" ? [] : [found];
  });
}

/** The context, or the sentence that says why it cannot be used. */
export function contextOf(name: string, merged: Kubeconfig): KubeContext | string {
  const shown = safeText(name, 80);
  const context = merged.contexts.get(name)?.value;
  if (context === undefined) return `the kubeconfig has no context ${shown}`;
  const entry = typeof context["user"] === "string" ? merged.users.get(context["user"]) : undefined;
  const user = entry?.value;
  if (entry === undefined || user === undefined) return `the context ${shown} has no user in the kubeconfig`;
  const stanza = stanzaOfUser(user);
  if (stanza === undefined) return `the user of the context ${shown} does not run kubectl-oidc or kubelogin`;
  const cluster = typeof context["cluster"] === "string" ? merged.clusters.get(context["cluster"]) : undefined;
  const access = cluster === undefined ? undefined : accessOf(cluster);
  return {
    contextName: name,
    userName: String(context["user"]),
    ...stanza,
    folder: dirname(resolve(entry.file)),
    server: access === undefined ? undefined : serverOf(access),
    cluster: access,
    clusterConfig: cluster === undefined ? undefined : execExtension(cluster.value),
  };
}

/** What a user runs, when that is us or kubelogin. */
export type UserStanza = Pick<KubeContext, "command" | "word" | "args" | "env" | "apiVersion" | "interactiveMode" | "provideClusterInfo" | "competing">;

export function stanzaOfUser(user: Readonly<Record<string, unknown>>): UserStanza | undefined {
  const exec = isObject(user["exec"]) ? user["exec"] : undefined;
  const program = exec === undefined ? undefined : stanzaProgram(exec);
  if (exec === undefined || program?.args === undefined || program.kind === "azure") return undefined;
  return {
    command: String(exec["command"]),
    word: program.word,
    args: program.args,
    env: stanzaVariables(exec["env"]),
    apiVersion: typeof exec["apiVersion"] === "string" ? exec["apiVersion"] : "",
    interactiveMode: typeof exec["interactiveMode"] === "string" ? exec["interactiveMode"] : undefined,
    provideClusterInfo: isTrue(exec["provideClusterInfo"]),
    competing: otherLogins(user),
  };
}

/** A user that says nothing, as `kubectl config set-credentials NAME` makes one. */
export const isBareUser = (user: Readonly<Record<string, unknown>>): boolean => !Object.values(user).some(isSaid);

/** The cluster's entry as kubectl reads it, with the content of its CA file. Undefined when it names no server, or that file cannot be read. */
export function accessOf({ value: cluster, file }: KubeconfigEntry): ClusterAccess | undefined {
  const text = (name: string) => (typeof cluster[name] === "string" && cluster[name] !== "" ? cluster[name] : undefined);
  const server = text("server");
  if (server === undefined) return undefined;
  const caFile = text("certificate-authority");
  const certificateAuthorityData = text("certificate-authority-data") ?? (caFile === undefined ? undefined : authorityData(resolve(dirname(file), caFile)));
  if (caFile !== undefined && certificateAuthorityData === undefined) return undefined;
  return {
    server,
    tlsServerName: text("tls-server-name"),
    insecure: isTrue(cluster["insecure-skip-tls-verify"]),
    certificateAuthorityData,
    proxyUrl: text("proxy-url"),
  };
}

/** The server as kubectl names it with provideClusterInfo. One that cannot be named is not added to any list. */
export function serverOf(access: ClusterAccess): TrustedServer | undefined {
  try {
    return serverIdentity(access);
  } catch {
    return undefined;
  }
}

/** kubectl's YAML has the booleans of YAML 1.1; ours leaves those words as text. */
const isTrue = (value: unknown) => value === true || (typeof value === "string" && /^(y|yes|on)$/i.test(value));

export function execExtension(cluster: Readonly<Record<string, unknown>>): unknown {
  const list = Array.isArray(cluster["extensions"]) ? cluster["extensions"] : [];
  return list.filter(isObject).find(({ name }) => name === extensionName)?.["extension"];
}
