import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendLine, fullAt, readAuditFiles } from "../../src/adapters/audit-files.ts";
import { auditLine } from "../../src/core/audit-entry.ts";
import { codeOf } from "../fakes/codes.ts";

let outer: string;
let folder: string;
beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), "kubectl-oidc-audit-"));
  folder = join(outer, "data", "audit");
});
afterEach(() => rmSync(outer, { recursive: true, force: true }));

const line = (user = "ann") =>
  auditLine({
    schema: 1,
    time: "2026-11-28T10:00:00Z",
    session: "0123456789abcdef",
    issuer: "https://id.example.com",
    clientId: "kubernetes",
    grant: "person",
    event: "logout",
    revoked: true,
    pid: 1,
    parent: { pid: 2 },
    user,
    host: "laptop",
    version: "1.0.0",
  });
const file = (number: number) => join(folder, `audit.${number}.jsonl`);
const users = () => readAuditFiles(folder).entries.map(({ user }) => user);
/** Fills a file up to this many bytes, with whole lines. */
function fill(number: number, bytes: number): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file(number), line("x").repeat(Math.ceil(bytes / line("x").length)), { mode: 0o600 });
}

describe("the files of the audit log", () => {
  it("are 0600 in 0700, whatever the umask, and give back what was written, in its order", () => {
    const before = process.umask(0);
    try {
      for (const user of ["a", "b"]) appendLine(folder, line(user));
    } finally {
      process.umask(before);
    }
    expect(readAuditFiles(folder)).toMatchObject({ entries: [{ user: "a" }, { user: "b" }], unread: 0 });
    expect([statSync(folder).mode & 0o777, statSync(file(1)).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it("nothing is there before the first line", () => {
    expect(readAuditFiles(folder)).toEqual({ entries: [], unread: 0 });
    expect(existsSync(join(outer, "data"))).toBe(false);
  });

  it("a full file is followed by the next, and five full ones are kept", () => {
    for (let i = 1; i <= 9; i++) {
      fill(i, fullAt);
      appendLine(folder, line(`first of ${i + 1}`));
      expect(readFileSync(file(i + 1), "utf8")).toBe(line(`first of ${i + 1}`));
    }
    expect(readdirSync(folder).sort()).toEqual(["audit.10.jsonl", ...[5, 6, 7, 8, 9].map((n) => `audit.${n}.jsonl`)]);
    expect(users().at(-1)).toBe("first of 10");
  });

  it("one that is not full yet is filled, and the others stay as they are", () => {
    fill(3, 100);
    fill(2, fullAt);
    appendLine(folder, line("last"));
    expect(readdirSync(folder).sort()).toEqual(["audit.2.jsonl", "audit.3.jsonl"]);
    expect(users().at(-1)).toBe("last");
  });

  it("a line that a full disk cut off takes no other with it", () => {
    appendLine(folder, line("a"));
    appendFileSync(file(1), line("lost").slice(0, 40));
    appendLine(folder, line("b"));
    expect(readAuditFiles(folder)).toMatchObject({ entries: [{ user: "a" }, { user: "b" }], unread: 1 });
  });

  it("files of other names are nobody's business", () => {
    appendLine(folder, line("a"));
    for (const name of ["audit.jsonl", "audit.01x.jsonl", "audit.1234567890.jsonl", "notes"]) writeFileSync(join(folder, name), "x");
    appendLine(folder, line("b"));
    expect(users()).toEqual(["a", "b"]);
  });
});

describe("the files of the audit log on a machine that works against them", () => {
  it.each<[string, (path: string) => void]>([
    ["a link", (path) => symlinkSync(join(outer, "victim"), path)],
    ["a folder", (path) => mkdirSync(path)],
    ["a pipe that nobody reads", (path) => execFileSync("mkfifo", ["-m", "600", path])],
    ["a file that others can read", (path) => writeFileSync(path, "", { mode: 0o644 })],
    ["a second name of another file", (path) => linkSync(join(outer, "victim"), path)],
  ])("%s in a file's place is refused, for writing and for reading, and nothing is touched", (_, plant) => {
    writeFileSync(join(outer, "victim"), "precious", { mode: 0o600 });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    plant(file(1));
    expect(codeOf(() => appendLine(folder, line()))).toBe("STORE_UNSAFE");
    expect(["STORE_UNSAFE", "STORE_UNREADABLE"]).toContain(codeOf(() => readAuditFiles(folder)));
    expect(readFileSync(join(outer, "victim"), "utf8")).toBe("precious");
  });

  it("a folder that others may write, or that is a link, is refused", () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file(1), line(), { mode: 0o600 });
    chmodSync(folder, 0o777);
    expect(codeOf(() => appendLine(folder, line()))).toBe("STORE_UNSAFE");
    expect(codeOf(() => readAuditFiles(folder))).toBe("STORE_UNSAFE");
    chmodSync(folder, 0o700);
    symlinkSync(folder, join(outer, "link"));
    expect(codeOf(() => appendLine(join(outer, "link"), line()))).toBe("STORE_UNSAFE");
  });

  it.skipIf(process.geteuid?.() !== 0)("a file or folder of another user is refused (needs root)", () => {
    appendLine(folder, line());
    chownSync(file(1), 12_345, 12_345);
    expect(codeOf(() => appendLine(folder, line()))).toBe("STORE_UNSAFE");
    expect(codeOf(() => readAuditFiles(folder))).toBe("STORE_UNSAFE");
    unlinkSync(file(1));
    chownSync(folder, 12_345, 12_345);
    expect(codeOf(() => appendLine(folder, line()))).toBe("STORE_UNSAFE");
  });

  it("a folder that cannot be made is STORE_UNWRITABLE, at once", () => {
    expect(codeOf(() => appendLine("/proc/nowhere/audit", line()))).toBe("STORE_UNWRITABLE");
    writeFileSync(join(outer, "data"), "not a folder");
    expect(["STORE_UNSAFE", "STORE_UNWRITABLE"]).toContain(codeOf(() => appendLine(folder, line())));
  });

  it.skipIf(process.platform !== "linux")("a disk that is full in the middle of a line is STORE_UNWRITABLE, and what was there stays", async () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const there = Math.floor(1_020 / line("x").length);
    fill(1, there * line("x").length);
    // Under root nothing else refuses a write: no file may be longer than two blocks of 512 bytes.
    const said = execFileSync("sh", ["-c", `ulimit -f 2; trap '' XFSZ; exec "$@"`, "sh", process.execPath, await built(1), folder, "p"], { encoding: "utf8", input: "\n" });
    expect(said).toBe("ready\nSTORE_UNWRITABLE\n");
    expect(readAuditFiles(folder).entries).toHaveLength(there);
    appendLine(folder, line("after"));
    expect(readAuditFiles(folder)).toMatchObject({ entries: [...Array.from({ length: there }, () => ({ user: "x" })), { user: "after" }], unread: 1 });
  });
});

/** A program that appends lines of one name, and says how it ended. Before it begins, it says that it is ready and waits for a line. */
function writerText(name: string, count: number, waits = false): string {
  const source = resolve(import.meta.dirname, "../../src/adapters/audit-files.ts");
  const gate = waits ? `console.log("ready"); require("node:fs").readSync(0, Buffer.alloc(1));` : "";
  return `import { appendLine } from ${JSON.stringify(source)};
    const name = process.argv[3] ?? ${JSON.stringify(name)}; const line = ${JSON.stringify(line("NAME"))};
    ${gate}
    try { for (let i = 0; i < ${count}; i++) appendLine(process.argv[2], line.replace("NAME", name + "-" + i)); console.log("written"); }
    catch (error) { console.log(error.code); }`;
}

async function built(count: number): Promise<string> {
  const program = join(outer, `writer-${count}.cjs`);
  await build({
    stdin: { contents: writerText("", count, true), resolveDir: outer, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile: program,
    logLevel: "error",
  });
  return program;
}

/** Starts this many writers, lets them begin at once, and gives them. */
async function writers(program: string, count: number) {
  const started = Array.from({ length: count }, (_, i) => spawn(process.execPath, [program, folder, `p${i}`], { stdio: ["pipe", "pipe", "inherit"] }));
  await Promise.all(started.map((writer) => once(writer.stdout, "data")));
  const ended = started.map((writer) => once(writer, "exit"));
  for (const writer of started) writer.stdin.end("\n");
  return { started, ended };
}

const expected = (processes: number, count: number) => Array.from({ length: processes }, (_, p) => Array.from({ length: count }, (_, i) => `p${p}-${i}`)).flat();

describe("parallel processes", { timeout: 120_000 }, () => {
  it("200 at once, at the end of a full file: every line is there once and whole, and one new file was begun", async () => {
    fill(1, fullAt - 20 * line("p100-1").length);
    const before = readAuditFiles(folder).entries.length;
    await Promise.all((await writers(await built(2), 200)).ended);
    const { entries, unread } = readAuditFiles(folder);
    expect(unread).toBe(0);
    expect(
      entries
        .slice(before)
        .map(({ user }) => user)
        .sort(),
    ).toEqual(expected(200, 2).sort());
    expect(readdirSync(folder).sort()).toEqual(["audit.1.jsonl", "audit.2.jsonl"]);
  });

  it("through several full files, and with one that is killed: no line of the others is lost, none is torn, no file is begun before the last is full", async () => {
    const [processes, count] = [6, 2_000];
    const { started, ended } = await writers(await built(count), processes);
    const [killed] = started;
    // In the midst of it.
    await expect.poll(() => existsSync(file(2)), { interval: 2, timeout: 30_000 }).toBe(true);
    killed?.kill("SIGKILL");
    await Promise.all(ended);
    const { entries, unread } = readAuditFiles(folder);
    expect(unread).toBe(0);
    const found = entries.map(({ user }) => user);
    expect(new Set(found).size).toBe(found.length);
    expect(expected(processes, count).filter((name) => !name.startsWith("p0-") && !found.includes(name))).toEqual([]);
    const names = readdirSync(folder);
    expect(names.length).toBeGreaterThan(2);
    for (let number = 1; number < names.length; number++) expect(statSync(file(number)).size).toBeGreaterThanOrEqual(fullAt);
  });
});
