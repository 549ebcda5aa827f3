import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diskSecretStore } from "../../src/adapters/disk-secrets.ts";
import { noSecretStore } from "../../src/adapters/no-secrets.ts";
import { privateFiles } from "../../src/adapters/private-files.ts";
import { sessionFiles } from "../../src/adapters/session-files.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { secretStoreContract } from "../contract/secret-store.contract.ts";
import { codeOf } from "../fakes/codes.ts";
import { recordingSecretStore } from "../fakes/secret-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = () => privateFiles(join(folder, "deep", "store"));
const pathOf = (name: string) => join(folder, "deep", "store", name);

function replace(path: string, make: () => void): void {
  rmSync(path);
  make();
}

describe("private files", () => {
  it("are 0600 in 0700, whatever the umask, and give back what was written", () => {
    const before = process.umask(0o777);
    try {
      files().write("sessions/a.json", "text");
    } finally {
      process.umask(before);
    }
    expect(files().read("sessions/a.json")).toBe("text");
    expect(statSync(pathOf("sessions/a.json")).mode & 0o777).toBe(0o600);
  });

  it("absent ones are undefined, removing them is no error, listing a missing folder is empty", () => {
    expect(files().read("sessions/none.json")).toBeUndefined();
    files().remove("sessions/none.json");
    expect(files().list("sessions")).toEqual([]);
  });

  it("leave no temporary file behind, and clear away old ones of killed processes", () => {
    files().write("sessions/a.json", "1");
    const orphan = pathOf("sessions/a.json.1.abc.tmp");
    writeFileSync(orphan, "half");
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(orphan, longAgo, longAgo);
    files().write("sessions/a.json", "2");
    expect(readdirSync(pathOf("sessions"))).toEqual(["a.json"]);
    expect(files().list("sessions")).toEqual(["a.json"]);
  });

  it.each<[string, (path: string) => void, string]>([
    ["that others can read", (path) => chmodSync(path, 0o644), "STORE_UNSAFE"],
    ["with a second name", (path) => linkSync(path, `${path}.second`), "STORE_UNSAFE"],
    ["that is too large", (path) => writeFileSync(path, "x".repeat(1_048_577)), "STORE_UNREADABLE"],
    ["that is a folder", (path) => replace(path, () => mkdirSync(path)), "STORE_UNSAFE"],
    ["that is a link", (path) => replace(path, () => symlinkSync("/etc/hostname", path)), "STORE_UNSAFE"],
  ])("a file %s is refused by name", (_, spoil, code) => {
    files().write("sessions/a.json", "text");
    spoil(pathOf("sessions/a.json"));
    expect(codeOf(() => files().read("sessions/a.json"))).toBe(code);
    expect(() => files().read("sessions/a.json")).toThrow("a.json");
  });

  it("a folder that others may write, or that is a link, is refused", () => {
    files().write("sessions/a.json", "text");
    chmodSync(pathOf("sessions"), 0o777);
    expect(codeOf(() => files().write("sessions/b.json", "text"))).toBe("STORE_UNSAFE");
    symlinkSync(folder, join(folder, "link"));
    expect(codeOf(() => privateFiles(join(folder, "link")).write("a/b", "text"))).toBe("STORE_UNSAFE");
  });

  it("a folder that cannot be made is STORE_UNWRITABLE, at once", () => {
    expect(codeOf(() => privateFiles("/proc/nowhere").write("a/b", "text"))).toBe("STORE_UNWRITABLE");
    expect(codeOf(() => privateFiles("/dev/null/x").write("a/b", "text"))).toBe("STORE_UNWRITABLE");
  });

  it("writing replaces a link instead of following it", () => {
    files().write("sessions/a.json", "text");
    const victim = join(folder, "victim");
    writeFileSync(victim, "precious");
    rmSync(pathOf("sessions/a.json"));
    symlinkSync(victim, pathOf("sessions/a.json"));
    files().write("sessions/a.json", "new");
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(lstatSync(pathOf("sessions/a.json")).isSymbolicLink()).toBe(false);
  });
});

describe("session records", () => {
  const record = {
    schema: 1 as const,
    key: "a".repeat(64),
    identity: { issuer: "https://id.example.com", clientId: "k", scopes: [], grant: "person", extraParams: [], storage: "disk" },
    itemName: "x",
    hasRefreshToken: true,
    loggedInAt: "2026-01-01T00:00:00Z",
  };
  it("come back as they were written", () => {
    const store = sessionFiles(files());
    store.write(record);
    expect(store.list()).toEqual([record]);
    store.remove(record.key);
    expect(store.list()).toEqual([]);
  });
  it("a damaged one is moved aside, so that a login heals it", () => {
    sessionFiles(files()).write(record);
    writeFileSync(pathOf(`sessions/${record.key}.json`), '{"schema":1,', { mode: 0o600 });
    expect(sessionFiles(files()).read(record.key)).toBeUndefined();
    expect(existsSync(pathOf(`sessions/${record.key}.json.corrupt`))).toBe(true);
  });
  it("one of a newer program is refused and stays", () => {
    files().write(`sessions/${record.key}.json`, JSON.stringify({ ...record, schema: 2 }));
    expect(codeOf(() => sessionFiles(files()).read(record.key))).toBe("STORE_UNREADABLE");
    expect(existsSync(pathOf(`sessions/${record.key}.json`))).toBe(true);
  });
});

secretStoreContract("a 0600 file", async () => diskSecretStore(files(), sha256Hex));
const recorder = recordingSecretStore();
secretStoreContract("the recorder of the tests", async () => recorder.store);

it("no store keeps nothing and fails at nothing", async () => {
  const store = noSecretStore();
  await store.write("a", "b");
  expect(await store.read("a")).toBeUndefined();
  await store.remove("a");
  await store.probe();
});
