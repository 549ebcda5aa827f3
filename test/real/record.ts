import type { Report, ReportedFile } from "../vitest-report.mjs";

/** When something was run, and which of ours. */
export interface Run {
  /** Day of the run: 2026-11-28. */
  readonly date: string;
  /** The version of ours. */
  readonly ours: string;
  /** The commit that it was built from, by itself; null: not noted, as before schema 2. */
  readonly commit: string | null;
}

/** One test: its sentence, below the titles that name the programs. */
export interface Exercise {
  readonly what: string;
  readonly result: "passed" | "failed" | "not exercised";
  /** The run that gave this result; null: none has. */
  readonly run: Run | null;
}

/** One program in one version, with the others that took part. */
export interface Proof {
  /** `kube-apiserver with etcd, kubectl-newest`: what a later run puts in its place. */
  readonly key: string;
  readonly program: string;
  /** Null: it was not there. */
  readonly version: string | null;
  readonly with: readonly string[];
  readonly exercised: readonly Exercise[];
}

/** The last run of all tests. */
export interface WholeRun extends Run {
  readonly minutes: number;
  /** Parts that were not there: their tests took no time. */
  readonly without: readonly string[];
}

/** docs/reference/compatibility.json. */
export interface Record {
  readonly schema: 2;
  /** Null: none since its duration is noted. */
  readonly whole: WholeRun | null;
  readonly proofs: readonly Proof[];
}

export const emptyRecord: Record = { schema: 2, whole: null, proofs: [] };

/** What a run proves: a proof for each outermost describe (with-parts.ts makes its title). */
export function proofsOf({ testResults }: Report, run: Run): readonly Proof[] {
  const proofs = new Map<string, Proof>();
  for (const { head, what, result } of testResults.flatMap(sentencesOf)) {
    const subject = subjectOf(head);
    if (subject === undefined) continue;
    const before = proofs.get(subject.key)?.exercised ?? [];
    proofs.set(subject.key, { ...subject, exercised: [...before, { what, result, run: result === "not exercised" ? null : run }] });
  }
  return [...proofs.values()];
}

/** A hook that threw leaves tests that vitest calls skipped, in a file that it calls failed; one that is left out on purpose says what it needs. */
function sentencesOf({ status: ofFile, assertionResults }: ReportedFile) {
  return assertionResults.map(({ ancestorTitles, title, status }) => {
    const [head = "", ...titles] = ancestorTitles.filter((text) => text !== "");
    const isMeant = [head, ...titles, title].some((text) => /\(needs [^)]*\)$/.test(text));
    const result: Exercise["result"] = status === "passed" ? "passed" : status === "failed" || (ofFile === "failed" && !isMeant) ? "failed" : "not exercised";
    return { head, what: [...titles, title].join(": "), result };
  });
}

/** A title of with-parts.ts, read back. Undefined: another title. */
function subjectOf(title: string): Pick<Proof, "key" | "program" | "version" | "with"> | undefined {
  const [, text = "", needs] = /^(.*?)(?: \(needs ([^)]*)\))?$/.exec(title) ?? [];
  const [head = "", others = ""] = text.split(" with ");
  if (!/^[\w-]+( |$)/.test(head)) return undefined;
  const names = [head, ...others.split(", ").filter(Boolean)];
  const nameOf = (name: string) => name.split(" ")[0] ?? name;
  const [program = "", ...rest] = names.map(nameOf);
  const version = head.slice(program.length + 1) || null;
  return { key: rest.length === 0 ? program : `${program} with ${rest.join(", ")}`, program, version: needs === undefined ? version : null, with: names.slice(1) };
}

/**
 * The record after a run. A proof of an earlier run stays, with its days, when this run could not do it; one whose tests are gone goes with
 * them, if all tests were asked for (`whole`). Where only some were, they are added to what the same programs did before, which keeps its days.
 */
export function recordWith(kept: Record, proofs: readonly Proof[], whole: WholeRun | undefined): Record {
  const named = new Map(proofs.map((proof) => [proof.key, proof]));
  const stays = kept.proofs.filter((proof) => {
    const now = named.get(proof.key);
    return now === undefined ? whole === undefined : !wasRun(now) && wasRun(proof);
  });
  const keys = new Set(stays.map(({ key }) => key));
  const done = proofs.filter(({ key }) => !keys.has(key)).map((proof) => addedTo(kept, proof, whole !== undefined));
  return { schema: 2, whole: whole ?? kept.whole, proofs: [...stays, ...done].sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

export const wasRun = ({ exercised }: Proof) => exercised.some(({ run }) => run !== null);

/** What this run left out it says nothing about: the same programs' earlier result stays. */
function addedTo({ proofs }: Record, proof: Proof, isWhole: boolean): Proof {
  const earlier = proofs.find(({ key, version, with: others }) => key === proof.key && version === proof.version && others.join() === proof.with.join())?.exercised ?? [];
  const said = new Set(proof.exercised.map(({ what }) => what));
  const others = isWhole ? [] : earlier.filter(({ what }) => !said.has(what));
  return { ...proof, exercised: [...others, ...proof.exercised.map((one) => (one.run === null ? (earlier.find(({ what }) => what === one.what) ?? one) : one))] };
}
