import { Command, CommanderError, Option } from "commander";
import { flagsOf } from "../../src/cli/command-flags.ts";
import { type CommandName, commandRow, commandTable } from "../../src/cli/command-table.ts";
import type { Reading } from "../../src/cli/command-words.ts";
import { optionTable } from "../../src/core/flag-table.ts";

/** The same arguments as commander reads them, with the same tables: what `readCommandWords` is compared with. */
export function commanderReading(args: readonly string[]): Reading {
  const found: { reading: Reading | undefined; page: CommandName | undefined } = { reading: undefined, page: undefined };
  const quiet = (command: Command) =>
    command
      .exitOverride()
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
      .showSuggestionAfterError(false)
      .allowExcessArguments(false);
  const program = quiet(new Command("kubectl oidc"));
  program.helpCommand("help [command]", "");
  program.helpInformation = () => "";
  for (const name of Object.keys(commandTable) as CommandName[]) {
    const about = commandRow(name);
    const command = quiet(program.command(name));
    command.helpInformation = () => {
      found.page = name;
      return "";
    };
    for (const flag of flagsOf(name)) command.addOption(option(flag.name));
    if (name === "status") command.addOption(option("token-cache-dir"));
    if (about.outputs.length > 0) command.addOption(option("output", "-o, "));
    if (about.session) for (const row of optionTable) command.addOption(option(row.name));
    command.addOption(option("v", "-v, "));
    for (const [i] of (about.words?.split(" ") ?? []).entries()) command.argument(`[word${i}]`);
    command.action((...given: readonly unknown[]) => {
      const values = new Map(command.options.flatMap((one) => (command.getOptionValue(one.attributeName()) === undefined ? [] : [[nameOf(one), valuesOf(command, one)] as const])));
      found.reading = { kind: "command", command: name, values, words: given.slice(0, -2).filter((word) => typeof word === "string") };
    });
  }
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    switch (error.code) {
      case "commander.helpDisplayed":
      case "commander.help":
        return { kind: "page", command: found.page };
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
  return found.reading ?? { kind: "page", command: undefined };
}

const nameOf = (one: Option) => one.long?.slice(2) ?? "";
const valuesOf = (command: Command, one: Option) => command.getOptionValue(one.attributeName()) as readonly string[];

function option(name: string, short = ""): Option {
  const made = new Option(`${short}--${name} [value]`).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  // Commander reads `--no-x` as the negation of `--x`; here it is a name like any other.
  made.negate = false;
  return made;
}
