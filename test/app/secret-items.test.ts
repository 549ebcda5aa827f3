import { beforeEach, describe, expect, it } from "vitest";
import { secretItems } from "../../src/app/secret-items.ts";
import type { PendingAnswer, SecretItem } from "../../src/core/session.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { journalIn } from "../fakes/sealed-journal.ts";
import { type RecordingSecretStore, recordingSecretStore } from "../fakes/secret-store.ts";

const name = "https://id.example.com#k";
const item: SecretItem = { schema: 1, refreshToken: "old", trust: { insecure: false, authorities: [] }, servers: [], sealKey: "key" };
const answerAfter = (spent: string, refreshToken: string): PendingAnswer => ({ refreshToken, body: "{}", receivedAt: "2026-01-01T00:00:00Z", spent: sha256Hex(spent) });

let secrets: RecordingSecretStore;
let files: Map<string, string>;
const items = () => secretItems(secrets.store, journalIn(files));
const failWrites = (fault?: OidcError) => Object.assign(secrets.faults, { write: fault });

beforeEach(async () => {
  secrets = recordingSecretStore();
  files = new Map();
  await items().write(name, item);
});

describe("an answer that the store does not take", () => {
  it("rests in the journal, is told, and is what the next read finds", async () => {
    failWrites(new OidcError("KEYCHAIN_LOCKED", {}));
    expect((await items().write(name, { ...item, pending: answerAfter("old", "new") }))?.code).toBe("KEYCHAIN_LOCKED");
    failWrites();
    expect(await items().read(name)).toEqual({ ...item, pending: answerAfter("old", "new") });
  });

  it("is found again when the store forgot it afterwards: a keychain that crashed, a helper that was late", async () => {
    await items().write(name, { ...item, pending: answerAfter("old", "new") });
    await items().write(name, { ...item, refreshToken: "new" });
    expect((await items().read(name))?.pending).toBeUndefined();
    secrets.items.set(name, JSON.stringify(item));
    expect((await items().read(name))?.pending?.refreshToken).toBe("new");
  });

  it.each<[string, SecretItem]>([
    ["was taken back (a login that was refused)", item],
    ["belongs to a session that is gone", { ...item, refreshToken: undefined } as unknown as SecretItem],
  ])("that %s leaves the journal, and never comes back", async (_, next) => {
    await items().write(name, { ...item, pending: answerAfter("old", "new") });
    await items().write(name, next);
    expect(files.size).toBe(0);
    expect((await items().read(name))?.pending).toBeUndefined();
  });

  it("and the next, and the next after that, form a chain: a store that takes no write for long loses nothing", async () => {
    failWrites(new OidcError("KEYCHAIN_LOCKED", {}));
    for (const [spent, next] of [
      ["old", "second"],
      ["second", "third"],
      ["third", "fourth"],
    ] as const) {
      const read = await items().read(name);
      expect(read?.pending?.refreshToken ?? read?.refreshToken).toBe(spent);
      await items().write(name, { ...(read ?? item), pending: answerAfter(spent, next) });
    }
    expect((await items().read(name))?.pending).toEqual(answerAfter("third", "fourth"));
    failWrites();
    await items().write(name, { ...item, refreshToken: "fourth" });
    expect((await items().read(name))?.pending).toBeUndefined();
  });

  it("finds room in the journal when the store has none, and is not asked for when neither has", async () => {
    Object.assign(secrets.faults, { prepare: new OidcError("STORE_UNWRITABLE", {}) });
    (await items().prepare(name, item)).giveBack();
    const full = secretItems(secrets.store, { ...journalIn(files), hasRoom: () => false });
    expect(await codeOfPromise(full.prepare(name, item))).toBe("STORE_UNWRITABLE");
    expect(await codeOfPromise(items().prepare(name, { ...item, sealKey: undefined } as unknown as SecretItem))).toBe("STORE_UNWRITABLE");
  });

  it("is kept by a file of ours without a journal, unless that fails", async () => {
    Object.assign(secrets.store, { kind: "disk" });
    await items().write(name, { ...item, pending: answerAfter("old", "new") });
    expect(files.size).toBe(0);
    failWrites(new OidcError("STORE_UNWRITABLE", {}));
    expect((await items().write(name, { ...item, pending: answerAfter("old", "new") }))?.code).toBe("STORE_UNWRITABLE");
    expect(files.size).toBe(1);
  });

  it("and that was left there by a kill, after the store took a newer one, is passed over: a spent token is never sent again", async () => {
    failWrites(new OidcError("KEYCHAIN_LOCKED", {}));
    await items().write(name, { ...item, pending: answerAfter("old", "new") });
    failWrites();
    const left = new Map(files);
    await items().write(name, { ...item, refreshToken: "newer" });
    files = left;
    expect((await items().read(name))?.pending).toBeUndefined();
  });

  it("after an answer that is pending already follows on that one", async () => {
    const first = { ...item, pending: answerAfter("old", "second") };
    await items().write(name, first);
    failWrites(new OidcError("KEYCHAIN_TIMED_OUT", {}));
    await items().write(name, { ...first, pending: answerAfter("second", "third") });
    failWrites();
    expect((await items().read(name))?.pending?.refreshToken).toBe("third");
  });

  it.each([
    ["no key lies in the item", { ...item, sealKey: undefined, pending: answerAfter("old", "new") }],
    ["nothing is pending", item],
    ["the journal fails too", { ...item, pending: answerAfter("old", "new") }],
  ])("is the store's fault when %s", async (_, written) => {
    failWrites(new OidcError("KEYCHAIN_LOCKED", {}));
    const broken = secretItems(secrets.store, {
      ...journalIn(files),
      write: () => {
        throw new OidcError("STORE_UNWRITABLE", {});
      },
    });
    expect(await codeOfPromise(broken.write(name, written as SecretItem))).toBe("KEYCHAIN_LOCKED");
    expect(files.size).toBe(0);
  });

  it("is gone with the item", async () => {
    failWrites(new OidcError("KEYCHAIN_LOCKED", {}));
    await items().write(name, { ...item, pending: answerAfter("old", "new") });
    await items().remove(name);
    expect(files.size).toBe(0);
  });
});
