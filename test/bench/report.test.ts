import { describe, expect, it } from "vitest";
import { countLine, type Report, reportJson, reportRow, reportText } from "./report.ts";
import type { Outcome, Row } from "./rows.ts";

const row = (id: string, outcome: Outcome, unit: Row["unit"] = "x"): Row => ({ id, group: "hot", title: `title of ${id}`, unit, target: 1.05, limit: 1.15, outcome });
const rows = [
  row("hot-20", { kind: "measured", value: 1.08765, from: "22.0 ms / 20.2 ms", rounds: 201 }),
  row("hot-26", { kind: "skipped", why: "Node 26 is not here" }),
  row("bin-26", { kind: "skipped", why: "Node 26 is not here" }),
  row("version-20", { kind: "failed", why: "version ended with 1" }),
];
const report: Report = {
  schema: 1,
  date: "2026-11-28T08:00:00.000Z",
  program: { version: "0.1.0", commit: "0123456789ab" },
  machine: { cpu: "A Processor (x64)", cores: 2, memoryGib: 4, os: "Debian", kernel: "linux 6", node: "20.20.2", loadBefore: 0.1 },
  loadAfter: 1.2,
  method: "posix_spawn to wait4, by Python 3.11.2",
  rows: rows.map(reportRow),
  processes: [{ id: "own", name: "npm program", kind: "ours", ms: 20.12345, quartiles: [19.5, 21.25], mib: 40 }],
  phases: [],
  storms: ["a storm"],
};

describe("the table", () => {
  const lines = reportText(report);

  it("says on what machine it was measured, and when", () => {
    expect(lines.slice(0, 3).join("\n")).toBe(
      [
        "kubectl-oidc 0.1.0 (0123456789ab), 2026-11-28T08:00:00.000Z",
        "A Processor (x64), 2 cores, 4 GiB, Debian, linux 6, Node 20.20.2",
        "load 0.1 before and 1.2 after; posix_spawn to wait4, by Python 3.11.2; medians of paired, interleaved rounds",
      ].join("\n"),
    );
  });

  it("has a line for every row: measured, result, target, limit, status", () => {
    expect(lines).toContain("title of hot-20      22.0 ms / 20.2 ms  1.09 x  1.05 x  1.15 x  over target");
    for (const { title } of rows) expect(lines.filter((line) => line.startsWith(title))).toHaveLength(1);
  });

  it("names every row that was skipped or failed, with the reason", () => {
    expect(lines).toContain("skipped: Node 26 is not here (hot-26, bin-26)");
    expect(lines).toContain("failed: version ended with 1 (version-20)");
  });
});

it("the gate's count takes a row over its target as passed, and leaves out what was skipped", () => {
  expect(countLine(report.rows)).toBe("1 passed, 1 failed");
});

describe("the JSON", () => {
  const value = JSON.parse(reportJson(report));

  it("has a schema number, date, program, machine and method", () => {
    expect(value).toMatchObject({ schema: 1, date: report.date, program: report.program, machine: report.machine, method: report.method, storms: ["a storm"] });
  });

  it("has every row, with its status, and a value only where one was measured", () => {
    expect(value.rows.map(({ id, status }: { readonly id: string; readonly status: string }) => `${id} ${status}`)).toEqual([
      "hot-20 over target",
      "hot-26 skipped",
      "bin-26 skipped",
      "version-20 failed",
    ]);
    expect(value.rows[0]).toEqual({
      id: "hot-20",
      group: "hot",
      title: "title of hot-20",
      unit: "x",
      status: "over target",
      value: 1.088,
      shown: "1.09 x",
      from: "22.0 ms / 20.2 ms",
      rounds: 201,
      target: 1.05,
      limit: 1.15,
    });
    expect(value.rows[1]).not.toHaveProperty("value");
    expect(value.rows[3].why).toBe("version ended with 1");
  });

  it("has numbers to a thousandth", () => {
    expect(value.processes[0]).toEqual({ id: "own", name: "npm program", kind: "ours", ms: 20.123, quartiles: [19.5, 21.25], mib: 40 });
  });
});
