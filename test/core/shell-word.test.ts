import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shellWord } from "../../src/core/shell-word.ts";
import { findProgram } from "../programs.ts";
import { hostileText, hostileTexts, named } from "../fakes/hostile-texts.ts";

const arn = "arn:aws:eks:eu-west-1:123456789012:cluster/prod";
const shells = ["sh", "bash", "dash", "zsh", "fish", "ksh", "pwsh"].filter((name) => findProgram(name) !== undefined);

describe("a word of a command that is shown for pasting", () => {
  it.each(["linux", "darwin", "win32"])("stays as it is when no shell looks at it (%s)", (platform) => {
    for (const text of [arn, "prod", "ann@example.com", "https://id.example.com/realms/a", "gke_p_z-1_n", "--bob"]) expect(shellWord(text, platform)).toBe(text);
  });
  it.each([
    ["linux", "my groups", "'my groups'"],
    ["linux", "$(id)`id`;&|<>*?~#", "'$(id)`id`;&|<>*?~#'"],
    ["linux", "Müller 日本", "'Müller 日本'"],
    ["win32", "my groups", '"my groups"'],
    ["win32", "C:\\Program Files (x86)\\kube", '"C:\\Program Files (x86)\\kube"'],
  ])("on %s, %s is written as %s", (platform, text, word) => expect(shellWord(text, platform)).toBe(word));
  it.each(
    named([
      // fish: a backslash before a quote does not end it. PowerShell: so do typographic quotes. csh: history.
      ["linux", "a'b"],
      ["linux", "a\\"],
      ["linux", "a’; calc"],
      ["linux", "a!b"],
      ["linux", "a\nb"],
      ["linux", "a\u202eb"],
      ["linux", ""],
      ["linux", "x".repeat(401)],
      ["win32", "a & calc"],
      ["win32", "%PATH%"],
      ["win32", 'a"b'],
      ["win32", "$(calc)"],
      ["win32", "a^b"],
      ["win32", "C:\\Program Files\\"],
      ["win32", "Müller"],
    ]),
  )("%s is not written at all", (_, [platform = "", text = ""]) => expect(shellWord(text, platform)).toBeUndefined());

  it.each(shells)("reaches a program as it was, and nothing else happens, in %s [TE-01]", (shell) => {
    const texts = [...hostileTexts, ...fc.sample(hostileText, { numRuns: 400, seed: 1 }), arn, "my groups", "$HOME *", "#x", "~", "{a,b}", "=ls", "<x", "%self", "$'x'"];
    const written = texts.flatMap((text) => {
      const word = shellWord(text, "linux");
      return word === undefined ? [] : [{ text, word }];
    });
    expect(written.length).toBeGreaterThan(20);
    const script = `printf '%s\\n' ${written.map(({ word }) => `--x=${word}`).join(" ")}`;
    const out = execFileSync(shell, ["-c", script], { encoding: "utf8" });
    expect(out.trimEnd().split("\n")).toEqual(written.map(({ text }) => `--x=${text}`));
  });
});
