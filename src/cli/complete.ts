import { optionTable } from "../core/flag-table.ts";
import { commandFlagTakesValue, flagsOf } from "./command-flags.ts";
import { type CommandName, commandTable } from "./command-table.ts";
import { topicTable } from "./help-topics.ts";

/** What this computer has to offer: names in kubeconfig, sessions and configuration file. */
export interface KnownNames {
  /** Those whose user runs us or kubelogin. */
  readonly contexts: readonly string[];
  /** Whatever their user is: what `setup` is for. */
  readonly allContexts: readonly string[];
  readonly clusters: readonly string[];
  readonly users: readonly string[];
  readonly issuers: readonly string[];
  readonly clients: readonly string[];
  readonly accounts: readonly string[];
  readonly profiles: readonly string[];
}

export interface Completion {
  readonly candidates: readonly (readonly [value: string, about: string])[];
  /** The shell offers file names too. */
  readonly files: boolean;
}

const shells = ["bash", "zsh", "fish", "powershell"];
/** Words that come after a command. */
const positional: Readonly<Partial<Record<CommandName | "help", readonly string[]>>> = {
  trust: ["list", "add", "remove"],
  completion: shells,
  help: [...Object.keys(commandTable), ...Object.keys(topicTable)],
};

/**
 * What may stand in the place of the last of `words`, which is the beginning of a word or empty. `known` is asked only when it is needed.
 * Names that a shell could read as more than one word, or as a command, are not offered: a kubeconfig can come from anybody.
 */
export function complete(words: readonly string[], known: () => KnownNames): Completion {
  const last = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const command = before.find((word) => !word.startsWith("-"));
  if (command === undefined) {
    if (last.startsWith("-"))
      return offer(
        [
          ["--help", "show help"],
          ["--version", "show the version"],
        ],
        last,
      );
    return offer([...Object.entries(commandTable).map(([name, { help }]) => [name, help] as const), ["help", "show help for a command"]], last);
  }
  const isCommand = Object.hasOwn(commandTable, command);
  if (!isCommand && command !== "help") return { candidates: [], files: false };
  const inOne = /^(--?[\w-]+)=(.*)$/.exec(last);
  if (inOne !== null && isCommand) {
    const [, name = "", value = ""] = inOne;
    const { candidates, files } = valuesOf(bare(name), command as CommandName, value, known);
    return { candidates: candidates.map(([text, about]) => [`${name}=${text}`, about]), files };
  }
  const previous = before.at(-1) ?? "";
  if (isCommand && /^--?[\w-]+$/.test(previous) && takesValue(bare(previous))) return valuesOf(bare(previous), command as CommandName, last, known);
  if (last.startsWith("-")) return isCommand ? offer(optionsOf(command as CommandName), last) : { candidates: [], files: false };
  const nth = before.slice(before.indexOf(command) + 1).filter((word) => !word.startsWith("-")).length;
  return nth === 0
    ? offer(
        (positional[command as CommandName] ?? []).map((word) => [word, isCommand ? "" : aboutOf(word)]),
        last,
      )
    : { candidates: [], files: false };
}

const aboutOf = (word: string) => Object.entries({ ...commandTable, ...topicTable }).find(([name]) => name === word)?.[1].help ?? "";

const bare = (flag: string) => ({ "-o": "output", "-v": "v" })[flag] ?? flag.replace(/^--?/, "");

function takesValue(name: string): boolean {
  const row = optionTable.find((one) => one.name === name);
  return row === undefined ? name !== "help" && commandFlagTakesValue(name) !== false : row.kind !== "boolean";
}

function optionsOf(command: CommandName): readonly (readonly [string, string])[] {
  const session = commandTable[command].session
    ? optionTable.filter((row) => !("hidden" in row))
    : command === "status"
      ? optionTable.filter(({ name }) => name === "token-cache-dir")
      : [];
  return [
    ...flagsOf(command).map(({ name, help }) => [`--${name}`, help] as const),
    ...(commandTable[command].outputs.length > 0 ? [["--output", "format"] as const] : []),
    ["--help", "show help"],
    ...session.map(({ name, help }) => [`--${name}`, help] as const),
  ];
}

function valuesOf(name: string, command: CommandName, start: string, known: () => KnownNames): Completion {
  const row = optionTable.find((one) => one.name === name);
  if (name === "kubeconfig" || row?.kind === "path" || row?.kind === "paths") return { candidates: [], files: true };
  const values = row === undefined ? flagsOf(command).find((flag) => flag.name === name)?.values : "values" in row ? row.values : undefined;
  return offer(
    textsOf(name, command, values, row?.kind === "boolean", known).map((text) => [text, ""]),
    start,
  );
}

function textsOf(name: string, command: CommandName, values: readonly string[] | undefined, isBoolean: boolean, known: () => KnownNames): readonly string[] {
  if (values !== undefined) return values;
  if (isBoolean) return ["true", "false"];
  switch (name) {
    case "context":
      return command === "setup" || command === "migrate" ? known().allContexts : known().contexts;
    case "cluster":
      return known().clusters;
    case "user":
      return known().users;
    case "output":
      return commandTable[command].outputs;
    case "v":
      return ["0", "1", "4", "8"];
    case "oidc-issuer-url":
      return known().issuers;
    case "oidc-client-id":
      return known().clients;
    case "account":
      return known().accounts;
    case "profile":
      return known().profiles;
    case "token-cache-storage":
      return ["keyring", "helper:", "disk", "none"];
    case "prompt":
      return ["login", "consent", "select_account"];
    case "oidc-pkce-method":
      return ["S256"];
    default:
      return [];
  }
}

/** Those that begin like this, each once. */
function offer(candidates: readonly (readonly [string, string])[], start: string): Completion {
  const fitting = candidates.filter(([value]) => value.startsWith(start) && /^[\w@%+=:,./~-]+$/.test(value));
  return { candidates: [...new Map(fitting).entries()], files: false };
}

/** The answer in the form that kubectl's completion of plugins reads (cobra): a candidate a line, then the directive. */
export const completionText = ({ candidates, files }: Completion): string =>
  `${candidates.map(([value, about]) => (about === "" ? value : `${value}\t${about}`)).join("\n")}${candidates.length === 0 ? "" : "\n"}${files ? ":0" : ":4"}\n`;
