import { describe, expect, it } from "vitest";
import { ownVariables, searchFolders, searchPath } from "../../src/core/program-search.ts";

describe("where programs are looked for", () => {
  it.each([
    ["linux", "/usr/bin:/bin", ["/usr/bin", "/bin"]],
    ["linux", ":/usr/bin::.:bin:../x:~/bin:/opt/a b:", ["/usr/bin", "/opt/a b"]],
    ["linux", "", ["/usr/bin", "/bin"]],
    ["linux", ".", ["/usr/bin", "/bin"]],
    ["linux", undefined, ["/usr/bin", "/bin"]],
    ["darwin", "/opt/homebrew/bin:", ["/opt/homebrew/bin"]],
    ["win32", "C:\\Windows;;.;bin;\\\\evil.example.com\\share;D:/tools;\\bin;C:x", ["C:\\Windows", "D:/tools"]],
    ["win32", undefined, []],
  ])("on %s with %j: absolute folders only [TE-05]", (platform, path, folders) => expect(searchFolders(path, platform)).toEqual(folders));
  it("is never an empty text, which would mean the working directory [TE-05]", () => {
    for (const platform of ["linux", "darwin", "win32"]) for (const path of [undefined, "", ".", ":", ";", "a:b"]) expect(searchPath(path, platform)).toMatch(/^(\/|C:\\)/);
  });
});

describe("our own environment, before anything is started", () => {
  it("loses secrets and what steers Node or packages, and its PATH the working directory", () => {
    const env = { KUBECTL_OIDC_PASSWORD: "x", NAPI_RS_NATIVE_LIBRARY_PATH: "/x", NODE_OPTIONS: "--x", DEBUG: "*", DEBUG_COLORS: "1", PATH: ".:/usr/bin", HOME: "/h" };
    expect(ownVariables(env, "linux")).toEqual({
      KUBECTL_OIDC_PASSWORD: undefined,
      NAPI_RS_NATIVE_LIBRARY_PATH: undefined,
      NODE_OPTIONS: undefined,
      DEBUG: undefined,
      DEBUG_COLORS: undefined,
      PATH: "/usr/bin",
    });
  });
  it("on Windows: no program from the working directory or a share, and PowerShell from Windows' own folder only [TE-04, TE-05]", () => {
    const env = { Path: ".;\\\\evil\\x;C:\\Windows\\System32", SYSTEMROOT: "\\\\evil.example.com\\share", windir: "C:\\Users\\ann\\Downloads" };
    expect(ownVariables(env, "win32")).toEqual({ Path: "C:\\Windows\\System32", SYSTEMROOT: "C:\\Windows", windir: "C:\\Windows", NoDefaultCurrentDirectoryInExePath: "1" });
    expect(ownVariables({ SystemRoot: "D:\\WINDOWS" }, "win32")).toEqual({ NoDefaultCurrentDirectoryInExePath: "1" });
  });
});
