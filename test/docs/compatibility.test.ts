import { describe, expect, it } from "vitest";
import { compatibilityPage } from "../../docs/generate/compatibility.mjs";
import { type Exercise, emptyRecord, type Record, type Run } from "../real/record.ts";

const early: Run = { date: "2026-11-27", ours: "0.1.0", commit: null };
const late: Run = { date: "2026-11-28", ours: "0.1.0", commit: "0123456789ab" };
const record = (...exercised: readonly Exercise[]): Record => ({ ...emptyRecord, proofs: [{ key: "dex", program: "dex", version: "v2.45.1", with: [], exercised }] });
const pageOf = (value: Record): string => compatibilityPage(JSON.stringify(value));

describe("the page of compatibility", () => {
  it("names the day and the commit of ours that a program was run with", () => {
    const page = pageOf(record({ what: "once", result: "passed", run: late }, { what: "twice", result: "not exercised", run: null }));
    expect(page).toContain("| dex | v2.45.1 |  | 2026-11-28 | 1 passed, 1 not exercised |");
    expect(page).toContain("kubectl-oidc 0.1.0 (commit 0123456789ab), 2026-11-28.\n\n| exercised | result |");
  });

  it("gives each line the run that it comes from where they differ, and does not make an early one late", () => {
    const page = pageOf(record({ what: "once", result: "passed", run: late }, { what: "twice", result: "passed", run: early }));
    expect(page).toContain("| dex | v2.45.1 |  | 2026-11-27, 2026-11-28 | 2 passed |");
    expect(page).toContain("| once | passed | kubectl-oidc 0.1.0 (commit 0123456789ab), 2026-11-28 |");
    expect(page).toContain("| twice | passed | kubectl-oidc 0.1.0 (commit not noted), 2026-11-27 |");
  });

  it("says that a build had changes that are in no commit", () => {
    expect(pageOf(record({ what: "once", result: "passed", run: { ...late, commit: "0123456789ab-dirty" } }))).toContain("(commit 0123456789ab and changes)");
  });

  it("says how long the last run of all tests took, and what was missing in it; nothing where none was noted", () => {
    expect(pageOf({ ...record(), whole: { ...late, minutes: 17.4, without: ["k9s"] } })).toContain(
      "The last run of all tests took 17.4 minutes, with every part made before but k9s (missing): kubectl-oidc 0.1.0 (commit 0123456789ab), 2026-11-28.",
    );
    expect(pageOf(record())).not.toContain("The last run");
  });
});
