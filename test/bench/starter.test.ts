import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasProgram } from "../programs.ts";
import { elapsed, nodeStarter, openStarter, type Starter } from "./starter.ts";

const python = hasProgram("python3") ? await openStarter(resolve(import.meta.dirname, "starter.py")) : undefined;
const node = nodeStarter();
const env = { PATH: "/usr/bin:/bin", GREETING: "hello" };
const shell = (script: string) => ({ args: ["/bin/sh", "-c", script], env });

afterAll(() => python?.stop());

describe.each([
  ["Python", python],
  ["Node", node],
])("programs started by %s", (name, starter) => {
  const it_ = it.skipIf(starter === undefined);
  const run: Starter["run"] = (command) => (starter as Starter).run(command);

  it_(`give their status, all that they said, and the time they took${starter === undefined ? ` (no ${name})` : ""}`, async () => {
    const ran = await run(shell('echo "$GREETING"; echo to stderr >&2; sleep 0.05; exit 3'));
    expect(ran.status).toBe(3);
    expect(ran.output).toContain("hello");
    expect(ran.output).toContain("to stderr");
    expect(elapsed(ran)).toBeGreaterThanOrEqual(50);
  });

  it_("are timed by the clock of this process", async () => {
    const now = () => Number(process.hrtime.bigint()) / 1e6;
    const before = now();
    const ran = await run(shell("exit 0"));
    expect(ran.started).toBeGreaterThanOrEqual(before - 1);
    expect(ran.ended).toBeLessThanOrEqual(now() + 1);
    expect(ran.ended).toBeGreaterThan(ran.started);
  });

  it_("that write more than a pipe holds are read to their end", async () => {
    const { output } = await run({ args: [process.execPath, "-e", "process.stdout.write('x'.repeat(300000))"], env });
    expect(output).toHaveLength(300_000);
  });

  it_("have this environment and no other", async () => {
    expect((await run({ args: ["/usr/bin/env"], env })).output.trim().split("\n").sort()).toEqual(["GREETING=hello", "PATH=/usr/bin:/bin"]);
  });

  it_("that are not there are an error with their name", async () => {
    await expect(run({ args: ["/nowhere/at-all"], env })).rejects.toThrow("/nowhere/at-all");
  });
});

describe("memory and processor time", () => {
  it.skipIf(python === undefined)("are those of the child itself", async () => {
    const { run } = python as Starter;
    const filling = (mib: number) => run({ args: [process.execPath, "-e", `Buffer.alloc(${mib} << 20, 1)`], env });
    const [small, large] = [await filling(1), await filling(200)];
    expect((large.kib ?? 0) - (small.kib ?? 0)).toBeGreaterThan(180 * 1024);
    // The child after a large one is not as large.
    expect((await filling(1)).kib).toBeLessThan((small.kib ?? 0) * 1.3);
    expect(small.cpu).toBeGreaterThan(1);
  });

  it("are not told by Node", async () => {
    const { cpu, kib } = await node.run(shell("exit 0"));
    expect([cpu, kib]).toEqual([undefined, undefined]);
  });
});

describe("the built program", () => {
  it("is measured, and the report is JSON that says so", () => {
    const home = mkdtempSync(join(tmpdir(), "kubectl-oidc-bench-test-"));
    const { status, stdout, stderr } = spawnSync(process.execPath, [resolve(import.meta.dirname, "run.mjs"), `hot-${process.versions.node.split(".")[0]}`, "cat", "--json"], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: home, BENCH_ROUNDS: "2" },
    });
    rmSync(home, { recursive: true });
    // Two rounds say nothing about a limit.
    expect([0, 1], stderr).toContain(status);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ schema: 1, machine: { node: process.versions.node } });
    expect(report.rows.map(({ id, unit, rounds }: { readonly id: string; readonly unit: string; readonly rounds: number }) => [id, unit, rounds])).toEqual([
      [`hot-${process.versions.node.split(".")[0]}`, "x", 2],
      ["cat", "x", 2],
    ]);
    expect(stdout).not.toMatch(/eyJ/);
  });
});
