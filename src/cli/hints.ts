import type { Machine } from "../compose.ts";
import { optionTable } from "../core/flag-table.ts";
import type { RawOptions } from "../core/option-values.ts";
import { readExecInfo } from "../core/exec-info.ts";
import { isSameServer } from "../core/server-trust.ts";
import type { TrustedServer } from "../core/session.ts";
import { shellWord } from "../core/shell-word.ts";
import { safeText } from "../core/untrusted-text.ts";
import type { Call } from "./call.ts";
import { entryOf } from "../errors/catalogue.ts";
import { isOidcError } from "../errors/oidc-error.ts";

const general = "run: kubectl oidc login";
const planning = "kubectl oidc setup --dry-run";
const trusting = "if you trust that server, run: kubectl oidc trust add";

/** No longer command is shown: nobody would check it before pasting it. Characters. */
const longestCommand = 1_000;

/** Options that a login does not need, or that belong to one call only. Secrets are left out by the table. */
const notForLogin = new Set(["non-interactive", "force-refresh", "min-validity", "credential-ttl", "oidc-use-pkce", "skip-open-browser"]);

/**
 * The catalogue's `run: kubectl oidc login` made exact: `--context NAME` when exactly one context of the default
 * kubeconfig files has these arguments, else the options of this call. Never a secret, and never a word that a shell could take for a
 * command: these options are whatever a kubeconfig says, and the person pastes what we show.
 */
export function exactHint(hint: string, call: Pick<Call, "machine" | "argv" | "invocation" | "env">): string {
  if (hint === entryOf("FLAG_INVALID").hint) return `${hint} ${call.invocation.command}`;
  // The plugin reads no kubeconfig: what kubectl starts it with is in the stanza.
  if (hint === entryOf("SETTINGS_INCOMPLETE").hint && call.invocation.command === "get-token") return hint.replace("or use --context", "or correct the args of the exec stanza");
  if (hint.startsWith(trusting)) return trustHint(hint, call);
  if (hint.includes(planning))
    return hint.replace(planning, () => `${withFlags("kubectl oidc setup", contextFlags(call.invocation.context, call.invocation.kubeconfig))} --dry-run`);
  if (!hint.startsWith(general) || hint.includes("--context")) return hint;
  if (hint === general && call.invocation.command === "login") return "run the command again";
  const rest = hint.slice(general.length);
  const { context, kubeconfig, options } = call.invocation;
  if (context !== undefined || kubeconfig !== undefined) return `${withFlags(general, contextFlags(context, kubeconfig))}${rest}`;
  const named = call.invocation.command === "get-token" ? onlyContextWith(call.machine, call.argv) : undefined;
  return `${withFlags(general, named === undefined ? loginFlags(options) : contextFlags(named))}${rest}`;
}

/** The one context with these arguments and this server; else the server's URL with the options of this call. */
function trustHint(hint: string, call: Pick<Call, "machine" | "argv" | "invocation" | "env">): string {
  const { context, kubeconfig, options } = call.invocation;
  if (context !== undefined) return withFlags(trusting, contextFlags(context, kubeconfig));
  const server = call.invocation.command === "get-token" ? readExecInfo(call.env["KUBERNETES_EXEC_INFO"], call.machine.authorityData).server : undefined;
  if (server === undefined) return hint;
  const named = onlyContextWith(call.machine, call.argv, server);
  if (named !== undefined) return withFlags(trusting, contextFlags(named));
  // A URL alone stands for a server with the system's roots and without a proxy.
  const isPlain = server.authority === "system" && server.proxy === undefined && server.tlsServerName === undefined;
  const word = shellWord(server.origin, process.platform);
  return isPlain && word !== undefined ? withFlags(`${trusting} ${word}`, loginFlags(options)) : `${hint}, with the context of ${safeText(server.origin, 120)}`;
}

function onlyContextWith(machine: Machine, argv: readonly string[], server?: TrustedServer): string | undefined {
  const given = argv.slice(argv[0] === "oidc-login" ? 2 : 1);
  try {
    const contexts = machine
      .contexts({ kubeconfig: undefined })
      .filter(({ args }) => args.length === given.length && args.every((arg, i) => arg === given[i]))
      .filter((context) => server === undefined || (context.server !== undefined && isSameServer(context.server, server)));
    const name = contexts.length === 1 ? contexts[0]?.contextName : undefined;
    return name !== undefined && shellWord(name, process.platform) !== undefined ? name : undefined;
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

/** The command with these flags; with `--context NAME` in their place when one of them cannot be written safely. */
function withFlags(command: string, flags: Readonly<Record<string, readonly string[]>>): string {
  const words = Object.entries(flags).flatMap(([name, values]) => values.map((value) => ({ name, word: shellWord(value, process.platform) })));
  const whole = `${command}${words.map(({ name, word }) => ` --${name}=${word}`).join("")}`;
  return words.some(({ word }) => word === undefined) || whole.length > longestCommand ? `${command} --context NAME` : whole;
}

const contextFlags = (context: string | undefined, kubeconfig?: string | undefined) => ({
  ...(context === undefined ? {} : { context: [context] }),
  ...(kubeconfig === undefined ? {} : { kubeconfig: [kubeconfig] }),
});

const loginFlags = (options: RawOptions) =>
  Object.fromEntries(
    optionTable.filter((row) => !("secret" in row) && !notForLogin.has(row.name)).map((row) => [row.name, (options[row.name] ?? []).filter((value) => value !== "")]),
  );
