import { isMachineGrant } from "../core/keys.ts";
import type { SessionIdentity } from "../core/session.ts";
import { shellWord } from "../core/shell-word.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";

/**
 * The command that does this to this session, in words that no shell misreads: with a context that uses it, else with the options that its
 * record holds. `--context NAME` when no form of them is safe, or when the record does not hold them (parameters stand in it as digests).
 */
export function sessionCommand(verb: string, identity: SessionIdentity, contexts: readonly string[], kubeconfig: string | undefined): string {
  const named = contextCommand(verb, contexts, kubeconfig);
  if (named !== undefined) return named;
  const { issuer, clientId, account, scopes, storage, grant, acrValues, directory } = identity;
  const options: readonly (readonly [string, string | undefined])[] = [
    ["oidc-issuer-url", issuer],
    ["oidc-client-id", clientId],
    ["oidc-extra-scope", scopes.length === 0 ? undefined : scopes.join(",")],
    ["account", account],
    ["grant-type", isMachineGrant(grant) ? grant : undefined],
    ["acr-values", acrValues],
    ["token-cache-storage", storage === "keyring" ? undefined : storage],
    ["token-cache-dir", directory],
  ];
  const words = options.flatMap(([name, value]) => (value === undefined ? [] : [{ name, word: shellWord(value, process.platform) }]));
  const isWhole = identity.extraParams.length === 0 && identity.machine === undefined && words.every(({ word }) => word !== undefined);
  return `kubectl oidc ${verb}${isWhole ? words.map(({ name, word }) => ` --${name}=${word}`).join("") : " --context NAME"}`;
}

/** The command with the first of these contexts whose name a shell cannot misread; undefined when there is none. */
export function contextCommand(verb: string, contexts: readonly string[], kubeconfig: string | undefined): string | undefined {
  const named = contexts.map((name) => shellWord(name, process.platform)).find((word) => word !== undefined);
  const file = kubeconfig === undefined ? "" : shellWord(kubeconfig, process.platform);
  if (named === undefined || file === undefined) return undefined;
  return `kubectl oidc ${verb} --context=${named}${file === "" ? "" : ` --kubeconfig=${file}`}`;
}

/** A session as a person knows it: `https://id.example.com (ann@example.com)`. */
export function shownSession(issuer: string, account: string | undefined): string {
  return `${shownUrl(issuer, 120)}${account === undefined ? "" : ` (${safeText(account, 120)})`}`;
}

/** No longer list is shown on one line. */
const longest = 8;

/** Names of a kubeconfig on one line: `prod, staging`. */
export function shownNames(names: readonly string[]): string {
  const shown = names.slice(0, longest).map((name) => safeText(name, 60));
  return `${shown.join(", ")}${names.length > longest ? ` and ${names.length - longest} more` : ""}`;
}
