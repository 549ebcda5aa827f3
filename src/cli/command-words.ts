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
 * The plain command lines, which are nearly all: a command, words, and options of it with their value in one argument (the form of `normaliseArguments`).
 * Undefined for anything else (help, what is unknown or too much, `--`, a lone dash or number): commander reads that (`commander-reading.ts`), at six
 * milliseconds. It says the same of the plain ones, which a test holds (docs/adr/0012-slow-paths.md).
 */
export function readPlainWords([name = "", ...rest]: readonly string[]): Reading | undefined {
  if (!isCommandName(name)) return undefined;
  const known = optionNamesOf(name);
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (const arg of rest) {
    if (!arg.startsWith("-")) words.push(arg);
    else {
      const [, option = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
      if (!known.has(option)) return undefined;
      const before = values.get(option);
      if (before === undefined) values.set(option, [value]);
      else before.push(value);
    }
  }
  return words.length > wordsOf(name) ? undefined : { kind: "command", command: name, values, words };
}

/** How many words a command takes. */
export const wordsOf = (command: CommandName) => commandRow(command).words?.split(" ").length ?? 0;

/** The options that a command has, all of which have a value here. */
export function optionNamesOf(command: CommandName): ReadonlySet<string> {
  const { session, outputs } = commandRow(command);
  return new Set([
    "v",
    ...(outputs.length > 0 ? ["output"] : []),
    ...flagsOf(command).map(({ name }) => name),
    ...(optionTable as readonly OptionRow[]).filter(({ name }) => session || (command === "status" && name === "token-cache-dir")).map(({ name }) => name),
  ]);
}
