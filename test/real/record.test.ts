import { describe, expect, it } from "vitest";
import type { Report } from "../vitest-report.mjs";
import { emptyRecord, proofsOf, type Record, recordWith } from "./record.ts";

const run = { date: "2026-11-28", ours: "0.1.0", commit: "0123456789ab" };
const oldRun = { date: "2026-01-01", ours: "0.0.9", commit: null };
const whole = { ...run, minutes: 17, without: [] };
const test = (head: string, title: string, status = "passed") => ({ ancestorTitles: ["", head, "logs in"], title, status });
const report = (...assertionResults: ReturnType<typeof test>[]): Report => ({ testResults: [{ name: "a.test.ts", status: "passed", assertionResults }] });
const broken = (...assertionResults: ReturnType<typeof test>[]): Report => ({ testResults: [{ name: "a.test.ts", status: "failed", assertionResults }] });
const exercised = ({ proofs }: Pick<Record, "proofs">) => proofs[0]?.exercised.map(({ what, result, run: its }) => `${what} ${result} ${its?.date ?? "never"}`);

describe("what a run proves", () => {
  it("is told by titles: the program, its version, the others, and every sentence, with the day and the commit of ours", () => {
    const [proof, ...more] = proofsOf(report(test("dex v2.43.0 with kubectl v1.32.4", "once"), test("dex v2.43.0 with kubectl v1.32.4", "twice", "failed")), run);
    expect(more).toEqual([]);
    expect(proof).toEqual({
      key: "dex with kubectl",
      program: "dex",
      version: "v2.43.0",
      with: ["kubectl v1.32.4"],
      exercised: [
        { what: "logs in: once", result: "passed", run },
        { what: "logs in: twice", result: "failed", run },
      ],
    });
  });

  it("of a part that is missing is nothing, and says so", () => {
    expect(proofsOf(report(test("dex with kubectl v1.32.4 (needs dex)", "once", "skipped")), run)).toMatchObject([
      { key: "dex with kubectl", version: null, exercised: [{ what: "logs in: once", result: "not exercised", run: null }] },
    ]);
  });

  it("of tests whose hook threw is that they failed, but for those that need what is not there", () => {
    const all = broken(test("dex v2.43.0", "once", "skipped"), test("dex v2.43.0", "by device (needs a device grant)", "skipped"), test("hydra (needs hydra)", "once", "skipped"));
    expect(proofsOf(all, run).map(({ exercised: tests }) => tests.map(({ result }) => result))).toEqual([["failed", "not exercised"], ["not exercised"]]);
  });
});

describe("the record", () => {
  const kept: Record = { ...emptyRecord, proofs: proofsOf(report(test("dex v2.42.0", "once"), test("dex v2.42.0", "twice")), oldRun) };

  it("takes a newer proof in the place of the old one", () => {
    const { proofs } = recordWith(kept, proofsOf(report(test("dex v2.43.0", "once")), run), undefined);
    expect(proofs).toMatchObject([{ version: "v2.43.0", exercised: [{ run }] }]);
  });

  it("adds to what the same programs did before when only some files were run, and leaves that the day, version and commit of its own run", () => {
    const again = recordWith(kept, proofsOf(report(test("dex v2.42.0", "thrice"), test("dex v2.42.0", "once", "failed")), run), undefined);
    expect(exercised(again)).toEqual(["logs in: twice passed 2026-01-01", "logs in: thrice passed 2026-11-28", "logs in: once failed 2026-11-28"]);
    expect(again.proofs[0]?.exercised[0]?.run).toEqual(oldRun);
    expect(exercised(recordWith(kept, proofsOf(report(test("dex v2.42.0", "once")), run), whole))).toEqual(["logs in: once passed 2026-11-28"]);
  });

  it("keeps an old result, with its day, of what the same programs left out this time", () => {
    const left = recordWith(kept, proofsOf(report(test("dex v2.42.0", "once", "skipped"), test("dex v2.42.0", "twice")), run), whole);
    expect(exercised(left)).toEqual(["logs in: once passed 2026-01-01", "logs in: twice passed 2026-11-28"]);
  });

  it("does not keep an old `passed` where a hook threw", () => {
    const now = proofsOf(broken(test("dex v2.42.0", "once", "skipped"), test("dex v2.42.0", "twice", "skipped")), run);
    for (const asked of [whole, undefined]) expect(exercised(recordWith(kept, now, asked))).toEqual(["logs in: once failed 2026-11-28", "logs in: twice failed 2026-11-28"]);
  });

  it("keeps an old proof, with its days, where the part was missing this time", () => {
    expect(recordWith(kept, proofsOf(report(test("dex (needs dex)", "once", "skipped")), run), whole).proofs).toEqual(kept.proofs);
  });

  it("loses a proof whose tests are gone, but not when only some files were run", () => {
    const others = proofsOf(report(test("hydra v2.3.0", "once")), run);
    expect(recordWith(kept, others, whole).proofs.map(({ key }) => key)).toEqual(["hydra"]);
    expect(recordWith(kept, others, undefined).proofs.map(({ key }) => key)).toEqual(["dex", "hydra"]);
  });

  it("notes how long the last run of all tests took, and what was missing in it", () => {
    expect(recordWith(kept, [], whole).whole).toEqual(whole);
    expect(recordWith({ ...kept, whole }, [], undefined).whole).toEqual(whole);
  });
});
