import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkFoldersAbove } from "../../src/adapters/folder-owners.ts";
import { privateFiles } from "../../src/adapters/private-files.ts";
import { codeOf } from "../fakes/codes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-above-"));
  mkdirSync(join(folder, "home", "share"), { recursive: true, mode: 0o755 });
});
afterEach(() => rmSync(folder, { recursive: true }));
const store = () => join(folder, "home", "share", "kubectl-oidc");
const code = () => codeOf(() => checkFoldersAbove(store()));

describe("the folders above the store", () => {
  it("may be ours or root's, with the sticky bit where others write [ST-02]", () => {
    expect(code()).toBe("none");
    chmodSync(join(folder, "home"), 0o1777);
    expect(code()).toBe("none");
  });

  it("may not be written by others, also further up, and nothing is made in such a place [ST-02]", () => {
    for (const open of [join(folder, "home", "share"), join(folder, "home")]) {
      chmodSync(open, 0o777);
      expect(code()).toBe("STORE_UNSAFE");
      expect(codeOf(() => privateFiles(store()).write("sessions/a.json", "x"))).toBe("STORE_UNSAFE");
      expect(codeOf(() => privateFiles(store()).read("sessions/a.json"))).toBe("STORE_UNSAFE");
      expect(codeOf(() => privateFiles(store()).list("sessions"))).toBe("STORE_UNSAFE");
      chmodSync(open, 0o755);
    }
    expect(codeOf(() => privateFiles(store()).write("sessions/a.json", "x"))).toBe("none");
  });

  it("may be writable by our own group, as private groups make them, not by another", () => {
    chmodSync(join(folder, "home"), 0o775);
    expect(code()).toBe("none");
  });

  const isRoot = process.geteuid?.() === 0;
  it.skipIf(!isRoot)("may not be writable by a group of others, nor belong to another user, nor be reached by another's link (needs root) [ST-02, ST-14]", () => {
    chownSync(join(folder, "home"), 0, 12_345);
    chmodSync(join(folder, "home"), 0o775);
    expect(code()).toBe("STORE_UNSAFE");
    chmodSync(join(folder, "home"), 0o755);
    expect(code()).toBe("none");
    chownSync(join(folder, "home"), 12_345, 12_345);
    expect(code()).toBe("STORE_UNSAFE");
    chownSync(join(folder, "home"), 0, 0);
    symlinkSync(join(folder, "home"), join(folder, "link"));
    expect(codeOf(() => checkFoldersAbove(join(folder, "link", "share", "kubectl-oidc")))).toBe("none");
    lchownSync(join(folder, "link"), 12_345, 12_345);
    expect(codeOf(() => checkFoldersAbove(join(folder, "link", "share", "kubectl-oidc")))).toBe("STORE_UNSAFE");
  });

  it("are looked at where links lead, too", () => {
    mkdirSync(join(folder, "open", "store"), { recursive: true });
    chmodSync(join(folder, "open"), 0o777);
    symlinkSync(join(folder, "open", "store"), join(folder, "home", "share", "kubectl-oidc"));
    expect(codeOf(() => checkFoldersAbove(join(store(), "deeper")))).toBe("STORE_UNSAFE");
  });
});
