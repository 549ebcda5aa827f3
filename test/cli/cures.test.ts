import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { readCommandLine } from "../../src/cli/program.ts";
import { splitCommand } from "../../src/core/split-command.ts";
import { catalogue } from "../../src/errors/catalogue.ts";

const root = resolve(import.meta.dirname, "../../src");
const files = [
  ...readdirSync(join(root, "core/checks")).map((name) => join("core/checks", name)),
  ...readdirSync(join(root, "app")).map((name) => join("app", name)),
  "cli/doctor.ts",
];

/** `run: kubectl oidc …` to the end of its literal; what is filled in later is a word. */
const commandsIn = (text: string) =>
  [...text.matchAll(/run: (kubectl oidc [^"`\n;]+)/g)].map(([, command = ""]) =>
    command
      .replaceAll(/\$\{[^}]*\}/g, "x")
      .replace(/[;,(].*$/, "")
      .trim(),
  );

const cures = [
  ...files.flatMap((file) => commandsIn(readFileSync(join(root, file), "utf8")).map((command) => [file, command] as const)),
  ...Object.entries(catalogue).flatMap(([code, { hint }]) => commandsIn(hint).map((command) => [code, command] as const)),
];

it.each(cures)("%s: the cure `%s` is a command of this program", (_, command) => {
  const [, , ...words] = splitCommand(command) ?? [];
  expect(() => readCommandLine(words)).not.toThrow();
});

it("there are such cures", () => expect(cures.length).toBeGreaterThan(8));
