import { describe, expect, it } from "vitest";
import { proofsOf, type Record, recordWith, type Report } from "./record.ts";

const run = { date: "2026-11-28", ours: "0.1.0" };
const test = (head: string, title: string, status = "passed") => ({ ancestorTitles: ["", head, "logs in"], title, status });
const report = (...assertionResults: ReturnType<typeof test>[]): Report => ({ testResults: [{ name: "a.test.ts", status: "passed", assertionResults }] });

describe("what a run proves", () => {
  it("is told by titles: the program, its version, the others, and every sentence", () => {
    const [proof, ...more] = proofsOf(report(test("dex v2.43.0 with kubectl v1.32.4", "once"), test("dex v2.43.0 with kubectl v1.32.4", "twice", "failed")), run);
    expect(more).toEqual([]);
    expect(proof).toEqual({
      key: "dex with kubectl",
      program: "dex",
      version: "v2.43.0",
      with: ["kubectl v1.32.4"],
      date: "2026-11-28",
      ours: "0.1.0",
      exercised: [
        { what: "logs in: once", result: "passed" },
        { what: "logs in: twice", result: "failed" },
      ],
    });
  });

  it("of a part that is missing is nothing, and says so", () => {
    expect(proofsOf(report(test("dex with kubectl v1.32.4 (needs dex)", "once", "skipped")), run)).toMatchObject([
      { key: "dex with kubectl", version: null, date: null, ours: null, exercised: [{ what: "logs in: once", result: "not exercised" }] },
    ]);
  });
});

describe("the record", () => {
  const [old] = proofsOf(report(test("dex v2.42.0", "once")), { ...run, date: "2026-01-01" });
  const kept: Record = { schema: 1, proofs: [old!] };

  it("takes a newer proof in the place of the old one", () => {
    const { proofs } = recordWith(kept, proofsOf(report(test("dex v2.43.0", "once")), run), false);
    expect(proofs).toMatchObject([{ version: "v2.43.0", date: "2026-11-28" }]);
  });

  it("adds to what the same programs did before when only some files were run", () => {
    const again = proofsOf(report(test("dex v2.42.0", "twice"), test("dex v2.42.0", "once", "failed")), run);
    expect(recordWith(kept, again, false).proofs[0]?.exercised.map(({ what, result }) => `${what} ${result}`)).toEqual(["logs in: twice passed", "logs in: once failed"]);
    const other = proofsOf(report(test("dex v2.42.0", "thrice")), run);
    expect(recordWith(kept, other, false).proofs[0]?.exercised).toHaveLength(2);
    expect(recordWith(kept, other, true).proofs[0]?.exercised).toHaveLength(1);
  });

  it("keeps an old proof, with its date, where the part was missing this time", () => {
    expect(recordWith(kept, proofsOf(report(test("dex (needs dex)", "once", "skipped")), run), true).proofs).toEqual([old]);
  });

  it("loses a proof whose tests are gone, but not when only some files were run", () => {
    const others = proofsOf(report(test("hydra v2.3.0", "once")), run);
    expect(recordWith(kept, others, true).proofs.map(({ key }) => key)).toEqual(["hydra"]);
    expect(recordWith(kept, others, false).proofs.map(({ key }) => key)).toEqual(["dex", "hydra"]);
  });
});
