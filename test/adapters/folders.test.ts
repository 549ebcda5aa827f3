import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as owners from "../../src/adapters/folder-owners.ts";
import { folders } from "../../src/adapters/folders.ts";
import { privateFiles } from "../../src/adapters/private-files.ts";
import { codeOf } from "../fakes/codes.ts";

vi.mock("../../src/adapters/folder-owners.ts", { spy: true });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-folders-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const store = () => join(folder, "share", "store");

describe("the folders of one run", () => {
  it("are looked at from above once for a store, whoever reads and writes in it", () => {
    const seen = folders();
    const looked = vi.mocked(owners.checkFoldersAbove);
    looked.mockClear();
    const [one, other] = [privateFiles(store(), seen), privateFiles(store(), seen)];
    one.write("sessions/a.json", "x");
    other.write("credentials/b.json", "y");
    expect(other.read("sessions/a.json")).toBe("x");
    expect(looked.mock.calls).toEqual([[store()]]);
  });

  it("are themselves looked at each time: one that was opened to others, or is a link now, is refused; one that is gone is made again", () => {
    const files = privateFiles(store(), folders());
    files.write("sessions/a.json", "x");
    chmodSync(join(store(), "sessions"), 0o777);
    expect(codeOf(() => files.write("sessions/a.json", "y"))).toBe("STORE_UNSAFE");
    rmSync(join(store(), "sessions"), { recursive: true });
    mkdirSync(join(folder, "elsewhere"), { mode: 0o700 });
    symlinkSync(join(folder, "elsewhere"), join(store(), "sessions"));
    expect(codeOf(() => files.write("sessions/a.json", "y"))).toBe("STORE_UNSAFE");
    rmSync(store(), { recursive: true });
    files.write("sessions/a.json", "z");
    expect(files.read("sessions/a.json")).toBe("z");
  });

  it("that were refused are refused again, and taken once they are safe", () => {
    const seen = folders();
    mkdirSync(join(folder, "share"));
    chmodSync(join(folder, "share"), 0o777);
    for (let i = 0; i < 2; i++) expect(codeOf(() => seen.make(store()))).toBe("STORE_UNSAFE");
    chmodSync(join(folder, "share"), 0o755);
    expect(codeOf(() => seen.make(store()))).toBe("none");
  });
});
