import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normaliseArguments } from "../../src/cli/arguments.ts";
import { commandFlags } from "../../src/cli/command-flags.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import { readPlainWords } from "../../src/cli/command-words.ts";
import { commanderReading } from "../../src/cli/commander-reading.ts";
import { optionTable } from "../../src/core/flag-table.ts";

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
  it("are read as commander reads them, or left to it", () => {
    const seen = { plain: 0 };
    fc.assert(
      fc.property(commandLine, (argv) => {
        const args = normalised(argv);
        const plain = args === undefined ? undefined : readPlainWords(args);
        if (args === undefined || plain === undefined) return;
        seen.plain++;
        expect(plain).toEqual(commanderReading(args));
      }),
      { numRuns: 4_000 },
    );
    expect(seen.plain).toBeGreaterThan(200);
  }, 60_000);

  it("are plain in every stanza and nearly every call of a person", () => {
    for (const args of [
      ["get-token", "--oidc-issuer-url=https://id.example.com", "--oidc-client-id=k", "--oidc-extra-scope=a", "--oidc-extra-scope=b"],
      ["status"],
      ["trust", "add", "https://x"],
      ["version", "--output=json"],
    ])
      expect(readPlainWords(args)?.kind, args.join(" ")).toBe("command");
  });

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
  ])("%j is a %s", (args, kind) => expect((readPlainWords(args) ?? commanderReading(args)).kind).toBe(kind));
});

/** Undefined for what is refused before: a value that is missing. */
function normalised(argv: readonly string[]): readonly string[] | undefined {
  try {
    return normaliseArguments(argv);
  } catch {
    return undefined;
  }
}

it.each([
  ["plain", readPlainWords, []],
  ["for commander", commanderReading, ["--"]],
] as const)("a command line of tens of thousands of flags, %s, is read in a moment: a stanza's args are another's", (_, read, more) => {
  const args = ["get-token", ...Array.from({ length: 40_000 }, (_, nth) => `--oidc-extra-scope=s${nth}`), ...more];
  const began = performance.now();
  const reading = read(args);
  // By the square of their number it took five seconds and more.
  expect(performance.now() - began).toBeLessThan(1_500);
  expect(reading?.kind === "command" ? reading.values.get("oidc-extra-scope")?.length : undefined).toBe(40_000);
});
