import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { countReport } from "./vitest-report.mjs";

const root = resolve(import.meta.dirname, "..");
const test = (status: string, title = status) => ({ ancestorTitles: [""], title, fullName: ` ${title}`, status, failureMessages: status === "failed" ? ["why"] : [] });
const file = (status: string, ...assertionResults: readonly ReturnType<typeof test>[]) => ({ name: "a.test.ts", status, message: "", assertionResults });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-report-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a report of vitest's, counted", () => {
  it("has a failure for each test that failed, and none besides for their file", () => {
    const { passed, failures, skipped } = countReport({ testResults: [file("failed", test("passed"), test("failed"), test("failed"), test("skipped"))] }, 1);
    expect({ passed, failed: failures.length, skipped: skipped.length }).toEqual({ passed: 1, failed: 2, skipped: 1 });
  });

  it("has one for a file that failed without a test: one that cannot be loaded, or whose hook threw", () => {
    for (const broken of [file("failed"), file("failed", test("skipped")), file("failed", test("passed"))]) {
      expect(countReport({ testResults: [broken, file("passed", test("passed"))] }, 1).failures, JSON.stringify(broken)).toMatchObject([{ name: "a.test.ts" }]);
    }
  });

  it("has one for a run that ended badly though nothing in it failed", () => {
    expect(countReport({ testResults: [file("passed", test("passed"))] }, 1).failures).toMatchObject([{ name: "the run" }]);
    expect(countReport({ testResults: [file("passed", test("passed"))] }, 0).failures).toEqual([]);
  });
});

const count = () => spawnSync(process.execPath, [join(root, ".ci/count.mjs"), folder, "3"], { encoding: "utf8" });
const lastLine = (text: string) => text.trimEnd().split("\n").at(-1);

describe("the gate's count", () => {
  it("of a real run whose beforeAll throws, and of one with an error that no test catches, is not that of a run that passed", { timeout: 60_000 }, () => {
    const tests = join(folder, "tests");
    mkdirSync(tests);
    const run = (name: string, text: string) => {
      writeFileSync(join(tests, `${name}.test.mjs`), text);
      const report = `--outputFile.json=${join(folder, `${name}.json`)}`;
      const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", tests, "--globals", "--reporter=json", report, `${name}.test.mjs`];
      const { status } = spawnSync(process.execPath, args, { cwd: tests, stdio: "ignore" });
      writeFileSync(join(folder, `${name}.status`), `${status}\n`);
    };
    run("hook", 'describe("a", () => { beforeAll(() => { throw new Error("no server") }); it("is skipped", () => {}) })');
    run("uncaught", 'it("passes", async () => { queueMicrotask(() => { throw new Error("nobody waits for it") }); await new Promise(setImmediate) })');
    const { stdout, status } = count();
    expect(lastLine(stdout)).toBe("4 passed, 2 failed");
    expect(stdout).toMatch(/FAILED \(hook\): .*hook\.test\.mjs/);
    expect(stdout).toContain("FAILED (uncaught): the run");
    expect(status).toBe(1);
  });

  it("of reports without a failure is what passed, the checks with it", () => {
    writeFileSync(join(folder, "unit.json"), JSON.stringify({ testResults: [file("passed", test("passed"), test("skipped"))] }));
    writeFileSync(join(folder, "unit.status"), "0\n");
    const { stdout, status } = count();
    expect(stdout).toContain("skipped: unit:  skipped");
    expect([lastLine(stdout), status]).toEqual(["4 passed, 0 failed", 0]);
  });
});

describe.skipIf(process.platform === "win32")("a ring of the gate", () => {
  /** Runs lines with `.ci/run`'s own functions, without the rest of it. */
  const inGate = (...lines: readonly string[]) => {
    const functions = ["failed", "counted", "ring"].map(
      (name) => new RegExp(`^${name}\\(\\) \\{\\n[\\s\\S]*?^\\}$`, "m").exec(readFileSync(join(root, ".ci/run"), "utf8"))?.[0] ?? "",
    );
    return execFileSync("bash", ["-c", [`results='${folder}'; extra_passed=0; skipped_names=()`, ...functions, ...lines].join("\n")], { encoding: "utf8" });
  };
  const failuresOf = (command: string) => Number(inGate(`counted ring bash -c '${command}' >/dev/null`, 'ls "$results" | grep -c "^failed-" || true'));

  it("that counts itself fails as often as it says, once when it ends badly and says never, once when it gives no count or checked nothing", () => {
    expect(failuresOf('echo "4 passed, 0 failed"')).toBe(0);
    expect(failuresOf('echo "4 passed, 2 failed"; exit 1')).toBe(2);
    expect(failuresOf('echo "4 passed, 0 failed"; exit 130')).toBe(3);
    expect(failuresOf("echo no count")).toBe(4);
    expect(failuresOf('echo "skipped: all of it: no Go"; echo "0 passed, 0 failed"')).toBe(4);
    expect(failuresOf('echo "0 passed, 0 failed"')).toBe(5);
  });

  it("of vitest has failed when it ends badly, whatever its report says, and when it gives none", () => {
    const report = JSON.stringify({ testResults: [file("passed", test("passed"))] });
    writeFileSync(join(folder, "vitest"), `for word; do case $word in --outputFile.json=*) echo '${report}' >"\${word#*=}" ;; esac; done\nexit 1\n`);
    inGate(`ring uncaught bash '${join(folder, "vitest")}'`, "ring killed bash -c 'exit 137'");
    const { stdout } = count();
    expect(stdout).toContain("FAILED: killed gave no report");
    expect(stdout).toContain("FAILED (uncaught): the run\nvitest ended with 1");
    expect(lastLine(stdout)).toBe("4 passed, 2 failed");
  });
});
