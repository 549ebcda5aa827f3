import type { Machine } from "../compose.ts";
import { optionTable } from "../core/flag-table.ts";
import type { RawOptions } from "../core/option-values.ts";
import { isSafeText } from "../core/untrusted-text.ts";
import type { Call } from "./call.ts";
import { isOidcError } from "../errors/oidc-error.ts";

const general = "run: kubectl oidc login";

/** Options that a login does not need, or that belong to one call only. Secrets are left out by the table. */
const notForLogin = new Set(["non-interactive", "force-refresh", "min-validity", "credential-ttl", "oidc-use-pkce", "skip-open-browser"]);

/**
 * The catalogue's `run: kubectl oidc login` made exact: `--context NAME` when exactly one context of the default
 * kubeconfig files has these arguments, else the options of this call. Never a secret.
 */
export function exactHint(hint: string, call: Pick<Call, "machine" | "argv" | "invocation" | "env">): string {
  if (!hint.startsWith(general) || call.invocation.command === "login" || hint.includes("--context")) return hint;
  const rest = hint.slice(general.length);
  const { context, kubeconfig, options } = call.invocation;
  if (context !== undefined || kubeconfig !== undefined) return `${general}${flag("context", context)}${flag("kubeconfig", kubeconfig)}${rest}`;
  const named = call.invocation.command === "get-token" ? onlyContextWith(call.machine, call.argv) : undefined;
  return `${general}${named === undefined ? flagsOf(options) : flag("context", named)}${rest}`;
}

function onlyContextWith(machine: Machine, argv: readonly string[]): string | undefined {
  const given = argv.slice(argv[0] === "oidc-login" ? 2 : 1);
  try {
    const contexts = machine.contexts({ kubeconfig: undefined }).filter(({ args }) => args.length === given.length && args.every((arg, i) => arg === given[i]));
    const name = contexts.length === 1 ? contexts[0]?.contextName : undefined;
    return name !== undefined && isSafeText(name) ? name : undefined;
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

function flagsOf(options: RawOptions): string {
  return optionTable
    .filter((row) => !("secret" in row) && !notForLogin.has(row.name))
    .flatMap((row) => (options[row.name] ?? []).map((value) => flag(row.name, value)))
    .join("");
}

/** ` --name=value`, quoted for a POSIX shell where that is needed. */
function flag(name: string, value: string | undefined): string {
  if (value === undefined || !isSafeText(value)) return "";
  return ` --${name}=${/^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`}`;
}
