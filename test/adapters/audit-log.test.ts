import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAuditFiles } from "../../src/adapters/audit-files.ts";
import { auditLog } from "../../src/adapters/audit-log.ts";
import { parentName } from "../../src/adapters/parent-name.ts";

let outer: string;
beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), "kubectl-oidc-audit-"));
});
afterEach(() => rmSync(outer, { recursive: true, force: true }));

const event = { session: "0123456789abcdef", issuer: "https://id.example.com", clientId: "k", grant: "person", event: "logout", revoked: false } as const;
const warnings: string[] = [];
const logIn = (folder: string) => {
  warnings.length = 0;
  return auditLog({ folder, parent: process.ppid, platform: process.platform, version: "1.2.3", now: () => 1_800_000_000_500, warn: (text) => void warnings.push(text) });
};

describe("the audit log", () => {
  it("adds who wrote it down, when, and for whom", async () => {
    const folder = join(outer, "audit");
    await logIn(folder).record(event);
    expect(warnings).toEqual([]);
    expect(readAuditFiles(folder).entries).toEqual([
      {
        schema: 1,
        time: "2027-01-15T08:00:00Z",
        ...event,
        pid: process.pid,
        parent: { pid: process.ppid, ...(process.platform === "linux" ? { name: readFileSync(`/proc/${process.ppid}/comm`, "utf8").trim() } : {}) },
        user: userInfo().username,
        ...(process.geteuid === undefined ? {} : { uid: process.geteuid() }),
        host: hostname(),
        version: "1.2.3",
      },
    ]);
  });

  it("ids of logins are 64 random bits", () => {
    const log = logIn(outer);
    expect(log.newLoginId()).toMatch(/^[0-9a-f]{16}$/);
    expect(log.newLoginId()).not.toBe(log.newLoginId());
  });

  it.each([
    ["STORE_UNSAFE", (folder: string) => symlinkSync(outer, folder)],
    ["STORE_UNWRITABLE", (folder: string) => writeFileSync(folder, "")],
  ])("%s is a warning with its code, and never an error", async (code, plant) => {
    const folder = join(outer, "data", "audit");
    mkdirSync(join(outer, "data"), { mode: 0o700 });
    plant(code === "STORE_UNSAFE" ? folder : join(outer, "data", "file"));
    await logIn(code === "STORE_UNSAFE" ? folder : "/proc/nowhere/audit").record(event);
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^the audit log could not be written: .*\\[${code}\\]; .`))]);
  });
});

describe("the parent's name", () => {
  it.skipIf(process.platform !== "linux")("is the kernel's on Linux; none for a process that is not there", async () => {
    expect(await parentName(process.pid, "linux")).toBe(readFileSync("/proc/self/comm", "utf8").trim());
    expect(await parentName(2 ** 22 + 1, "linux")).toBeUndefined();
  });

  it("is not asked for on Windows", async () => expect(await parentName(process.pid, "win32")).toBeUndefined());

  const ps = (script: string) => {
    const path = join(outer, "ps");
    writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  };

  it.skipIf(process.platform === "win32")("is what ps says on macOS, without its folder", async () => {
    expect(await parentName(42, "darwin", ps('echo "$@" >"$0.args"; echo "/usr/local/bin/kubectl"'))).toBe("kubectl");
    expect(readFileSync(join(outer, "ps.args"), "utf8").trim()).toBe("-o comm= -p 42");
  });

  it.skipIf(process.platform === "win32")("a ps that hangs, fails, or is not there, holds nothing up", async () => {
    const since = performance.now();
    expect(await parentName(42, "darwin", ps("exec sleep 60"))).toBeUndefined();
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(await parentName(42, "darwin", ps("exit 1"))).toBeUndefined();
    expect(await parentName(42, "darwin", join(outer, "nowhere"))).toBeUndefined();
  });
});
