import { optionTable } from "../core/flag-table.ts";
import { nearest } from "../core/nearest.ts";
import { parseBoolean, type RawOptions } from "../core/option-values.ts";
import { safeText } from "../core/untrusted-text.ts";
import { entryOf } from "../errors/catalogue.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { commandWord, normaliseArguments, shownFlag } from "./arguments.ts";
import { type CommandFlag, commandFlags, flagsOf } from "./command-flags.ts";
import { type CommandName, commandRow, commandTable, isCommandName } from "./command-table.ts";
import { readPlainWords, type Values } from "./command-words.ts";
import { commanderReading } from "./commander-reading.ts";
import { commandHelp, programHelp } from "./help.ts";
import { isTopic, topicHelp, topicNames } from "./help-topics.ts";

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "help"; readonly text: string }
  | {
      readonly kind: "command";
      readonly command: CommandName;
      readonly options: RawOptions;
      readonly context: string | undefined;
      readonly kubeconfig: string | undefined;
      readonly output: string | undefined;
      /** The command's own flags, by name: the value, or true for one without. */
      readonly flags: Readonly<Record<string, string | true>>;
      /** Words after the command: `trust add URL` has two. */
      readonly words: readonly string[];
      /** 0, 1, 4 or 8; what lies between counts as the lower one. */
      readonly verbosity: number;
    };

/**
 * Reads a command line. FLAG_INVALID and COMMAND_UNKNOWN for what cannot be read; values are judged later, with the other
 * sources. An unknown flag's value is never quoted: it may be a secret with a misspelt name.
 */
export function readCommandLine(argv: readonly string[]): Invocation {
  try {
    return readWords(argv);
  } catch (error) {
    const word = commandWord(argv) ?? "";
    if (!isOidcError(error) || error.code !== "FLAG_INVALID" || error.hint !== entryOf(error.code).hint || !isCommandName(word)) throw error;
    return fail(error.code, { message: error.message, hint: `run: kubectl oidc help ${word}` });
  }
}

function readWords(argv: readonly string[]): Invocation {
  const given = normaliseArguments(argv);
  const args = given.length === 0 ? ["help"] : given[0] === "--version" ? ["version", ...given.slice(1)] : given;
  const [first, about = ""] = args;
  if (first === "help" && (about === "help" || args.length === 1)) return { kind: "help", text: programHelp() };
  if (first === "help" && args.length === 2 && isCommandName(about)) return { kind: "help", text: commandHelp(about) };
  if (first === "help" && about !== "" && !about.startsWith("-") && !isCommandName(about)) return topic(about);
  // Flags alone ask for nothing: as kubectl, the list of commands.
  if (args.every(isGeneral)) return { kind: "help", text: programHelp() };
  const reading = readPlainWords(args) ?? commanderReading(args);
  switch (reading.kind) {
    case "page":
      return { kind: "help", text: reading.command === undefined ? programHelp() : commandHelp(reading.command) };
    case "command":
      return invocationOf(reading.command, reading.values, reading.words);
    case "unknown command":
      return failCommand(args);
    case "unknown flag": {
      // An argument may hold more than a name: `--password x` as one word.
      const name = /^--?[\w-]*/.exec(reading.flag)?.[0] ?? "";
      return fail("FLAG_INVALID", { message: `there is no flag ${shownFlag(name)} here`, ...suggestion(name, args.find((arg) => !arg.startsWith("-")) ?? "") });
    }
    case "too many":
      return fail("FLAG_INVALID", { message: "there is an argument too many; options start with --" });
    default:
      return reading satisfies never;
  }
}

const isGeneral = (arg: string) => /^(-h|--help|--v=.*|--output=.*)$/s.test(arg);

/** Of no command: a topic's page. COMMAND_UNKNOWN, with the command or topic that may have been meant. */
function topic(word: string): Invocation {
  if (isTopic(word)) return { kind: "help", text: topicHelp(word, process.platform) };
  const near = nearest(word, [...Object.keys(commandTable), ...topicNames()]);
  return fail("COMMAND_UNKNOWN", { message: `there is no help about ${safeText(word, 40)}`, ...(near === undefined ? {} : { hint: `did you mean: kubectl oidc help ${near}?` }) });
}

function failCommand(args: readonly string[]): never {
  const word = args.find((arg) => !arg.startsWith("-")) ?? "";
  if (isTopic(word)) return fail("COMMAND_UNKNOWN", { message: `${word} is no command but a topic of the help`, hint: `run: kubectl oidc help ${word}` });
  const near = nearest(word, [...Object.keys(commandTable), "help"]);
  return fail("COMMAND_UNKNOWN", {
    message: word === "" ? "the command is an empty word" : `there is no command ${safeText(word, 40)}`,
    ...(near === undefined ? {} : { hint: `did you mean: kubectl oidc ${near}?` }),
  });
}

/** An option of that command that differs in its prefix (`--issuer-url`), that the name begins, or that is misspelt. */
function suggestion(name: string, command: string): { readonly hint?: string } {
  const bare = name.replace(/^-+/, "");
  const known = isCommandName(command) ? command : undefined;
  const names = known === undefined || commandRow(known).session ? optionTable.filter((row) => !("hidden" in row)).map((row) => row.name) : [];
  const own = (known === undefined ? commandFlags : flagsOf(known)).map((flag) => flag.name);
  const near =
    names.find((one) => one === `oidc-${bare}`) ??
    nearest(bare, [...new Set([...names, ...own, ...(known === undefined || commandRow(known).outputs.length > 0 ? ["output"] : [])])]) ??
    names.find((one) => bare.length > 5 && one.startsWith(bare));
  if (near !== undefined) return { hint: `did you mean --${near}?` };
  return {};
}

function invocationOf(command: CommandName, values: Values, words: readonly string[]): Invocation {
  const options: Partial<Record<string, readonly string[]>> = {};
  for (const { name } of optionTable) {
    const given = values.get(name);
    if (given !== undefined) options[name] = given;
  }
  const text = (name: string) => values.get(name)?.at(-1);
  const output = text("output");
  const outputs: readonly string[] = commandTable[command].outputs;
  if (output !== undefined && !outputs.includes(output)) refuseValue("-o", output, outputs, " ");
  const level = text("v") ?? "0";
  if (!/^\d{1,2}$/.test(level)) fail("FLAG_INVALID", { message: "-v must be a number" });
  return {
    kind: "command",
    command,
    options,
    context: text("context"),
    kubeconfig: text("kubeconfig"),
    output,
    flags: Object.fromEntries(
      flagsOf(command).flatMap((flag) => {
        const value = text(flag.name);
        return value === undefined ? [] : flagValue(flag, value);
      }),
    ),
    words: wordsOf(command, words),
    verbosity: Number(level),
  };
}

function flagValue({ name, value, values }: CommandFlag, text: string): readonly (readonly [string, string | true])[] {
  if (value !== undefined) return values?.includes(text) === false ? refuseValue(`--${name}`, text, values, "=") : [[name, text]];
  const parsed = parseBoolean(text);
  if (!parsed.ok) return fail("FLAG_INVALID", { message: `--${name} ${parsed.problem}` });
  return parsed.value ? [[name, true]] : [];
}

/** The words behind the command: the first is one of those that its usage names. */
function wordsOf(command: CommandName, words: readonly string[]): readonly string[] {
  const known = commandRow(command).words?.split(" ")[0]?.split("|");
  const [word] = words;
  if (known === undefined || (word !== undefined && known.includes(word))) return words;
  const list = `${known.slice(0, -1).join(", ")} or ${known.at(-1)}`;
  if (word === undefined) return fail("FLAG_INVALID", { message: `${command} needs one of ${list}` });
  const near = nearest(word, known);
  return fail("FLAG_INVALID", {
    message: `${command} takes ${list}, not ${safeText(word, 40)}`,
    ...(near === undefined ? {} : { hint: `did you mean: kubectl oidc ${command} ${near}?` }),
  });
}

function refuseValue(flag: string, value: string, known: readonly string[], between: string): never {
  const near = nearest(value, known);
  return fail("FLAG_INVALID", {
    message: `${flag} must be ${known.length === 1 ? "" : "one of "}${known.join(", ")}`,
    ...(near === undefined ? {} : { hint: `did you mean ${flag}${between}${near}?` }),
  });
}
