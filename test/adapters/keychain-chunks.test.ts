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
/** A write (or, without a value, a removal) that is killed after so many changes. */
const killed = fc.record({ value: fc.option(values, { nil: undefined }), changes: fc.nat({ max: 12 }) });

const change = (of: KeychainSlots, value: string | undefined) => (value === undefined ? deleteChunked(of, "a") : writeChunked(of, "a", value));

/** Counts the changes that an action makes. */
function counting(of: KeychainSlots): { readonly slots: KeychainSlots; changes(): number } {
  let count = 0;
  return {
    changes: () => count,
    slots: {
      get: of.get,
      set: (account, value) => of.set(account, value).finally(() => count++),
      delete: (account) => of.delete(account).finally(() => count++),
    },
  };
}

describe("items over the platform's limit", () => {
  it("come back whole, and leave nothing when they are deleted [ST-21]", async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const items = new Map<string, string>();
        await writeChunked(slots(items), "a", value);
        expect(await readChunked(slots(items), "a")).toBe(value);
        await deleteChunked(slots(items), "a");
        expect(items.size).toBe(0);
      }),
    );
  });

  it("a crash at any step leaves the old value or the new one [ST-21]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.option(values, { nil: undefined }), fc.option(values, { nil: undefined }), async (before, after) => {
        const start = new Map<string, string>();
        await change(slots(start), before);
        const whole = counting(slots(new Map(start)));
        await change(whole.slots, after);
        for (let step = 0; step <= whole.changes(); step++) {
          const items = new Map(start);
          await change(slots(items, step), after).catch(() => undefined);
          expect([before, after]).toContain(await readChunked(slots(items), "a"));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("what killed writes and removals left is gone after the next one that ends", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(killed, { minLength: 1, maxLength: 5 }), fc.option(values, { nil: undefined }), async (crashes, last) => {
        const items = new Map<string, string>();
        for (const { value, changes } of crashes) {
          const before = await readChunked(slots(items), "a");
          await change(slots(items, changes), value).catch(() => undefined);
          expect([before, value]).toContain(await readChunked(slots(items), "a"));
        }
        await change(slots(items), last);
        expect(await readChunked(slots(items), "a")).toBe(last);
        const named = Number(/^kubectl-oidc-chunks:1:\d+:(\d+):/.exec(items.get("a") ?? "")?.[1] ?? 0);
        expect(items.size).toBe(last === undefined ? 0 : named + 1);
      }),
    );
  });

  it("a reader that meets a writer gets the old value or the new one, never none", async () => {
    const [before, after] = ["o".repeat(7_000), "n".repeat(7_000)];
    const items = new Map<string, string>();
    await writeChunked(slots(items), "a", before);
    for (let at = 1; at <= 5; at++) {
      let gets = 0;
      const interrupted: KeychainSlots = {
        ...slots(items),
        async get(account) {
          if (++gets === at) await writeChunked(slots(items), "a", (await readChunked(slots(items), "a")) === before ? after : before);
          return items.get(account);
        },
      };
      expect([before, after]).toContain(await readChunked(interrupted, "a"));
    }
  });

  it("a missing or foreign chunk is no value", async () => {
    const items = new Map<string, string>();
    await writeChunked(slots(items), "a", "x".repeat(5_000));
    const chunk = [...items.keys()].find((name) => name.includes("chunk")) ?? "";
    items.set(chunk, "y".repeat(2_400));
    expect(await readChunked(slots(items), "a")).toBeUndefined();
    items.delete(chunk);
    expect(await readChunked(slots(items), "a")).toBeUndefined();
  });

  it("a value that looks like the header of a split one is not taken for one", async () => {
    const items = new Map<string, string>();
    const value = `kubectl-oidc-chunks:1:1:2:${"0".repeat(64)}`;
    await writeChunked(slots(items), "a", value);
    expect(await readChunked(slots(items), "a")).toBe(value);
  });

  it("a value that would need more chunks than the header can name is refused before anything is written", async () => {
    const items = new Map<string, string>();
    await expect(writeChunked(slots(items), "a", "x".repeat(2_400 * 1_000))).rejects.toThrow("too large");
    expect(items.size).toBe(0);
  });

  it("items of two accounts do not touch", async () => {
    const items = new Map<string, string>();
    await writeChunked(slots(items), "a", "x".repeat(5_000));
    await writeChunked(slots(items), "b", "y".repeat(5_000));
    await deleteChunked(slots(items), "a");
    expect(await readChunked(slots(items), "b")).toBe("y".repeat(5_000));
  });
});
