import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Ended } from "../e2e/program.ts";
import { home } from "../e2e/stage.ts";
import { harmIn, hostileTexts } from "../fakes/hostile-texts.ts";

/** The short tricks in one text, which no argument or variable may hold with its NUL. */
export const allTricks = hostileTexts.filter((text) => text.length < 200).join("·");
export const withoutNul = allTricks.replaceAll("\u0000", "");
/** A text of ten thousand characters, and all tricks in one. */
export const worst: readonly (readonly [string, string])[] = [
  ["every trick in one", withoutNul],
  ["10 KB", `\u001b[31m${"CODE-".repeat(2_000)}`],
];

/** Nothing reached the terminal that it obeys, hides or reverses, no line is anybody else's, and none is endless. */
export function expectHarmless(ended: Pick<Ended, "stdout" | "stderr">): void {
  expect({ stdout: harmIn(ended.stdout), stderr: harmIn(ended.stderr) }).toEqual({ stdout: [], stderr: [] });
  for (const line of ended.stderr.split("\n").filter((text) => text !== "")) {
    expect(line).toMatch(/^kubectl-oidc: /);
    expect(line).not.toMatch(/^kubectl-oidc: error: forged/);
    expect(line.length).toBeLessThan(9_000);
  }
}

/** A launcher on the PATH, in the working directory, and as --browser-command: it notes what it was started with. */
export function launchers(): { readonly env: Readonly<Record<string, string>>; readonly command: string; opened(): readonly string[] } {
  const folder = join(home.folder, "launchers");
  const log = join(home.folder, "launched");
  mkdirSync(folder, { recursive: true });
  for (const name of ["xdg-open", "x-www-browser"]) {
    writeFileSync(join(folder, name), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\n`, { mode: 0o755 });
    writeFileSync(join(home.folder, name), `#!/bin/sh\nprintf 'planted %s\\n' "$*" >> '${log}'\n`, { mode: 0o755 });
  }
  return {
    env: { PATH: `:.:${folder}:${home.env["PATH"]}`, DISPLAY: ":9" },
    command: join(folder, "xdg-open"),
    opened: () => (existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []),
  };
}
