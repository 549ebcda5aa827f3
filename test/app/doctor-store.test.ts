import { expect, it } from "vitest";
import { checkStore } from "../../src/app/doctor-store.ts";
import type { Run } from "../../src/app/world.ts";
import type { LockWait } from "../../src/ports.ts";

/** A session whose record says that the store holds its refresh token. */
function patient({ item = "x", holder }: { readonly item?: string | undefined; readonly holder?: number } = {}): Run {
  const world = {
    store: { keeps: true, describe: () => "the OS keychain", probe: async () => undefined, read: async () => item },
    files: { folder: "/store", list: () => [], read: () => undefined, reserve: () => ({ drop: () => undefined }) },
    locks: async () => ({
      take: async (_name: string, _wait: number, _signal: AbortSignal, { onWait }: LockWait) => {
        if (holder === undefined) return { release: () => undefined };
        onWait?.({ pid: holder, since: 0 });
        return undefined;
      },
    }),
  };
  return { world, session: { key: "k", itemName: "i", identity: {}, record: { hasRefreshToken: true } }, signal: new AbortController().signal } as unknown as Run;
}

it("a store that holds what the record says is well, and says how much that is", async () => {
  expect(await checkStore(patient())).toEqual({ status: "ok", detail: "the OS keychain, which holds the refresh token (1 bytes)" });
  expect((await checkStore(patient({ item: "x".repeat(3_000) }))).detail).toContain("(3000 bytes; in several items on Windows)");
});

it("a refresh token that is not where the record says is a warning, and a login the cure", async () => {
  const run = patient();
  Object.assign(run.world.store, { read: async () => undefined });
  expect(await checkStore(run)).toMatchObject({
    status: "warn",
    detail: "the record says that the OS keychain holds the refresh token, and it is not there",
    cure: "run: kubectl oidc login",
  });
});

it("a refresh lock that somebody holds is named with who does", async () => {
  expect(await checkStore(patient({ holder: 4711 }))).toMatchObject({
    status: "warn",
    detail: "process 4711 holds the session's refresh lock",
    cure: "wait for it; if it stays, end that process",
  });
});
