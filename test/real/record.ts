/** One test: its sentence, below the titles that name the programs. */
export interface Exercise {
  readonly what: string;
  readonly result: "passed" | "failed" | "not exercised";
}

/** One program in one version, with the others that took part. */
export interface Proof {
  /** `kube-apiserver with etcd, kubectl-newest`: what a later run puts in its place. */
  readonly key: string;
  readonly program: string;
  /** Null: it was not there. */
  readonly version: string | null;
  readonly with: readonly string[];
  /** Day of the run; null: none yet. */
  readonly date: string | null;
  /** The version of ours. */
  readonly ours: string | null;
  readonly exercised: readonly Exercise[];
}

/** docs/reference/compatibility.json. */
export interface Record {
  readonly schema: 1;
  readonly proofs: readonly Proof[];
}

/** The parts of vitest's JSON report that are read here. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly ancestorTitles: readonly string[]; readonly title: string; readonly status: string }[];
  }[];
}

interface Run {
  readonly date: string;
  readonly ours: string;
}

const results: { readonly [status: string]: Exercise["result"] } = { passed: "passed", failed: "failed" };

/** What a run proves: a proof for each outermost describe (with-parts.ts makes its title). */
export function proofsOf(report: Report, { date, ours }: Run): readonly Proof[] {
  const proofs = new Map<string, Proof>();
  for (const { ancestorTitles, title, status } of report.testResults.flatMap(({ assertionResults }) => assertionResults)) {
    const [head = "", ...titles] = ancestorTitles.filter((text) => text !== "");
    const subject = subjectOf(head);
    if (subject === undefined) continue;
    const before = proofs.get(subject.key)?.exercised ?? [];
    const exercised = [...before, { what: [...titles, title].join(": "), result: results[status] ?? "not exercised" }];
    const ran = exercised.some(({ result }) => result !== "not exercised");
    proofs.set(subject.key, { ...subject, date: ran ? date : null, ours: ran ? ours : null, exercised });
  }
  return [...proofs.values()];
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
 * The record after a run. A proof of an earlier run stays, with its date, when this run could not do it; one whose tests are gone goes with
 * them, if all tests were asked for (`whole`). Where only some were, they are added to what the same programs did before.
 */
export function recordWith(kept: Record, proofs: readonly Proof[], whole: boolean): Record {
  const named = new Map(proofs.map((proof) => [proof.key, proof]));
  const stays = kept.proofs.filter((proof) => (named.has(proof.key) ? named.get(proof.key)?.date === null && proof.date !== null : !whole));
  const keys = new Set(stays.map(({ key }) => key));
  const done = proofs.filter(({ key }) => !keys.has(key)).map((proof) => (whole ? proof : addedTo(kept, proof)));
  return { schema: 1, proofs: [...stays, ...done].sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

function addedTo({ proofs }: Record, proof: Proof): Proof {
  const before = proofs.find(({ key, version, with: others }) => key === proof.key && version === proof.version && others.join() === proof.with.join());
  const said = new Set(proof.exercised.map(({ what }) => what));
  return { ...proof, exercised: [...(before?.exercised ?? []).filter(({ what }) => !said.has(what)), ...proof.exercised] };
}
