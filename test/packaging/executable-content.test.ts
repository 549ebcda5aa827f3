import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contentOf } from "../../packaging/executable-content.mjs";

let folder: string;
const file = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-content-"));
  writeFileSync(file("linux.node"), "\u007fELF linux addon");
  writeFileSync(file("windows.node"), "MZ windows addon");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("what an executable has inside", () => {
  const addons = () => ({ keyring: file("linux.node") });
  const others = () => [{ name: "keyring of Windows", file: file("windows.node") }];
  it("is its own addon and no other", () => expect(contentOf(Buffer.from("runtime \u007fELF linux addon end"), addons(), others())).toEqual({ missing: [], strange: [] }));
  it("is told when the bundler left the addon out", () => expect(contentOf(Buffer.from("runtime only"), addons(), others())).toEqual({ missing: ["keyring"], strange: [] }));
  it("is told when the addon was cut", () => expect(contentOf(Buffer.from("runtime \u007fELF linux ad"), addons()).missing).toEqual(["keyring"]));
  it("is told when it is that of another platform", () =>
    expect(contentOf(Buffer.from("runtime MZ windows addon"), addons(), others())).toEqual({ missing: ["keyring"], strange: ["keyring of Windows"] }));
});
