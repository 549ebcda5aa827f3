import { type OptionRow, optionTable } from "../core/flag-table.ts";
import { flagsOf } from "./command-flags.ts";
import { type CommandName, commandRow, isCommandName } from "./command-table.ts";

/** What normalised arguments say, before any value is judged. */
export type Reading =
  /** A page: of a command, else of the whole program. */
  | { readonly kind: "page"; readonly command: CommandName | undefined }
  | { readonly kind: "command"; readonly command: CommandName; readonly values: Values; readonly words: readonly string[] }
  | { readonly kind: "unknown command" }
  | { readonly kind: "unknown flag"; readonly flag: string }
  | { readonly kind: "too many" };

/** Name of an option → its values, in their order; the flags of a command count by their last one. */
export type Values = ReadonlyMap<string, readonly string[]>;

/**
 * Reads arguments in the form of `normaliseArguments`: words, `--name=value`, `--help` and `-h`. The first word is the command, the flags
 * may stand anywhere behind it, and `--` ends them. Whoever asks for help gets it, whatever else is wrong. As commander reads them
 * (test/cli/command-words.test.ts compares the two), which took six milliseconds for it (docs/adr/0012-slow-paths.md).
 */
export function readCommandWords(args: readonly string[]): Reading {
  const { words, rest } = splitAtFlag(args, () => false);
  const [name, ...behind] = words;
  if (name !== undefined && isCommandName(name)) return readCommand(name, behind, rest);
  if (name === "help") return { kind: "page", command: words[1] !== undefined && isCommandName(words[1]) ? words[1] : undefined };
  if (asksForHelp(rest)) return { kind: "page", command: undefined };
  if (name !== undefined) return { kind: "unknown command" };
  const [flag] = rest;
  return flag === undefined ? { kind: "page", command: undefined } : { kind: "unknown flag", flag };
}

function readCommand(command: CommandName, behind: readonly string[], args: readonly string[]): Reading {
  const known = optionNamesOf(command);
  const values = new Map<string, string[]>();
  const take = (arg: string) => {
    const [, name = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (!known.has(name)) return false;
    values.set(name, [...(values.get(name) ?? []), value]);
    return true;
  };
  const { words, rest } = splitAtFlag(args, take, isNegativeNumber);
  if (asksForHelp(rest)) return { kind: "page", command };
  const [flag] = rest;
  if (flag !== undefined) return { kind: "unknown flag", flag };
  const all = [...behind, ...words];
  const places = commandRow(command).words?.split(" ").length ?? 0;
  return all.length > places ? { kind: "too many" } : { kind: "command", command, values, words: all };
}

/** Words, and what follows from the first flag on that `take` does not take; it is shown those behind that too. Behind `--` are words only. */
function splitAtFlag(
  args: readonly string[],
  take: (flag: string) => boolean,
  isWord: (arg: string) => boolean = () => false,
): { readonly words: readonly string[]; readonly rest: readonly string[] } {
  const words: string[] = [];
  const rest: string[] = [];
  for (const [i, arg] of args.entries()) {
    if (arg === "--") {
      if (rest.length === 0) words.push(...args.slice(i + 1));
      else rest.push(...args.slice(i));
      break;
    }
    const isFlag = arg.length > 1 && arg.startsWith("-");
    if (isFlag && take(arg)) continue;
    if (rest.length > 0 || (isFlag && !isWord(arg))) rest.push(arg);
    else words.push(arg);
  }
  return { words, rest };
}

const asksForHelp = (args: readonly string[]) => args.includes("--help") || args.includes("-h");

const isNegativeNumber = (arg: string) => /^-(\d+|\d*\.\d+)(e[+-]?\d+)?$/.test(arg);

/** The flags that a command has, all of which have a value here. */
function optionNamesOf(command: CommandName): ReadonlySet<string> {
  const { session, outputs } = commandRow(command);
  return new Set([
    "v",
    ...(outputs.length > 0 ? ["output"] : []),
    ...flagsOf(command).map(({ name }) => name),
    ...(optionTable as readonly OptionRow[]).filter(({ name }) => session || (command === "status" && name === "token-cache-dir")).map(({ name }) => name),
  ]);
}
