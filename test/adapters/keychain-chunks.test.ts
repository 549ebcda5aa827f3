import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deleteChunked, type KeychainSlots, readChunked, writeChunked } from "../../src/adapters/keychain-chunks.ts";

/** Slots in memory that stop working after so many changes, as a process that is killed. */
function slots(items: Map<string, string>, changesLeft = Number.POSITIVE_INFINITY): KeychainSlots {
  let left = changesLeft;
  const change = () => {
    if (left-- <= 0) throw new Error("killed");
  };
  return {
    get: async (account) => items.get(account),
    async set(account, value) {
      change();
      if (Buffer.byteLength(value) > 2_560) throw new Error("too large for the platform");
      items.set(account, value);
    },
    async delete(account) {
      change();
      items.delete(account);
    },
  };
}

const values = fc.oneof(fc.string({ maxLength: 50 }), fc.string({ minLength: 2_300, maxLength: 9_000 }), fc.string({ unit: "grapheme", minLength: 900, maxLength: 3_000 }));

describe("items over the platform's limit", () => {
  it("come back whole, and leave nothing when they are deleted", async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const items = new Map<string, string>();
        await writeChunked(slots(items), "a", value, "00000001");
        expect(await readChunked(slots(items), "a")).toBe(value);
        await deleteChunked(slots(items), "a");
        expect(items.size).toBe(0);
      }),
    );
  });

  it("a crash at any step leaves the old value or the new one, and the next write cleans up", async () => {
    const large = (letter: string) => letter.repeat(7_000);
    for (const [before, after] of [
      [large("o"), large("n")],
      ["old", large("n")],
      [large("o"), "new"],
      ["old", "new"],
    ] as const) {
      for (let step = 0; step < 12; step++) {
        const items = new Map<string, string>();
        await writeChunked(slots(items), "a", before, "0000000a");
        await writeChunked(slots(items, step), "a", after, "0000000b").catch(() => undefined);
        expect([before, after]).toContain(await readChunked(slots(items), "a"));
        await writeChunked(slots(items), "a", "third", "0000000c");
        expect(await readChunked(slots(items), "a")).toBe("third");
      }
    }
  });

  it("a missing or foreign chunk is no value", async () => {
    const items = new Map<string, string>();
    await writeChunked(slots(items), "a", "x".repeat(5_000), "0000000a");
    const chunk = [...items.keys()].find((name) => name.includes("chunk")) ?? "";
    items.set(chunk, "y".repeat(2_400));
    expect(await readChunked(slots(items), "a")).toBeUndefined();
    items.delete(chunk);
    expect(await readChunked(slots(items), "a")).toBeUndefined();
  });

  it("a value that looks like the header of a split one is not taken for one", async () => {
    const items = new Map<string, string>();
    const value = `kubectl-oidc-chunks:1:0000000a:2:${"0".repeat(64)}`;
    await writeChunked(slots(items), "a", value, "0000000b");
    expect(await readChunked(slots(items), "a")).toBe(value);
  });
});
