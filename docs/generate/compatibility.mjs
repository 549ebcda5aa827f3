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
  const { proofs } = text === undefined ? { proofs: [] } : JSON.parse(text);
  return page(
    "Compatibility",
    "`docs/reference/compatibility.json`, which runs of `npm run test:cluster` record,",
    [
      "Somebody else's programs that the built program was run against, from outside: which version, what was exercised, with what result, on which day.",
      "A line is the sentence of a test of `test/real`, which anybody can run again. **Not exercised** means that no run has shown it, neither for nor against.",
    ],
    table(
      ["program", "version", "with", "day", "result"],
      proofs.map((proof) => [cell(proof.program), proof.version === null ? "–" : cell(proof.version), cell(proof.with.join(", ")), proof.date ?? "–", summary(proof)]),
    ),
    ...proofs.flatMap(section),
    "## Never run",
    table(
      ["what", "why"],
      never.map((row) => row.map(cell)),
    ),
  );
}

function summary({ exercised, date }) {
  const count = (wanted) => exercised.filter(({ result }) => result === wanted).length;
  if (date === null) return "not exercised";
  return ["passed", "failed", "not exercised"]
    .filter((result) => count(result) > 0)
    .map((result) => `${count(result)} ${result}`)
    .join(", ");
}

function section({ program, version, with: others, date, ours, exercised }) {
  const title = [program, version ?? "", others.length === 0 ? "" : `with ${others.join(", ")}`].filter((part) => part !== "").join(" ");
  return [
    `## ${title}`,
    date === null ? "Not exercised: it was not there." : `kubectl-oidc ${ours}, ${date}.`,
    table(
      ["exercised", "result"],
      exercised.map(({ what, result }) => [cell(what), result]),
    ),
  ];
}
