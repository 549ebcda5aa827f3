import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileToken } from "../../src/adapters/subject-token/file-token.ts";
import { codeOfPromise } from "../fakes/codes.ts";

let folder: string;
let path: string;
let warnings: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-subject-"));
  path = join(folder, "token");
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (platform = "linux") => fileToken(path, { platform, terminal: { warn: (text) => void warnings.push(text), log: () => undefined } });

describe("a token file", () => {
  it("is read without the blanks around it", async () => {
    writeFileSync(path, "\n  the.token.of-a-platform \r\n", { mode: 0o600 });
    expect([await read(), warnings]).toEqual(["the.token.of-a-platform", []]);
  });
  it("that is not there for a moment is waited for, and one that stays away is not", async () => {
    writeFileSync(join(folder, "next"), "the-next-token", { mode: 0o600 });
    const reading = read();
    renameSync(join(folder, "next"), path);
    expect(await reading).toBe("the-next-token");
    rmSync(path);
    expect(await codeOfPromise(read())).toBe("SUBJECT_TOKEN_INVALID");
  });
  it("that is written in place is looked at again while it is empty", async () => {
    writeFileSync(path, "", { mode: 0o600 });
    const reading = read();
    writeFileSync(path, "a-whole-token");
    expect(await reading).toBe("a-whole-token");
  });
  it("that others may write is refused, whoever can read it; Windows has other rights", async () => {
    writeFileSync(path, "token", { mode: 0o600 });
    for (const mode of [0o620, 0o602, 0o666]) {
      chmodSync(path, mode);
      expect(await codeOfPromise(read())).toBe("SUBJECT_TOKEN_INVALID");
      expect(await read("win32")).toBe("token");
    }
    chmodSync(path, 0o640);
    expect([await read(), warnings]).toEqual(["token", []]);
    chmodSync(path, 0o644);
    expect([await read(), warnings.length]).toEqual(["token", 1]);
  });
  it.runIf(process.geteuid?.() === 0)(
    `that another user owns is refused, whatever its mode: a chmod, and they may write it${process.geteuid?.() === 0 ? "" : " (needs root)"}`,
    async () => {
      writeFileSync(path, "token", { mode: 0o400 });
      chownSync(path, 65_534, 65_534);
      await expect(read()).rejects.toMatchObject({ code: "SUBJECT_TOKEN_INVALID", reason: expect.stringContaining("belongs to another user") });
      expect(await read("win32")).toBe("token");
    },
  );
  it("that is a pipe, which gives its token once, is refused at once, and a command is named", async () => {
    execFileSync("mkfifo", ["-m", "600", path]);
    await expect(read()).rejects.toMatchObject({ code: "SUBJECT_TOKEN_INVALID", reason: "it is a pipe", hint: expect.stringContaining("--subject-token-command") });
  });
});
