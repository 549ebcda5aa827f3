import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { resultPage } from "../../src/adapters/result-page.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import { isTopic, topicHelp, topicTable } from "../../src/cli/help-topics.ts";
import { readCommandLine } from "../../src/cli/program.ts";
import { catalogue, type ErrorCode } from "../../src/errors/catalogue.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";
import { terminalLines } from "../../src/errors/render.ts";

// Every text a person sees has a golden file; `npx vitest run test/golden -u` writes them anew, for a look at the difference.
const golden = (name: string) => resolve(import.meta.dirname, name);
const helpOf = (argv: readonly string[]) => {
  const read = readCommandLine(argv);
  return read.kind === "help" ? read.text : "no help";
};

describe("help", () => {
  it("of the program, however it is asked for", async () => {
    await expect(helpOf(["help"])).toMatchFileSnapshot(golden("help/program.txt"));
    expect(helpOf([])).toBe(helpOf(["help"]));
    expect(helpOf(["--help"])).toBe(helpOf(["help"]));
  });
  it("is 80 columns wide, begins with usage and examples, and tells no more than it must of a program's options", () => {
    for (const text of [helpOf([]), ...Object.keys(commandTable).map((name) => helpOf(["help", name]))]) {
      for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
      expect(text.indexOf("Examples")).toBeGreaterThan(text.indexOf("Usage:"));
      if (text.includes("\nOptions")) expect(text.indexOf("\nOptions")).toBeGreaterThan(text.indexOf("Examples"));
    }
  });
  it.each(Object.keys(commandTable))("of %s", async (command) => {
    await expect(helpOf(["help", command])).toMatchFileSnapshot(golden(`help/${command}.txt`));
    expect(helpOf([command, "--help"])).toBe(helpOf(["help", command]));
  });
});

describe("help about a topic", () => {
  it.each(Object.keys(topicTable).filter(isTopic))("%s, in 80 columns on every system", async (name) => {
    await expect(topicHelp(name, "linux")).toMatchFileSnapshot(golden(`help/topic-${name}.txt`));
    for (const platform of ["linux", "darwin", "win32"]) for (const line of topicHelp(name, platform).split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(helpOf(["help", name])).toBe(topicHelp(name, process.platform));
    expect(helpOf(["help"])).toContain(`  ${name} `);
  });
});

it("every error as a terminal shows it", async () => {
  const text = (Object.keys(catalogue) as ErrorCode[]).map((code) => terminalLines(new OidcError(code, {})).join("\n")).join("\n\n");
  await expect(`${text}\n`).toMatchFileSnapshot(golden("errors.txt"));
});

describe("the page at the end of a login", () => {
  it("that succeeded", async () => {
    await expect(resultPage({ ok: true, issuer: "https://id.example.com", account: "ann@example.com" })).toMatchFileSnapshot(golden("pages/logged-in.html"));
  });
  it("that failed", async () => {
    await expect(
      resultPage({ ok: false, issuer: "https://id.example.com", code: "LOGIN_DENIED", message: "the login was denied: access_denied", hint: "run: kubectl oidc login" }),
    ).toMatchFileSnapshot(golden("pages/failed.html"));
  });
});
