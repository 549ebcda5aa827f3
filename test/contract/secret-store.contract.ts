import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { SecretStore } from "../../src/ports.ts";

/** What every secret store must do, the recorder of the tests included. `make` gives a store whose content lasts. */
export function secretStoreContract(name: string, make: () => Promise<SecretStore>): void {
  const fresh = () => `https://id.example.com#client-${randomBytes(4).toString("hex")}`;

  describe(`${name} as a secret store`, () => {
    it("gives back what was written, and undefined for what was not", async () => {
      const store = await make();
      const item = fresh();
      expect(await store.read(item)).toBeUndefined();
      await store.write(item, "first");
      expect(await (await make()).read(item)).toBe("first");
      await store.remove(item);
    });

    it("replaces a value whole", async () => {
      const store = await make();
      const item = fresh();
      await store.write(item, "a long first value");
      await store.write(item, "second");
      expect(await store.read(item)).toBe("second");
      await store.remove(item);
    });

    it("keeps items apart, accounts and issuers included", async () => {
      const store = await make();
      const [one, other] = [fresh(), `${fresh()}#ann@example.com`];
      await store.write(one, "one");
      await store.write(other, "other");
      expect([await store.read(one), await store.read(other)]).toEqual(["one", "other"]);
      await store.remove(one);
      expect([await store.read(one), await store.read(other)]).toEqual([undefined, "other"]);
      await store.remove(other);
    });

    it("takes a write that was prepared, and gives back a room that was not used", async () => {
      const store = await make();
      const item = fresh();
      await store.write(item, "first");
      const room = await store.prepare(item);
      expect(await store.read(item)).toBe("first");
      await store.write(item, "second");
      room.giveBack();
      (await store.prepare(item)).giveBack();
      await store.write(item, "third");
      expect(await store.read(item)).toBe("third");
      await store.remove(item);
    });

    it("removing what is not there is no error", async () => {
      const store = await make();
      await store.remove(fresh());
    });

    it.each([
      ["text of other scripts and line breaks", 'zwölf "日本" \n\r\n\t end '],
      ["what an item with a large answer pending holds", JSON.stringify({ body: "x".repeat(40_000) })],
    ])("keeps %s byte for byte", async (_, value) => {
      const store = await make();
      const item = fresh();
      await store.write(item, value);
      expect(await store.read(item)).toBe(value);
      await store.remove(item);
    });

    it("keeps what several write at the same time", async () => {
      const store = await make();
      const items = [fresh(), fresh(), fresh()];
      await Promise.all(items.map((item) => store.write(item, `value of ${item}`)));
      expect(await Promise.all(items.map((item) => store.read(item)))).toEqual(items.map((item) => `value of ${item}`));
      for (const item of items) await store.remove(item);
    });

    it("says what it is, for people and for the session's record", async () => {
      const store = await make();
      expect(store.keeps).toBe(true);
      expect(store.kind).toMatch(/^(keyring|disk|helper:[a-z0-9-]+)$/);
      expect(store.describe()).not.toBe("");
    });

    it("passes its own probe, several at the same time too", async () => {
      const store = await make();
      await Promise.all([store.probe(), store.probe(), (await make()).probe()]);
    });
  });
}
