import { optionRow, optionTable } from "./flag-table.ts";
import type { RawOptions } from "./option-values.ts";
import { isObject } from "./session.ts";

/** What stands under `exec` of a kubeconfig user (client.authentication.k8s.io/v1). */
export interface ExecStanza {
  readonly apiVersion: "client.authentication.k8s.io/v1";
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: readonly unknown[];
  readonly interactiveMode: "IfAvailable";
  readonly provideClusterInfo: boolean;
  readonly installHint: string;
}

/**
 * kubectl shows it when the command is not on the PATH; of one line, since every client prints it as it is. No command for pasting: the package is on
 * no registry yet, and whoever takes the name there would be installed in our place.
 */
export const installHint = "kubectl-oidc logs in to this cluster with OpenID Connect. How to install it: https://github.com/kubectl-oidc/kubectl-oidc";

/** Options of one call, or of the command line that made the stanza: no stanza holds them. */
const notInStanza: readonly string[] = ["force-refresh", "non-interactive", "oidc-use-pkce", "oidc-pkce-method", "qr"];

/** Is it said in a stanza's arguments, or for a client secret by them? */
export const isInStanza = (option: string): boolean => !notInStanza.includes(option);

/** Bytes of base64. client-go hands the cluster over in one variable, and Linux takes 128 KiB of one (protocol.md EC-13). */
const mostAuthority = 88_000;

/** Does provideClusterInfo fit? `caBytes`: of the cluster's certificate-authority-data; undefined: it has none. */
export const clusterInfoFits = (caBytes: number | undefined): boolean => (caBytes ?? 0) < mostAuthority;

/** The options as arguments of get-token, in the table's order; secrets and what belongs to one call are left out. */
export function stanzaArguments(options: RawOptions): readonly string[] {
  return [
    "get-token",
    ...optionTable.flatMap((row) => {
      const values = options[row.name] ?? [];
      if (notInStanza.includes(row.name) || ("secret" in row && row.name !== "oidc-auth-request-extra-params")) return [];
      if (row.kind === "boolean")
        return values.at(-1) === undefined || values.at(-1) === "" ? [] : [/^(1|t|true)$/i.test(values.at(-1) ?? "") ? `--${row.name}` : `--${row.name}=false`];
      if (row.kind === "list" || row.kind === "pairs" || row.kind === "paths") return values.filter((value) => value !== "").map((value) => `--${row.name}=${value}`);
      const last = values.at(-1);
      return last === undefined || last === "" ? [] : [`--${row.name}=${last}`];
    }),
  ];
}

/** Options given that no stanza holds because they are secret: they need a file. */
export const secretOptions = (options: RawOptions): readonly string[] =>
  Object.keys(options).filter(
    (name) => optionRow(name)?.secret === true && name !== "oidc-auth-request-extra-params" && (options[name as keyof RawOptions] ?? []).some((value) => value !== ""),
  );

/** The stanza, right by construction: v1 with its interactiveMode, which v1 demands, and no shell, no kubectl in between. */
export function execStanza(how: {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: readonly unknown[] | undefined;
  readonly provideClusterInfo: boolean;
}): ExecStanza {
  return {
    apiVersion: "client.authentication.k8s.io/v1",
    command: how.command,
    args: how.args,
    ...(how.env === undefined || how.env.length === 0 ? {} : { env: how.env }),
    interactiveMode: "IfAvailable",
    provideClusterInfo: how.provideClusterInfo,
    installHint,
  };
}

/** The same as a line of kubectl, for those who keep kubeconfigs by script; kubectl has no flag for the installHint. */
export function setCredentialsWords(user: string, stanza: ExecStanza): readonly string[] {
  return [
    "kubectl",
    "config",
    "set-credentials",
    user,
    `--exec-api-version=${stanza.apiVersion}`,
    `--exec-command=${stanza.command}`,
    ...stanza.args.map((arg) => `--exec-arg=${listElement(arg)}`),
    ...(stanza.env ?? []).flatMap((variable) => (isObject(variable) ? [`--exec-env=${String(variable["name"])}=${String(variable["value"])}`] : [])),
    `--exec-interactive-mode=${stanza.interactiveMode}`,
    `--exec-provide-cluster-info=${stanza.provideClusterInfo}`,
  ];
}

/** kubectl reads each `--exec-arg` as a line of CSV (RFC 4180): a comma in it would make two arguments of one, and a quote none. `--exec-env` it takes whole. */
const listElement = (text: string) => (text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
