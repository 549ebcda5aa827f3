import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diskSecretStore } from "../../src/adapters/disk-secrets.ts";
import { noSecretStore } from "../../src/adapters/no-secrets.ts";
import { privateFiles } from "../../src/adapters/private-files.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { secretStoreContract } from "../contract/secret-store.contract.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { recordingSecretStore } from "../fakes/secret-store.ts";
import { canMountHere } from "../programs.ts";

const canMount = canMountHere();
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

  it("leave nothing of a room that was given back", async () => {
    const store = disk();
    await store.write(name, "value");
    const room = await store.prepare(name);
    expect(filesLeft().length).toBe(2);
    room.giveBack();
    room.giveBack();
    expect(filesLeft().length).toBe(1);
    expect(await store.read(name)).toBe("value");
  });

  it("of another name are never handed out, even in our file", async () => {
    const collides = () => "same";
    await disk(collides).write("other", "of-other");
    expect(await disk(collides).read(name)).toBeUndefined();
  });

  it.each(["", "{", "[]", '{"name":1}', `{"name":"${name}"}`])("damaged to %j are moved aside, so that a login heals them [ST-12]", async (text) => {
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

describe.skipIf(!canMount)("on a disk that is full or read-only (needs the right to mount)", () => {
  let mounted: string;
  beforeEach(() => {
    mounted = join(folder, "mounted");
    mkdirSync(mounted, { mode: 0o700 });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", mounted]);
  });
  afterEach(() => execFileSync("umount", [mounted]));
  const store = () => diskSecretStore(privateFiles(mounted), sha256Hex);
  const fill = () => {
    const fd = openSync(join(mounted, "filler"), "w");
    try {
      for (;;) writeSync(fd, Buffer.alloc(4096));
    } catch {
      closeSync(fd);
    }
  };

  it("a write that was prepared succeeds, although the disk is full by then", async () => {
    await store().write(name, "old");
    const prepared = store();
    const room = await prepared.prepare(name);
    fill();
    await prepared.write(name, "new".repeat(10_000));
    room.giveBack();
    expect(await store().read(name)).toBe("new".repeat(10_000));
    expect(readdirSync(join(mounted, "refresh")).length).toBe(1);
  });

  it.each([
    ["full", fill],
    ["read-only", () => execFileSync("mount", ["-o", "remount,ro", mounted])],
  ])("that is %s cannot be prepared for: STORE_UNWRITABLE, and the item is as it was", async (_, spoil) => {
    await store().write(name, "old");
    spoil();
    expect(await codeOfPromise(store().prepare(name))).toBe("STORE_UNWRITABLE");
    expect(await codeOfPromise(store().write(name, "n".repeat(10_000)))).toBe("STORE_UNWRITABLE");
    expect(await store().read(name)).toBe("old");
    expect(readdirSync(join(mounted, "refresh")).length).toBe(1);
  });
});
