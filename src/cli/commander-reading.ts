import { Command, CommanderError, Option } from "commander";
import { type CommandName, commandTable, isCommandName } from "./command-table.ts";
import { optionNamesOf, type Reading, wordsOf } from "./command-words.ts";

/**
 * Arguments in the form of `normaliseArguments` as commander reads them. Only the command that the first word names is described to it: describing
 * all, with sixty options each, takes as long as the rest.
 */
export function commanderReading(args: readonly string[]): Reading {
  const found: { reading: Reading | undefined; page: CommandName | undefined } = { reading: undefined, page: undefined };
  const program = quiet(new Command("kubectl oidc"));
  program.helpCommand("help [command]", "");
  program.helpInformation = () => "";
  for (const name of Object.keys(commandTable) as CommandName[]) {
    const command = quiet(program.command(name));
    command.helpInformation = () => {
      found.page = name;
      return "";
    };
    if (isCommandName(args.find((arg) => !arg.startsWith("-")) ?? "") && !args.includes(name)) continue;
    for (const option of optionNamesOf(name)) command.addOption(optionOf(option, option === "output" ? "-o, " : option === "v" ? "-v, " : ""));
    for (let i = 0; i < wordsOf(name); i++) command.argument(`[word${i}]`);
    command.action((...given: readonly unknown[]) => {
      const values = new Map(command.options.flatMap((one) => (valuesOf(command, one) === undefined ? [] : [[nameOf(one), valuesOf(command, one) ?? []] as const])));
      // Commander gives the words, then the options, then the command itself.
      found.reading = { kind: "command", command: name, values, words: given.slice(0, -2).filter((word) => typeof word === "string") };
    });
  }
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return refusalOf(error, found.page);
  }
  return found.reading ?? { kind: "page", command: undefined };
}

const quiet = (command: Command) =>
  command
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .showSuggestionAfterError(false)
    .allowExcessArguments(false);

function refusalOf(error: CommanderError, page: CommandName | undefined): Reading {
  switch (error.code) {
    case "commander.helpDisplayed":
    case "commander.help":
      return { kind: "page", command: page };
    case "commander.unknownCommand":
      return { kind: "unknown command" };
    case "commander.unknownOption":
      return { kind: "unknown flag", flag: /'(.*)'$/s.exec(error.message)?.[1] ?? "" };
    case "commander.excessArguments":
      return { kind: "too many" };
    default:
      throw error;
  }
}

const nameOf = (one: Option) => one.long?.slice(2) ?? "";

function valuesOf(command: Command, one: Option): readonly string[] | undefined {
  const value: unknown = command.getOptionValue(one.attributeName());
  return Array.isArray(value) ? value.map(String) : undefined;
}

function optionOf(name: string, short: string): Option {
  const made = new Option(`${short}--${name} [value]`).argParser((text: string, before: string[] | undefined) => {
    // A stanza's args are another's: a copy for each would take the square of their number.
    if (before === undefined) return [text];
    before.push(text);
    return before;
  });
  // Commander reads `--no-x` as the negation of `--x`; here it is a name like any other.
  made.negate = false;
  return made;
}
