import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { privateFiles } from "../../src/adapters/private-files.ts";
import { sealedJournal } from "../../src/adapters/sealed-journal.ts";
import { codeOf } from "../fakes/codes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const journal = () => sealedJournal([privateFiles(folder)]);
const onlyFile = () => join(folder, "journal", readdirSync(join(folder, "journal"))[0] ?? "");
const text = "an answer with a refresh token";

describe("the sealed journal", () => {
  it("gives back what was sealed, to the same key and the same item only", () => {
    const [key, other] = [journal().newKey(), journal().newKey()];
    journal().write("item", key, text);
    expect(journal().read("item", key)).toEqual([text]);
    expect(journal().read("item", other)).toEqual([]);
    expect(journal().read("another item", key)).toEqual([]);
  });

  it("moved to another item's name opens nothing: the name is authenticated", () => {
    const key = journal().newKey();
    journal().write("item", key, text);
    const sealed = readFileSync(onlyFile(), "utf8");
    journal().write("another item", key, "theirs");
    for (const name of readdirSync(join(folder, "journal"))) writeFileSync(join(folder, "journal", name), sealed);
    expect([journal().read("item", key), journal().read("another item", key)]).toEqual([[text], []]);
  });

  it("holds nothing readable, in a 0600 file, and differs each time", () => {
    const key = journal().newKey();
    journal().write("item", key, text);
    const first = readFileSync(onlyFile());
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
    expect(Buffer.from(first.toString(), "base64").includes("token")).toBe(false);
    journal().write("item", key, text);
    expect(readFileSync(onlyFile()).equals(first)).toBe(false);
  });

  it.each([
    ["a changed byte", (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)))],
    ["its end cut off", (bytes: Buffer) => bytes.subarray(0, 20)],
    ["nothing", () => Buffer.alloc(0)],
    ["rubbish", () => Buffer.from("rubbish")],
  ])("with %s is none, and harms nobody", (_, damage) => {
    const key = journal().newKey();
    journal().write("item", key, text);
    writeFileSync(onlyFile(), damage(Buffer.from(readFileSync(onlyFile(), "utf8"), "base64")).toString("base64"));
    expect(journal().read("item", key)).toEqual([]);
  });

  it("lies in the next place when the first cannot take it, and is found and removed there", () => {
    const [first, second] = [privateFiles("/proc/kubectl-oidc-none"), privateFiles(folder)];
    const key = journal().newKey();
    sealedJournal([first, second]).write("item", key, text);
    expect(sealedJournal([first, second]).read("item", key)).toEqual([text]);
    sealedJournal([first, second]).remove("item");
    expect(sealedJournal([first, second]).read("item", key)).toEqual([]);
    expect(codeOf(() => sealedJournal([first]).write("item", key, text))).toBe("STORE_UNWRITABLE");
  });

  it("is gone after its removal, which may come twice", () => {
    const key = journal().newKey();
    journal().write("item", key, text);
    journal().remove("item");
    journal().remove("item");
    expect(journal().read("item", key)).toEqual([]);
    expect(readdirSync(join(folder, "journal"))).toEqual([]);
  });
});
