import { wordsOf } from "./json-values.ts";
import type { KubeconfigValue } from "./kubeconfig-edits.ts";
import { isObject } from "./session.ts";
import { kubeloginTakesValue, stanzaWords } from "./stanza-words.ts";

/** Which program an exec stanza runs. */
export interface StanzaProgram {
  readonly kind: "ours" | "kubelogin" | "azure";
  /** What stands before get-token: empty, `oidc`, `oidc-login`, or the script of node. */
  readonly word: string;
  /** Those of get-token, whichever side of that word they stand; undefined when it is missing, or not where the program looks for it. */
  readonly args: readonly string[] | undefined;
}

/** Keys of a kubeconfig user that log in by themselves. kubectl sends a client certificate beside the token, and prefers a token (protocol.md EC-60). */
const logins = ["client-certificate", "client-certificate-data", "token", "tokenFile", "username", "auth-provider"] as const;

/** The last part of a path of any platform, without its ending. */
const programName = (path: string) => (path.replaceAll("\\", "/").split("/").at(-1) ?? "").replace(/\.(exe|cmd|cjs|js)$/i, "");

/** `kubectl-oidc get-token …`, `kubelogin get-token …`, `kubectl oidc-login get-token …`, `node …/kubectl-oidc.cjs get-token …`; undefined for another program. */
export function stanzaProgram(exec: KubeconfigValue): StanzaProgram | undefined {
  const command = typeof exec["command"] === "string" ? programName(exec["command"]) : "";
  const all = wordsOf(exec["args"]);
  const [first = ""] = all;
  const kind = kindOf(command, first, all);
  if (kind === undefined) return undefined;
  // Before the program's own words: nothing, or the word that kubectl would have taken.
  const word = command === "kubectl" || isRuntime(command) || first === "oidc-login" ? first : "";
  return { kind, word, args: argumentsOf(word === "" ? all : all.slice(1)) };
}

/** Flags may stand before the command, as cobra reads them. */
function argumentsOf(all: readonly string[]): readonly string[] | undefined {
  const words = stanzaWords(all, kubeloginTakesValue);
  const at = words.findIndex(({ name }) => name === undefined);
  return words[at]?.words[0] === "get-token" ? [...words.slice(0, at), ...words.slice(at + 1)].flatMap((one) => one.words) : undefined;
}

function kindOf(command: string, first: string, all: readonly string[]): StanzaProgram["kind"] | undefined {
  if (command === "kubectl-oidc" || (command === "kubectl" && first === "oidc") || (isRuntime(command) && programName(first) === "kubectl-oidc")) return "ours";
  // Azure's program of the same name: every call of it names the server's application.
  if (command === "kubelogin" && all.some((arg) => /^--server-id(=|$)/.test(arg))) return "azure";
  // The names under which kubectl finds either as its plugin.
  return /^(kubelogin|kubectl-oidc_login|kubectl-oidc-login)$/.test(command) || (command === "kubectl" && first === "oidc-login") ? "kubelogin" : undefined;
}

const isRuntime = (command: string) => command === "node" || command === "bun";

/** The `env` of a stanza; what is no pair of texts is passed over. */
export function stanzaVariables(list: unknown): Readonly<Record<string, string>> {
  const pairs = (Array.isArray(list) ? list : [])
    .filter(isObject)
    .flatMap(({ name, value }) => (typeof name === "string" && typeof value === "string" ? [[name, value] as const] : []));
  return Object.fromEntries(pairs);
}

/** Does the entry of a user say anything under this key? */
export const isSaid = (value: unknown): boolean => (typeof value === "string" ? value !== "" : value !== undefined && value !== null);

/** The user's ways to log in beside `exec`, by their names in the file. */
export const otherLogins = (user: KubeconfigValue): readonly string[] => logins.filter((name) => isSaid(user[name]));
