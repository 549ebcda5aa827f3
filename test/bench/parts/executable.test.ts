import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askProgram } from "../../built-program.ts";
import { programCommand } from "../../e2e/program-form.ts";
import { executableOf } from "./executable.ts";
import { outcomeWithout } from "./missing.ts";

const npm = { version: "0.1.0", commit: "0123456789ab" };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-executable-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const executable = (says: string) => {
  const file = join(folder, "kubectl-oidc");
  writeFileSync(file, `#!/bin/sh\n[ "$*" = "version -o json" ] && echo '${says}'\n`, { mode: 0o755 });
  return file;
};

describe.skipIf(process.platform === "win32")("the standalone executable", () => {
  it("is measured when it says that it is of the npm program's commit", () => {
    const file = executable('{"version":"0.1.0","commit":"0123456789ab","form":"standalone"}');
    expect(executableOf(file, npm)).toBe(file);
  });

  it.each(["0123456789ab-dirty", "ba9876543210"])("fails its rows when it is of another: %s", (commit) => {
    const file = executable(JSON.stringify({ ...npm, commit }));
    const part = executableOf(file, npm);
    expect(part).toEqual({ missing: `${file} is 0.1.0 of commit ${commit}, the npm program 0.1.0 of 0123456789ab: npm run build:standalone`, isOurFault: true });
    expect(typeof part === "object" && outcomeWithout(part)).toMatchObject({ kind: "failed" });
  });

  it("fails its rows when it does not say which it is, and skips them when there is none", () => {
    expect(executableOf(executable("kubectl-oidc 0.1.0"), npm)).toMatchObject({ missing: expect.stringMatching(/does not say which build it is/), isOurFault: true });
    mkdirSync(join(folder, "empty"));
    expect(executableOf(join(folder, "empty"), npm)).toMatchObject({ isOurFault: true });
    const none = executableOf(join(folder, "none"), npm);
    expect(typeof none === "object" && outcomeWithout(none)).toEqual({ kind: "skipped", why: "no standalone executable: npm run build:standalone" });
  });
});

it("the built program says which build it is", () => {
  expect(askProgram(programCommand)).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), commit: expect.stringMatching(/^[0-9a-f]{12}(-dirty)?$|^unknown$/) });
});
