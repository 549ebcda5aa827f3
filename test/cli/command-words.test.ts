import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normaliseArguments } from "../../src/cli/arguments.ts";
import { commandFlags } from "../../src/cli/command-flags.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import { readCommandWords } from "../../src/cli/command-words.ts";
import { optionTable } from "../../src/core/flag-table.ts";
import { commanderReading } from "./commander-reading.ts";

const names = [...optionTable.map(({ name }) => name as string), ...commandFlags.map(({ name }) => name), "output", "v", "help", "nonsense", "no-such"];

/** What people, stanzas and fuzzers write: flags of this command and of others, with and without a value, words, help, and noise. */
const argument = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...names), fc.constantFrom("", "=", "=true", "=a b", "=-x", "==", "=\n")).map(([name, value]) => `--${name}${value}`) },
  { weight: 2, arbitrary: fc.constantFrom(...Object.keys(commandTable), "help", "list", "add", "bash", "") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "--",
      "-",
      "-h",
      "--help",
      "-1",
      "-.5",
      "-1e9",
      "-1x",
      "-v1",
      "-v=4",
      "-v",
      "-ojson",
      "-o",
      "json",
      "-x",
      "-hv",
      "--=",
      "--v",
      "constructor",
      "__proto__",
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);
const commandLine = fc.oneof(
  fc.array(argument, { maxLength: 7 }),
  fc.tuple(fc.constantFrom(...Object.keys(commandTable)), fc.array(argument, { maxLength: 6 })).map(([command, rest]) => [command, ...rest]),
);

describe("the words of a command line", () => {
  it("are read as commander reads them", () => {
    fc.assert(
      fc.property(commandLine, (argv) => {
        const args = normalised(argv);
        // Commander answers `-- help x` with an empty page.
        fc.pre(args !== undefined && args.length > 0 && !(args[0] === "--" && args[1] === "help"));
        expect(readCommandWords(args ?? [])).toEqual(commanderReading(args ?? []));
      }),
      { numRuns: 4_000 },
    );
  }, 60_000);

  it.each([
    [["login", "--context=a", "--context=b"], "command"],
    [["login", "--help", "--nonsense"], "page"],
    [["login", "--nonsense", "--help"], "page"],
    [["nonsense", "--help"], "page"],
    [["login", "--", "--help"], "too many"],
    [["trust", "add", "-5"], "command"],
    [["login", "-5"], "too many"],
    [["status", "--oidc-issuer-url=x"], "unknown flag"],
    [["version", "--output=json"], "command"],
    [["get-token", "--output=json"], "unknown flag"],
    [["--nonsense"], "unknown flag"],
    [["constructor"], "unknown command"],
  ])("%j is a %s", (args, kind) => {
    expect(readCommandWords(args).kind).toBe(kind);
    expect(commanderReading(args).kind).toBe(kind);
  });
});

/** Undefined for what is refused before: a value that is missing. */
function normalised(argv: readonly string[]): readonly string[] | undefined {
  try {
    return normaliseArguments(argv);
  } catch {
    return undefined;
  }
}
