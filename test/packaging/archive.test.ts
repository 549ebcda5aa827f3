import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tarGz, zip } from "../../packaging/archive.mjs";
import { hasProgram } from "../programs.ts";

const seconds = Date.UTC(2026, 0, 28, 12, 30, 10) / 1000;
const entries = [
  { name: "man/kubectl-oidc.1", data: Buffer.from("page"), mode: 0o644 },
  { name: "kubectl-oidc", data: Buffer.from("\0program".repeat(1000)), mode: 0o755 },
  { name: "LICENSE", data: Buffer.alloc(512, "l"), mode: 0o644 },
  { name: "empty", data: Buffer.alloc(0), mode: 0o644 },
];
const names = ["LICENSE", "empty", "kubectl-oidc", "man/kubectl-oidc.1"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-archive-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What came out of it is what went in, with its modes and its time. */
function expectEntries(): void {
  for (const { name, data, mode } of entries) {
    expect(readFileSync(join(folder, name)).equals(data), name).toBe(true);
    expect(statSync(join(folder, name)).mode & 0o777, name).toBe(mode);
    expect(statSync(join(folder, name)).mtimeMs / 1000, name).toBe(seconds);
  }
}

describe.each([
  { kind: "a .tar.gz", pack: tarGz },
  { kind: "a .zip", pack: zip },
])("$kind", ({ pack }) => {
  it("is the same bytes for the same content, in whatever order it comes", () => {
    expect(pack(entries, seconds).equals(pack([...entries].reverse(), seconds))).toBe(true);
  });

  it("is other bytes for another content, another mode and another time", () => {
    const first = pack(entries, seconds);
    const withMode = entries.map((entry) => (entry.name === "LICENSE" ? { ...entry, mode: 0o755 } : entry));
    expect(first.equals(pack(withMode, seconds))).toBe(false);
    expect(first.equals(pack(entries, seconds + 2))).toBe(false);
  });

  it.each(["/etc/passwd", "../above", "a/../../above", "", "a//b", "a\\b"])("takes no entry named %o, which would be unpacked elsewhere", (name) => {
    expect(() => pack([{ name, data: Buffer.alloc(0), mode: 0o644 }], seconds)).toThrow("is no name for an archive");
  });
});

it.skipIf(!hasProgram("tar"))("tar unpacks a .tar.gz as it was, owned by root", () => {
  writeFileSync(join(folder, "a.tar.gz"), tarGz(entries, seconds));
  const list = execFileSync("tar", ["--list", "--verbose", "--numeric-owner", "--file=a.tar.gz"], { cwd: folder, encoding: "utf8" });
  expect(
    list
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/).at(-1)),
  ).toEqual(names);
  for (const line of list.trim().split("\n")) expect(line).toMatch(/^-\S+ 0\/0 /);
  execFileSync("tar", ["--extract", "--file=a.tar.gz"], { cwd: folder });
  expectEntries();
});

it.skipIf(!hasProgram("unzip"))("unzip finds no fault in a .zip, and unpacks it as it was", () => {
  writeFileSync(join(folder, "a.zip"), zip(entries, seconds));
  const tested = spawnSync("unzip", ["-t", "a.zip"], { cwd: folder, encoding: "utf8" });
  expect(tested.status, tested.stdout).toBe(0);
  execFileSync("unzip", ["-q", "a.zip"], { cwd: folder, env: { ...process.env, TZ: "UTC" } });
  expectEntries();
});

it("a name that a tar header cannot hold is refused", () => {
  expect(() => tarGz([{ name: "n".repeat(101), data: Buffer.alloc(0), mode: 0o644 }], seconds)).toThrow("too long");
});
