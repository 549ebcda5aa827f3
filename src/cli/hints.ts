import type { Machine } from "../compose.ts";
import { optionTable } from "../core/flag-table.ts";
import type { RawOptions } from "../core/option-values.ts";
import { readExecInfo } from "../core/exec-info.ts";
import { isSameServer } from "../core/server-trust.ts";
import type { TrustedServer } from "../core/session.ts";
import { isSafeText, safeText } from "../core/untrusted-text.ts";
import type { Call } from "./call.ts";
import { isOidcError } from "../errors/oidc-error.ts";

const general = "run: kubectl oidc login";
const trusting = "if you trust that server, run: kubectl oidc trust add";

/** Options that a login does not need, or that belong to one call only. Secrets are left out by the table. */
const notForLogin = new Set(["non-interactive", "force-refresh", "min-validity", "credential-ttl", "oidc-use-pkce", "skip-open-browser"]);

/**
 * The catalogue's `run: kubectl oidc login` made exact: `--context NAME` when exactly one context of the default
 * kubeconfig files has these arguments, else the options of this call. Never a secret.
 */
export function exactHint(hint: string, call: Pick<Call, "machine" | "argv" | "invocation" | "env">): string {
  if (hint.startsWith(trusting)) return trustHint(hint, call);
  if (!hint.startsWith(general) || call.invocation.command === "login" || hint.includes("--context")) return hint;
  const rest = hint.slice(general.length);
  const { context, kubeconfig, options } = call.invocation;
  if (context !== undefined || kubeconfig !== undefined) return `${general}${flag("context", context)}${flag("kubeconfig", kubeconfig)}${rest}`;
  const named = call.invocation.command === "get-token" ? onlyContextWith(call.machine, call.argv) : undefined;
  return `${general}${named === undefined ? flagsOf(options) : flag("context", named)}${rest}`;
}

/** The one context with these arguments and this server; else the server's URL with the options of this call. */
function trustHint(hint: string, call: Pick<Call, "machine" | "argv" | "invocation" | "env">): string {
  const { context, kubeconfig, options } = call.invocation;
  if (context !== undefined) return `${trusting}${flag("context", context)}${flag("kubeconfig", kubeconfig)}`;
  const server = call.invocation.command === "get-token" ? readExecInfo(call.env["KUBERNETES_EXEC_INFO"]).server : undefined;
  if (server === undefined) return hint;
  const named = onlyContextWith(call.machine, call.argv, server);
  if (named !== undefined) return `${trusting}${flag("context", named)}`;
  // A URL alone stands for a server with the system's roots and without a proxy.
  const isPlain = server.authority === "system" && server.proxy === undefined && server.tlsServerName === undefined;
  return isPlain && isSafeText(server.origin) ? `${trusting} ${quoted(server.origin)}${flagsOf(options)}` : `${hint}, with the context of ${quoted(safeText(server.origin, 120))}`;
}

function onlyContextWith(machine: Machine, argv: readonly string[], server?: TrustedServer): string | undefined {
  const given = argv.slice(argv[0] === "oidc-login" ? 2 : 1);
  try {
    const contexts = machine
      .contexts({ kubeconfig: undefined })
      .filter(({ args }) => args.length === given.length && args.every((arg, i) => arg === given[i]))
      .filter((context) => server === undefined || (context.server !== undefined && isSameServer(context.server, server)));
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
  return ` --${name}=${quoted(value)}`;
}

const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
