import { environmentName, type OptionRow, optionTable } from "../core/flag-table.ts";
import { flagsOf } from "./command-flags.ts";
import { type CommandName, commandRow, commandTable } from "./command-table.ts";

/** Of a terminal that nobody widened. Characters. */
const width = 80;
/** Where the second column begins at the latest. */
const widest = 34;

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
    ["kubectl oidc help COMMAND shows examples and options of one."],
  ]);
}

/** The page of one command: usage, purpose, examples, options with the common ones on top. */
export function commandHelp(name: CommandName): string {
  const row = commandRow(name);
  const usage = `Usage: kubectl oidc ${name}${row.words === undefined ? "" : ` ${row.words}`} [options]`;
  const own = ownOptions(name);
  const session = row.session
    ? (optionTable as readonly OptionRow[]).filter((option) => option.hidden !== true)
    : (optionTable as readonly OptionRow[]).filter((option) => name === "status" && option.name === "token-cache-dir");
  const shown = session.map((option): [string, string] => [`--${option.name}${argumentOf(option)}`, option.help]);
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

function argumentOf(option: OptionRow): string {
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

/** Each with its reason behind it, or above it where there is no room; a long one goes on in the next line, as a shell reads it. */
const examples = (rows: readonly (readonly [string, string])[]) =>
  rows.flatMap(([words, why]) => {
    const [first = "", ...more] = wrap(`kubectl oidc ${words}`, width - 8);
    const lines = [`  ${first}`, ...more.map((line) => `      ${line}`)].map((line, i, all) => (i < all.length - 1 ? `${line} \\` : line));
    const [line = ""] = lines;
    if (why === "") return lines;
    return lines.length === 1 && line.length + why.length + 4 <= width ? [`${line.padEnd(Math.min(44, width - why.length - 4))}  # ${why}`] : [`  # ${why}`, ...lines];
  });

/** Two columns; a first cell that is too wide stands on a line of its own. */
function columns(rows: readonly (readonly [string, string])[], most = widest): readonly string[] {
  const left = Math.min(most, Math.max(0, ...rows.map(([cell]) => cell.length)));
  return rows.flatMap(([cell, about]) => {
    const [first = "", ...rest] = wrap(about, width - left - 4);
    const below = rest.map((line) => `${" ".repeat(left + 4)}${line}`);
    return cell.length > left ? [`  ${cell}`, `${" ".repeat(left + 4)}${first}`, ...below] : [`  ${cell.padEnd(left)}  ${first}`, ...below];
  });
}

/** Words in lines; a word that is longer than a line has one of its own. */
function wrap(text: string, most = width): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const page = (parts: readonly (readonly string[])[]) => `${parts.map((lines) => lines.map((line) => line.trimEnd()).join("\n")).join("\n\n")}\n`;
