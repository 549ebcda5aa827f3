import { readFileSync, statSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { serverIdentity } from "../core/exec-info.ts";
import { isObject, type TrustedServer } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";

/** Larger than any kubeconfig. Bytes. */
const mostBytes = 8_388_608;

/** One context whose user runs us or kubelogin. */
export interface KubeContext {
  readonly contextName: string;
  readonly command: string;
  /** The stanza's arguments without `get-token`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  /** As kubectl would name it in KUBERNETES_EXEC_INFO; undefined when it cannot be told. */
  readonly server: TrustedServer | undefined;
  /** The cluster's extension `client.authentication.k8s.io/exec`; undefined when there is none. */
  readonly clusterConfig: unknown;
}

export interface KubeconfigChoice {
  /** `--kubeconfig`; without it $KUBECONFIG, then ~/.kube/config. */
  readonly kubeconfig?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** An entry of a named list with the file that it came from. */
interface Entry {
  readonly value: Readonly<Record<string, unknown>>;
  readonly file: string;
}

interface Merged {
  readonly current: string | undefined;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
}

/**
 * The context that is named, else the current one. KUBECONFIG_UNREADABLE (reason ENOENT: there is no kubeconfig at all),
 * CONTEXT_NOT_FOUND for a missing context and for one whose user does not run us or kubelogin.
 */
export function loadContext(choice: KubeconfigChoice & { readonly context?: string }): KubeContext {
  const merged = readMerged(choice);
  const name = choice.context ?? merged.current;
  if (name === undefined)
    return fail("CONTEXT_NOT_FOUND", { message: "the kubeconfig has no current context", hint: "add --context NAME; kubectl config get-contexts lists them" });
  const found = contextOf(name, merged);
  return typeof found === "string" ? fail("CONTEXT_NOT_FOUND", { message: found }) : found;
}

/** Every context whose user runs us or kubelogin; others are passed over. KUBECONFIG_UNREADABLE. */
export function listContexts(choice: KubeconfigChoice): readonly KubeContext[] {
  const merged = readMerged(choice);
  return [...merged.contexts.keys()].flatMap((name) => {
    const found = contextOf(name, merged);
    return typeof found === "string" ? [] : [found];
  });
}

/** As kubectl merges: of each name the first file's entry, the first current-context that is not empty. */
function readMerged(choice: KubeconfigChoice): Merged {
  const named = choice.kubeconfig ?? (choice.env["KUBECONFIG"] || undefined);
  const files =
    choice.kubeconfig !== undefined ? [expand(choice.kubeconfig, choice.home)] : (named ?? join(choice.home, ".kube", "config")).split(delimiter).filter((path) => path !== "");
  const documents = files.flatMap((file) => {
    const value = readOne(file);
    return value === undefined ? [] : [{ file, value }];
  });
  if (documents.length === 0) fail("KUBECONFIG_UNREADABLE", { message: `there is no kubeconfig at ${safeText(files.join(delimiter), 160)}`, reason: "ENOENT" });
  const list = (key: string, inner: string) => {
    const entries = new Map<string, Entry>();
    for (const { file, value } of documents) {
      for (const item of Array.isArray(value[key]) ? value[key] : []) {
        const content = isObject(item) ? item[inner] : undefined;
        if (isObject(item) && typeof item["name"] === "string" && isObject(content) && !entries.has(item["name"])) entries.set(item["name"], { value: content, file });
      }
    }
    return entries;
  };
  const current = documents.map(({ value }) => value["current-context"]).find((name) => typeof name === "string" && name !== "");
  return { current: typeof current === "string" ? current : undefined, contexts: list("contexts", "context"), clusters: list("clusters", "cluster"), users: list("users", "user") };
}

const expand = (path: string, home: string) => (path.startsWith("~/") ? join(home, path.slice(2)) : path);

/** Undefined for a file that is absent (kubectl passes over those). A reason never quotes the file: it may hold secrets. */
function readOne(file: string): Readonly<Record<string, unknown>> | undefined {
  const unreadable = (reason: string) => fail("KUBECONFIG_UNREADABLE", { message: `the kubeconfig ${safeText(file)} cannot be read`, reason });
  let text: string;
  try {
    const stat = statSync(file);
    if (!stat.isFile()) return unreadable("it is not a file");
    if (stat.size > mostBytes) return unreadable("it is too large");
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (isOidcError(error)) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    return code === "ENOENT" ? undefined : unreadable(code ?? "unknown");
  }
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  const fault = document.errors[0];
  if (fault !== undefined) return unreadable(`it is not valid YAML (line ${text.slice(0, fault.pos[0]).split("\n").length})`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return unreadable("it cannot be expanded");
  }
  return value === null || value === undefined ? {} : isObject(value) ? value : unreadable("it is not a kubeconfig");
}

/** The context, or the sentence that says why it cannot be used. */
function contextOf(name: string, merged: Merged): KubeContext | string {
  const shown = safeText(name, 80);
  const context = merged.contexts.get(name)?.value;
  if (context === undefined) return `the kubeconfig has no context ${shown}`;
  const user = typeof context["user"] === "string" ? merged.users.get(context["user"])?.value : undefined;
  if (user === undefined) return `the context ${shown} has no user in the kubeconfig`;
  const exec = isObject(user["exec"]) ? user["exec"] : undefined;
  const stanza = exec === undefined ? undefined : stanzaOf(exec);
  if (exec === undefined || stanza === undefined) return `the user of the context ${shown} does not run kubectl-oidc or kubelogin`;
  const cluster = typeof context["cluster"] === "string" ? merged.clusters.get(context["cluster"]) : undefined;
  return {
    contextName: name,
    ...stanza,
    env: environmentOf(exec["env"]),
    apiVersion: typeof exec["apiVersion"] === "string" ? exec["apiVersion"] : "",
    server: cluster === undefined ? undefined : serverOf(cluster),
    clusterConfig: cluster === undefined ? undefined : execExtension(cluster.value),
  };
}

/** `kubectl-oidc get-token …`, `kubelogin get-token …`, `kubectl oidc-login get-token …`, `node …/kubectl-oidc.cjs get-token …`. */
function stanzaOf(exec: Readonly<Record<string, unknown>>): { readonly command: string; readonly args: readonly string[] } | undefined {
  const command = exec["command"];
  const all = Array.isArray(exec["args"]) ? exec["args"].map(String) : [];
  if (typeof command !== "string") return undefined;
  const at = all.indexOf("get-token");
  if (at === -1) return undefined;
  const before = all.slice(0, at);
  const program = basename(command.replaceAll("\\", "/")).replace(/\.(exe|cmd|cjs|js)$/, "");
  const isOurs = (word: string | undefined) =>
    word !== undefined &&
    /^(kubectl-oidc|kubectl-oidc_login|kubectl-oidc-login|kubelogin|oidc|oidc-login)$/.test(basename(word.replaceAll("\\", "/")).replace(/\.(exe|cmd|cjs|js)$/, ""));
  const runsUs =
    before.length === 0 ? isOurs(program) : before.length === 1 && (isOurs(program) ? before[0] === "oidc-login" : /^(kubectl|node|bun)$/.test(program) && isOurs(before[0]));
  return runsUs ? { command, args: all.slice(at + 1) } : undefined;
}

function environmentOf(list: unknown): Readonly<Record<string, string>> {
  const pairs = (Array.isArray(list) ? list : [])
    .filter(isObject)
    .flatMap(({ name, value }) => (typeof name === "string" && typeof value === "string" ? [[name, value] as const] : []));
  return Object.fromEntries(pairs);
}

/** The server as kubectl names it with provideClusterInfo: CA files are read and sent as data. */
function serverOf({ value: cluster, file }: Entry): TrustedServer | undefined {
  const text = (name: string) => (typeof cluster[name] === "string" && cluster[name] !== "" ? cluster[name] : undefined);
  const server = text("server");
  if (server === undefined) return undefined;
  try {
    const caFile = text("certificate-authority");
    const fromFile = caFile === undefined ? undefined : readFileSync(isAbsolute(caFile) ? caFile : resolve(dirname(file), caFile)).toString("base64");
    return serverIdentity({
      server,
      tlsServerName: text("tls-server-name"),
      insecure: cluster["insecure-skip-tls-verify"] === true,
      certificateAuthorityData: text("certificate-authority-data") ?? fromFile,
      proxyUrl: text("proxy-url"),
    });
  } catch {
    // The server cannot be named, so it is not added to any list.
    return undefined;
  }
}

function execExtension(cluster: Readonly<Record<string, unknown>>): unknown {
  const list = Array.isArray(cluster["extensions"]) ? cluster["extensions"] : [];
  return list.filter(isObject).find(({ name }) => name === "client.authentication.k8s.io/exec")?.["extension"];
}
