import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diskSecretStore } from "../../src/adapters/disk-secrets.ts";
import { noSecretStore } from "../../src/adapters/no-secrets.ts";
import { privateFiles } from "../../src/adapters/private-files.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { secretStoreContract } from "../contract/secret-store.contract.ts";
import { recordingSecretStore } from "../fakes/secret-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-disk-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const disk = (hash = sha256Hex) => diskSecretStore(privateFiles(folder), hash);
const filesLeft = () => readdirSync(join(folder, "refresh"));
const name = "https://id.example.com#k#ann@example.com";

secretStoreContract("a 0600 file", async () => disk());
const recorder = recordingSecretStore();
secretStoreContract("the recorder of the tests", async () => recorder.store);

describe("refresh tokens on disk", () => {
  it("are one 0600 file each, which tells nothing by its name", async () => {
    await disk().write(name, "value");
    expect(filesLeft()).toEqual([`${sha256Hex(name)}.json`]);
    expect(statSync(join(folder, "refresh", `${sha256Hex(name)}.json`)).mode & 0o777).toBe(0o600);
  });

  it("leave nothing after a removal or a probe", async () => {
    await disk().write(name, "value");
    await disk().remove(name);
    await disk().probe();
    expect(filesLeft()).toEqual([]);
  });

  it("of another name are never handed out, even in our file", async () => {
    const collides = () => "same";
    await disk(collides).write("other", "of-other");
    expect(await disk(collides).read(name)).toBeUndefined();
  });

  it.each(["", "{", "[]", '{"name":1}', `{"name":"${name}"}`])("damaged to %j are moved aside, so that a login heals them", async (text) => {
    await disk().write(name, "value");
    writeFileSync(join(folder, "refresh", `${sha256Hex(name)}.json`), text);
    expect(await disk().read(name)).toBeUndefined();
    expect(filesLeft()).toEqual([`${sha256Hex(name)}.json.corrupt`]);
    await disk().write(name, "new");
    expect(await disk().read(name)).toBe("new");
  });
});

it("no store keeps nothing and fails at nothing", async () => {
  const store = noSecretStore();
  expect(store.keeps).toBe(false);
  await store.write("a", "b");
  expect(await store.read("a")).toBeUndefined();
  await store.remove("a");
  await store.probe();
});
