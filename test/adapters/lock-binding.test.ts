import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as packaged from "fs-native-extensions";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type KernelBinding, lockBinding } from "../../src/adapters/lock-binding.ts";

let folder: string;
const open: number[] = [];
const file = () => {
  const fd = openSync(join(folder, "lock"), "w+");
  open.push(fd);
  return fd;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-binding-"));
});
afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** What the same steps come to: of two descriptors of one file, and of one that is none. */
function steps(binding: KernelBinding): readonly unknown[] {
  const [first, second] = [file(), file()];
  const said = [binding.tryLock(first), binding.tryLock(second)];
  binding.unlock(first);
  said.push(binding.tryLock(second), binding.tryLock(first));
  binding.unlock(second);
  const fault = (action: () => unknown) => {
    try {
      return action();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  };
  return [...said, fault(() => binding.tryLock(9_999)), fault(() => binding.unlock(9_999))];
}

describe("the addon of the locks, loaded by its path", () => {
  it("does what its package does: a busy lock is false, other faults have the kernel's codes", async () => {
    const ours = steps(await lockBinding());
    expect(ours.slice(0, 4)).toEqual([true, false, true, false]);
    expect(ours).toEqual(steps({ tryLock: (fd) => packaged.tryLock(fd), unlock: (fd) => packaged.unlock(fd) }));
    expect(ours[4]).toBe("EBADF");
  });
});
