import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kernelLocks, type LockOptions } from "../../src/adapters/kernel-locks.ts";
import { openLockFile } from "../../src/adapters/lock-file.ts";
import { codeOf } from "../fakes/codes.ts";

const never = new AbortController().signal;
const user = process.geteuid?.() ?? 0;

let base: string;
let store: string;
let temporaryFolder: string;
let runtimeFolder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "kubectl-oidc-places-"));
  store = join(base, "store");
  temporaryFolder = join(base, "tmp");
  runtimeFolder = join(base, "run");
  mkdirSync(temporaryFolder, { mode: 0o777 });
  mkdirSync(runtimeFolder, { mode: 0o700 });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** The disk of these folders says this; other places are as they are. */
function broken(code: string, ...where: readonly string[]): Pick<LockOptions, "openFile"> {
  return {
    openFile(place, path) {
      if (where.includes(place[0])) throw Object.assign(new Error(code), { code });
      return openLockFile(place, path);
    },
  };
}

const filesUnder = (folder: string) => readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

describe("a store that cannot hold a lock file", () => {
  it.each(["EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT", "ENOENT", "ENOTDIR"])(
    "(%s) has its locks in the runtime folder, where parallel calls are joined and a waiter is woken",
    async (code) => {
      const options = { ...broken(code, store), runtimeFolder, temporaryFolder };
      const [one, two] = await Promise.all([kernelLocks(store, options), kernelLocks(store, options)]);
      const held = one.tryTake("refresh-a");
      expect(held).toBeDefined();
      expect(two.tryTake("refresh-a")).toBeUndefined();
      const told: unknown[] = [];
      const waiting = two.take("refresh-a", 5_000, never, { onWait: (by) => told.push(by) });
      held?.release();
      expect(await waiting).toBeDefined();
      expect(told).toEqual([{ pid: process.pid, since: expect.any(Number) }]);
      expect(filesUnder(runtimeFolder)).toEqual([
        "kubectl-oidc",
        expect.stringMatching(/^kubectl-oidc\/locks-[0-9a-f]{16}$/),
        expect.stringMatching(/^kubectl-oidc\/locks-[0-9a-f]{16}\/refresh-a$/),
      ]);
      expect(filesUnder(temporaryFolder)).toEqual([]);
      for (const name of filesUnder(runtimeFolder)) expect(statSync(join(runtimeFolder, name)).mode & 0o077).toBe(0);
    },
  );

  it.each<[string, () => string | undefined]>([
    ["unset", () => undefined],
    ["empty", () => ""],
    ["not absolute", () => "run"],
    ["absent", () => join(base, "absent")],
    ["a link", () => join(base, "link")],
    ["open to others", () => join(base, "open")],
  ])("has them in the temporary folder when the runtime folder is %s", async (_, folder) => {
    symlinkSync(runtimeFolder, join(base, "link"));
    mkdirSync(join(base, "open"));
    chmodSync(join(base, "open"), 0o777);
    const locks = await kernelLocks(store, { ...broken("EROFS", store), runtimeFolder: folder(), temporaryFolder });
    expect(locks.tryTake("refresh-a")).toBeDefined();
    expect(readdirSync(temporaryFolder)).toEqual([`kubectl-oidc-${user}`]);
    expect(existsSync(join(base, "absent"))).toBe(false);
    expect([...readdirSync(runtimeFolder), ...readdirSync(join(base, "open"))]).toEqual([]);
  });

  it("has them in the temporary folder when the runtime folder cannot hold them either", async () => {
    const options = { ...broken("EDQUOT", store, join(runtimeFolder, "kubectl-oidc")), runtimeFolder, temporaryFolder };
    expect((await kernelLocks(store, options)).tryTake("refresh-a")).toBeDefined();
    expect(readdirSync(temporaryFolder)).toEqual([`kubectl-oidc-${user}`]);
  });

  it("does not share them with another store", async () => {
    const one = await kernelLocks(store, { ...broken("EROFS", store), temporaryFolder });
    const other = await kernelLocks(join(base, "other"), { ...broken("EROFS", join(base, "other")), temporaryFolder });
    expect(one.tryTake("refresh-a")).toBeDefined();
    expect(other.tryTake("refresh-a")).toBeDefined();
  });

  it.each(["/proc/kubectl-oidc", "/dev/null/kubectl-oidc"])("may be one that nobody can make: %s", async (nowhere) => {
    const locks = await kernelLocks(nowhere, { temporaryFolder });
    const held = locks.tryTake("refresh-a");
    expect(held).toBeDefined();
    expect(locks.tryTake("refresh-a")).toBeUndefined();
  });

  it.each<[string, (planted: string) => void]>([
    ["a link", (planted) => symlinkSync(base, planted)],
    ["a file", (planted) => writeFileSync(planted, "")],
    [
      "open to others",
      (planted) => {
        mkdirSync(planted);
        chmodSync(planted, 0o777);
      },
    ],
  ])("is STORE_UNSAFE when its place in the temporary folder is %s, which somebody else may have put there", async (_, plant) => {
    plant(join(temporaryFolder, `kubectl-oidc-${user}`));
    const locks = await kernelLocks(store, { ...broken("EROFS", store), temporaryFolder });
    expect(codeOf(() => locks.tryTake("refresh-a"))).toBe("STORE_UNSAFE");
  });

  const asRoot = user === 0;
  it.skipIf(!asRoot)(`is STORE_UNSAFE when somebody else made that place${asRoot ? "" : " (skipped: root only)"}`, async () => {
    const planted = join(temporaryFolder, `kubectl-oidc-${user}`);
    mkdirSync(planted, { mode: 0o700 });
    chownSync(planted, 65_534, 65_534);
    const locks = await kernelLocks(store, { ...broken("EROFS", store), temporaryFolder });
    expect(codeOf(() => locks.tryTake("refresh-a"))).toBe("STORE_UNSAFE");
  });

  it("is STORE_UNWRITABLE, naming the store, when no other place can hold them", async () => {
    const locks = await kernelLocks(store, { ...broken("EROFS", store), temporaryFolder: "/proc/nowhere" });
    expect(codeOf(() => locks.tryTake("refresh-a"))).toBe("STORE_UNWRITABLE");
    expect(() => locks.tryTake("refresh-a")).toThrow(`${store}/locks/refresh-a cannot be opened`);
  });

  it("has no locks elsewhere for any other fault of the disk", async () => {
    const locks = await kernelLocks(store, { ...broken("EIO", store), temporaryFolder });
    expect(codeOf(() => locks.tryTake("refresh-a"))).toBe("STORE_UNWRITABLE");
    expect(readdirSync(temporaryFolder)).toEqual([]);
  });
});

it.skipIf(user !== 0)("a lock file that somebody else left is STORE_UNSAFE, not a reason to lock elsewhere", async () => {
  const locks = await kernelLocks(store, { temporaryFolder });
  locks.tryTake("refresh-a")?.release();
  chownSync(join(store, "locks", "refresh-a"), 65_534, 65_534);
  expect(codeOf(() => locks.tryTake("refresh-a"))).toBe("STORE_UNSAFE");
  expect(readdirSync(temporaryFolder)).toEqual([]);
});
