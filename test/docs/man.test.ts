import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { commandTable } from "../../src/cli/command-table.ts";
import { ownOptions } from "../../src/cli/help.ts";
import { type OptionRow, optionTable } from "../../src/core/flag-table.ts";
import { findProgram } from "../programs.ts";

const root = resolve(import.meta.dirname, "../..");
const path = resolve(root, "man/kubectl-oidc.1");
const source = readFileSync(path, "utf8");
const manifest = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { readonly version: string; readonly man: string; readonly files: readonly string[] };

describe("the man page", () => {
  it("is in the package, and names its version and day", () => {
    expect(resolve(root, manifest.man)).toBe(path);
    expect(manifest.files).toContain("man");
    expect(source).toMatch(new RegExp(`^\\.TH KUBECTL\\\\-OIDC 1 "\\d{4}-\\d\\d-\\d\\d" "kubectl\\\\-oidc ${manifest.version.replaceAll(".", "\\.")}"`, "m"));
  });

  it("has its sections in the order that readers know", () => {
    expect([...source.matchAll(/^\.SH (.*)$/gm)].map(([, name]) => name)).toEqual([
      "NAME",
      "SYNOPSIS",
      "DESCRIPTION",
      "COMMANDS",
      "OPTIONS",
      "ENVIRONMENT",
      "FILES",
      "EXIT STATUS",
      "EXAMPLES",
      "SEE ALSO",
    ]);
  });

  it("is ASCII with every hyphen as one, so that an option can be copied out of it", () => {
    expect(source).toMatch(/^[\x20-\x7e\n]*$/);
    const text = source
      .split("\n")
      .filter((line) => !/^\.(\\"|TH)/.test(line))
      .join("\n");
    expect(text.match(/(?<!\\\()(?<!\\)-(?!>)/g) ?? []).toEqual([]);
  });

  it("has every command and every option", () => {
    const text = source.replaceAll("\\-", "-");
    for (const name of Object.keys(commandTable)) {
      expect(text).toMatch(new RegExp(`^\\.SS ${name}( |$)`, "m"));
      for (const [flag] of ownOptions(name as keyof typeof commandTable)) if (flag.startsWith("--")) expect(text).toContain(`\\fB${flag}\\fR`);
    }
    for (const { name } of (optionTable as readonly OptionRow[]).filter(({ hidden }) => hidden !== true)) expect(text).toContain(`\\fB--${name}`);
  });
});

function said(program: string, args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(program, args, { encoding: "utf8", env: { ...process.env, MANWIDTH: "80", MANPAGER: "cat", LC_ALL: "C.UTF-8" }, timeout: 60_000 });
}

const groff = findProgram("groff");
it.skipIf(groff === undefined)(`groff has no warning about the man page${groff === undefined ? " (needs groff)" : ""}`, () => {
  expect(said(groff ?? "", ["-man", "-ww", "-z", path])).toMatchObject({ status: 0, stdout: "", stderr: "" });
});

const mandoc = findProgram("mandoc");
it.skipIf(mandoc === undefined)(`mandoc has nothing to say about the man page${mandoc === undefined ? " (needs mandoc)" : ""}`, () => {
  expect(said(mandoc ?? "", ["-Tlint", "-W", "warning", path])).toMatchObject({ status: 0, stdout: "" });
});

const man = findProgram("man");
it.skipIf(man === undefined || groff === undefined)(`man shows it in 80 columns${man === undefined ? " (needs man)" : ""}`, () => {
  const { status, stdout } = said(man ?? "", ["-l", path]);
  expect(status).toBe(0);
  expect(stdout).toContain("--oidc-issuer-url TEXT");
  expect(stdout).toContain("KUBECTL_OIDC_ISSUER_URL");
  for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
});
