import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProgram } from "../../src/adapters/program-path.ts";

describe("a program's name", () => {
  let folder: string;
  const before = process.cwd();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-program-"));
    for (const name of ["one", "two"]) mkdirSync(join(folder, name));
    for (const path of ["planted", "two/tool", "one/win.exe"]) writeFileSync(join(folder, path), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(join(folder, "one/tool"), "no program", { mode: 0o644 });
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
  const find = (name: string, path: string, platform = "linux") => findProgram(name, { PATH: path }, platform);

  it("means the first file in an absolute folder of the PATH that can be run [TE-05]", () => {
    expect(find("tool", `${folder}/one:${folder}/two`)).toBe(join(folder, "two/tool"));
    expect(find("one", folder)).toBeUndefined();
    symlinkSync(join(folder, "two/tool"), join(folder, "one/linked"));
    expect(find("linked", `${folder}/one`)).toBe(join(folder, "one/linked"));
  });
  it("never means one of the working directory [TE-05]", () => {
    for (const path of ["", ":", ".", "./", "one/..", `.:${folder}/one:`]) expect(find("planted", path), path).toBeUndefined();
    for (const name of ["./planted", "../planted", "one/../planted", "", "."]) expect(find(name, folder), name).toBeUndefined();
  });
  it("may be an absolute path itself", () => {
    expect(find(join(folder, "planted"), "")).toBe(join(folder, "planted"));
    expect(find(join(folder, "one/tool"), "")).toBeUndefined();
    chmodSync(join(folder, "one/tool"), 0o755);
    expect(find(join(folder, "one/tool"), "")).toBe(join(folder, "one/tool"));
  });
  it("ends with .exe or .com on Windows, never with .cmd or .bat, which would bring a shell [TE-04]", () => {
    for (const name of ["batch.cmd", "batch.bat"]) writeFileSync(join(folder, "one", name), "", { mode: 0o755 });
    const at = (name: string) => findProgram(join(folder, "one", name), {}, "win32");
    expect(at("win")).toBe(join(folder, "one/win.exe"));
    expect(at("win.exe")).toBe(join(folder, "one/win.exe"));
    for (const name of ["batch", "batch.cmd", "batch.bat"]) expect(at(name), name).toBeUndefined();
  });
});
