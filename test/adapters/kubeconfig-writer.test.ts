import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyChanges, backupOf } from "../../src/adapters/kubeconfig-writer.ts";
import { thisProcess } from "../../src/adapters/lock-owner.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-writer-"));
  file = join(folder, "config");
  writeFileSync(file, "before", { mode: 0o640 });
  chmodSync(file, 0o640);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const noPause = () => Promise.resolve();
const change = (more: object = {}) => ({ file, before: "before", after: "after", ...more });

describe("writing a kubeconfig", () => {
  it("keeps its mode, keeps the former text beside it, and leaves no lock", async () => {
    await applyChanges([change({ backup: "before" })], noPause);
    expect(readFileSync(file, "utf8")).toBe("after");
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readFileSync(backupOf(file), "utf8")).toBe("before");
    expect(readdirSync(folder).sort()).toEqual(["config", "config.before-kubectl-oidc"]);
  });

  it.skipIf(process.geteuid?.() !== 0)("keeps its owner, when root writes it", async () => {
    const { chownSync } = await import("node:fs");
    chownSync(file, 1234, 4321);
    await applyChanges([change({ backup: "before" })], noPause);
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 4321 });
    expect(statSync(backupOf(file))).toMatchObject({ uid: 1234, gid: 4321 });
  });

  it("goes through a link to where the file lies", async () => {
    mkdirSync(join(folder, "dotfiles"));
    const target = join(folder, "dotfiles", "kube");
    writeFileSync(target, "before");
    const link = join(folder, "link");
    symlinkSync(target, link);
    await applyChanges([{ file: link, before: "before", after: "after", backup: "before" }], noPause);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe("after");
    expect(existsSync(`${target}.before-kubectl-oidc`)).toBe(true);
  });

  it.skipIf(process.platform !== "linux")("that fails at one file leaves the others, and the copies, as they were", async () => {
    // As a file that is mounted by itself: nothing can be made beside it.
    const fixed = join(folder, "fixed");
    symlinkSync("/proc/self/comm", fixed);
    const failing = { file: fixed, before: readFileSync(fixed, "utf8"), after: "x" };
    await expect(applyChanges([change({ backup: "before" }), failing], noPause)).rejects.toMatchObject({ code: "KUBECONFIG_UNWRITABLE" });
    expect(readFileSync(file, "utf8")).toBe("before");
    expect(readdirSync(folder).sort()).toEqual(["config", "fixed"]);
    writeFileSync(backupOf(file), "kept earlier");
    await expect(applyChanges([change({ backup: "kept now" }), failing], noPause)).rejects.toMatchObject({ code: "KUBECONFIG_UNWRITABLE" });
    await expect(applyChanges([change({ after: "before", backup: null }), failing], noPause)).rejects.toMatchObject({ code: "KUBECONFIG_UNWRITABLE" });
    expect(readFileSync(backupOf(file), "utf8")).toBe("kept earlier");
  });

  it("that changed since the plan was made writes nothing, of no file", async () => {
    const other = join(folder, "other");
    writeFileSync(other, "changed");
    await expect(applyChanges([change(), { file: other, before: "as planned", after: "x" }], noPause)).rejects.toMatchObject({
      code: "KUBECONFIG_UNWRITABLE",
      reason: expect.stringContaining("has changed"),
    });
    expect(readFileSync(file, "utf8")).toBe("before");
    expect(readdirSync(folder).sort()).toEqual(["config", "other"]);
  });

  it("waits for kubectl config to let go of it, and in the end says who must", async () => {
    writeFileSync(`${file}.lock`, "");
    let waits = 0;
    await applyChanges([change()], async () => {
      if (++waits === 3) rmSync(`${file}.lock`);
    });
    expect(readFileSync(file, "utf8")).toBe("after");
    writeFileSync(`${file}.lock`, "");
    await expect(applyChanges([{ file, before: "after", after: "x" }], noPause)).rejects.toMatchObject({
      code: "KUBECONFIG_UNWRITABLE",
      hint: expect.stringContaining(`rm ${file}.lock`),
    });
    // Somebody else's.
    expect(existsSync(`${file}.lock`)).toBe(true);
  });

  it("takes the lock of a killed process of ours; that of one that lives, or that it cannot read, stays", async () => {
    const owner = thisProcess();
    // Numbers of processes end below this one (proc(5), pid_max).
    writeFileSync(`${file}.lock`, `kubectl-oidc ${JSON.stringify({ ...owner, pid: 2 ** 30 })}`);
    await applyChanges([change()], noPause);
    expect(readFileSync(file, "utf8")).toBe("after");
    expect(readdirSync(folder)).toEqual(["config"]);
    for (const text of [
      `kubectl-oidc ${JSON.stringify(owner)}`,
      `kubectl-oidc ${JSON.stringify({ ...owner, pid: 2 ** 30, boot: "0".repeat(32) })}`,
      "kubectl-oidc {",
      "someone else",
    ]) {
      writeFileSync(`${file}.lock`, text);
      await expect(applyChanges([change({ before: "after", after: "more" })], noPause)).rejects.toMatchObject({ code: "KUBECONFIG_UNWRITABLE" });
      expect(readFileSync(`${file}.lock`, "utf8")).toBe(text);
    }
    expect(readFileSync(file, "utf8")).toBe("after");
  });

  it("removes no other program's temporary file from that folder, however old", async () => {
    const theirs = join(folder, "something.tmp");
    writeFileSync(theirs, "");
    utimesSync(theirs, 1, 1);
    await applyChanges([change()], noPause);
    expect(existsSync(theirs)).toBe(true);
  });

  it("takes the kept text away when it was put back", async () => {
    writeFileSync(backupOf(file), "before");
    await applyChanges([change({ after: "before", before: "before", backup: null })], noPause);
    expect(existsSync(backupOf(file))).toBe(false);
  });

  it("into a folder where nothing may be written is a named error", async () => {
    await expect(applyChanges([{ file: "/proc/config", before: undefined, after: "x" }], noPause)).rejects.toMatchObject({ code: "KUBECONFIG_UNWRITABLE" });
  });
});
