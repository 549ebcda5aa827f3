import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kubeloginEntries, removeKubeloginEntry } from "../../src/adapters/kubelogin-cache.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-kubelogin-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const name = (n: number) => String(n).padStart(64, "0");
const put = (n: number | string, text = JSON.stringify({ id_token: "a.b.c", refresh_token: `r${n}` }), mode = 0o600) => {
  const path = join(folder, typeof n === "number" ? name(n) : n);
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
};
const found = (...more: string[]) => kubeloginEntries([folder, ...more]).map(({ refreshToken }) => refreshToken.reveal());

describe("kubelogin's cache", () => {
  it("is its files with a refresh token, each folder once; one that is not there holds nothing", () => {
    put(1);
    put(2);
    put(3, JSON.stringify({ id_token: "a.b.c", refresh_token: "" }));
    put(`${name(1)}.lock`, "");
    expect(found(folder, join(folder, "none"))).toEqual(["r1", "r2"]);
  });

  it.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["a number as token", JSON.stringify({ id_token: 1, refresh_token: "r" })],
    ["deep nesting", `${"[".repeat(100)}${"]".repeat(100)}`],
    ["more than any two tokens", JSON.stringify({ id_token: "x".repeat(300_000), refresh_token: "r" })],
  ])("passes over %s", (_, text) => {
    put(1, text);
    expect(found()).toEqual([]);
  });

  it("reads nothing under other names, and nothing deeper", () => {
    put("config");
    mkdirSync(join(folder, name(4)));
    writeFileSync(join(folder, name(4), name(5)), JSON.stringify({ id_token: "a.b.c", refresh_token: "r" }));
    expect(found()).toEqual([]);
  });

  it("follows no link, opens no pipe, and trusts no file that others can write or that has a second name", () => {
    const real = put("real");
    symlinkSync(real, join(folder, name(1)));
    execFileSync("mkfifo", [join(folder, name(2))]);
    put(3, undefined, 0o666);
    linkSync(put(4), join(folder, "second"));
    expect(found()).toEqual([]);
  });

  it("is not looked for in a folder that others can write", () => {
    put(1);
    chmodSync(folder, 0o777);
    expect(found()).toEqual([]);
    chmodSync(folder, 0o755);
    expect(found()).toEqual(["r1"]);
  });

  it("loses one file, never a folder, and never what is not its own", () => {
    const path = put(1);
    const other = put("config");
    mkdirSync(join(folder, name(2)));
    expect(removeKubeloginEntry(path)).toBe(true);
    expect(removeKubeloginEntry(path)).toBe(true);
    expect(removeKubeloginEntry(other)).toBe(false);
    expect(removeKubeloginEntry(join(folder, name(2)))).toBe(false);
    expect([existsSync(path), existsSync(other), existsSync(join(folder, name(2)))]).toEqual([false, true, true]);
  });
});
