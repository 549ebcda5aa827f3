import { environmentName, type OptionRow, optionTable } from "../core/flag-table.ts";
import { flagsOf } from "./command-flags.ts";
import { type CommandName, commandRow, commandTable } from "./command-table.ts";
import { columns, examples, page, wrap } from "./help-layout.ts";
import { type TopicName, topicTable } from "./help-topics.ts";

const groups = { start: "Get started", mend: "Look after it", program: "For scripts and programs" } as const;
/** What people look for first. */
const common = ["oidc-issuer-url", "oidc-client-id", "oidc-extra-scope", "account", "grant-type", "token-cache-storage", "profile", "non-interactive"];

/** The page of the whole program: what it is, examples, the commands in groups. */
export function programHelp(): string {
  const names = Object.keys(commandTable) as CommandName[];
  const parts = Object.entries(groups).map(([group, title]) => [
    title,
    ...columns(
      names.filter((name) => commandRow(name).group === group).map((name) => [name, commandRow(name).help]),
      14,
    ),
  ]);
  return page([
    ["Usage: kubectl oidc COMMAND [options]"],
    wrap(
      "Log in to Kubernetes with OpenID Connect: one login, then short-lived credentials for kubectl, refreshed without you. An existing kubelogin stanza works when its command is changed to kubectl-oidc and nothing else.",
    ),
    [
      "Examples",
      ...examples([
        ["login --context prod", "log in for a context"],
        ["status", "who is logged in where, and until when"],
        ["doctor", "what is wrong, and how to mend it"],
      ]),
    ],
    ...parts,
    ["Topics", ...columns((Object.keys(topicTable) as TopicName[]).map((name) => [name, topicTable[name].help]))],
    ["kubectl oidc help COMMAND or TOPIC shows more of one."],
  ]);
}

/** The page of one command: usage, purpose, examples, options with the common ones on top. */
export function commandHelp(name: CommandName): string {
  const row = commandRow(name);
  const usage = `Usage: kubectl oidc ${name}${row.words === undefined ? "" : ` ${row.words}`} [options]`;
  const own = ownOptions(name);
  const shown = sessionOptions(name).map((option): [string, string] => [`--${option.name}${argumentOf(option)}`, option.help]);
  const isCommon = ([flag]: readonly [string, string]) => common.some((one) => flag === `--${one}` || flag.startsWith(`--${one}[`) || flag.startsWith(`--${one} `));
  const [first, rest] = [shown.filter(isCommon), shown.filter((one) => !isCommon(one))];
  return page([
    [usage],
    wrap(row.about),
    ["Examples", ...examples(row.examples)],
    ["Options", ...columns([...own, ...(row.session ? first : shown)])],
    ...(row.session ? [["More options of a session", ...columns(rest)]] : []),
    ...(row.session
      ? [wrap(`Each option can be a variable too (--oidc-issuer-url: ${environmentName("oidc-issuer-url")}), or stand in a profile of the configuration file.`)]
      : []),
    ...(row.seeAlso.length === 0 ? [] : [[`See also: ${row.seeAlso.map((other) => `kubectl oidc ${other}`).join(", ")}`]]),
  ]);
}

/** Options of a session that the command takes: all, or of `status` the one that says where sessions lie. */
export function sessionOptions(name: CommandName): readonly OptionRow[] {
  const { session } = commandRow(name);
  return (optionTable as readonly OptionRow[]).filter((option) => (session ? option.hidden !== true : name === "status" && option.name === "token-cache-dir"));
}

/** Options of the command itself, beside those of a session. */
export function ownOptions(name: CommandName): readonly [string, string][] {
  const { outputs } = commandRow(name);
  return [
    ...flagsOf(name).map(({ name, value, help }): [string, string] => [`--${name}${value === undefined ? "" : ` ${value}`}`, help]),
    ...(outputs.length > 0 ? ([[`-o ${outputs.join("|")}`, "how to print it"]] as [string, string][]) : []),
    ["-v LEVEL", "1 steps, 4 requests, 8 headers; never a secret"],
    ["-h, --help", "show this page"],
  ];
}

/** What stands for the value of an option: ` FILE`. */
export function argumentOf(option: OptionRow): string {
  if (option.values !== undefined) return ` ${option.values.length <= 3 ? option.values.join("|") : "NAME"}`;
  switch (option.kind) {
    case "boolean":
      return "";
    case "pairs":
      return " K=V";
    case "path":
    case "paths":
      return " FILE";
    case "duration":
      return " TIME";
    case "integer":
      return " N";
    default:
      return " TEXT";
  }
}
