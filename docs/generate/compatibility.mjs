// The page of docs/reference/compatibility.json, which is written by `npm run test:cluster -- --record`.
import { cell, page, table } from "./markdown.mjs";

/** What no run of ours touches: said, so that nobody has to guess. */
const never = [
  [
    "Microsoft Entra ID, Okta, Google, Auth0, AWS Cognito, GitLab",
    "a service, or too large: their behaviours are played by scripted issuers; nothing of ours has talked to the real ones",
  ],
  [
    "older API servers, with `v1beta1` of the configuration",
    "the newest that can be built is run, by the configuration that setup prints, and by the flags that it prints for older ones",
  ],
  ["managed clusters (AKS, EKS, GKE, OpenShift)", "a service: kube-apiserver itself is run here, without what they put before it"],
  ["macOS, Windows", "this ring runs on Linux"],
];

/** `undefined`: no run was recorded yet. */
export function compatibilityPage(text) {
  const { proofs, whole } = text === undefined ? { proofs: [], whole: null } : JSON.parse(text);
  return page(
    "Compatibility",
    "`docs/reference/compatibility.json`, which runs of `npm run test:cluster` record,",
    [
      "Somebody else's programs that the built program was run against, from outside: which version, what was exercised, with what result, on which day.",
      "A line is the sentence of a test of `test/real`, which anybody can run again. **Not exercised** means that no run has shown it, neither for nor against.",
    ],
    ...(whole === null ? [] : [wholeRun(whole)]),
    table(
      ["program", "version", "with", "day", "result"],
      proofs.map((proof) => [cell(proof.program), proof.version === null ? "–" : cell(proof.version), cell(proof.with.join(", ")), days(proof), summary(proof)]),
    ),
    ...proofs.flatMap(section),
    "## Never run",
    table(
      ["what", "why"],
      never.map((row) => row.map(cell)),
    ),
  );
}

const wholeRun = ({ minutes, without, ...run }) =>
  `The last run of all tests took ${minutes} minutes, with every part made before${without.length === 0 ? "" : ` but ${without.join(", ")} (missing)`}: ${named(run)}.`;

/** Which of ours, and when. */
const named = ({ ours, commit, date }) => `kubectl-oidc ${ours} ${commit === null ? "(commit not noted)" : `(commit ${commit.replace(/-dirty$/, " and changes")})`}, ${date}`;

/** Of a proof, each once, in the order of time. */
const runsOf = ({ exercised }) => [...new Map(exercised.flatMap(({ run }) => (run === null ? [] : [[named(run), run]]))).values()].sort((a, b) => (a.date < b.date ? -1 : 1));

const days = (proof) => [...new Set(runsOf(proof).map(({ date }) => date))].join(", ") || "–";

function summary({ exercised }) {
  const count = (wanted) => exercised.filter(({ result }) => result === wanted).length;
  if (exercised.every(({ run }) => run === null)) return "not exercised";
  return ["passed", "failed", "not exercised"]
    .filter((result) => count(result) > 0)
    .map((result) => `${count(result)} ${result}`)
    .join(", ");
}

/** Where a run did only some of it, each line says which did it. */
function section(proof) {
  const { program, version, with: others, exercised } = proof;
  const title = [program, version ?? "", others.length === 0 ? "" : `with ${others.join(", ")}`].filter((part) => part !== "").join(" ");
  const runs = runsOf(proof);
  return [
    `## ${title}`,
    runs.length === 0 ? "Not exercised: it was not there." : runs.length === 1 ? `${named(runs[0])}.` : "By several runs:",
    runs.length > 1
      ? table(
          ["exercised", "result", "run"],
          exercised.map(({ what, result, run }) => [cell(what), result, run === null ? "–" : named(run)]),
        )
      : table(
          ["exercised", "result"],
          exercised.map(({ what, result }) => [cell(what), result]),
        ),
  ];
}
