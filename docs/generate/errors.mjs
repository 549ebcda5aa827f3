import { code, page, table } from "./markdown.mjs";

export function errorsPage({ catalogue, exitStatuses }) {
  const parts = [];
  for (const [status, who] of Object.entries(exitStatuses)) {
    const found = Object.entries(catalogue).filter(([, { exit }]) => exit === Number(status));
    if (found.length === 0) continue;
    parts.push(`## Exit status ${status}: ${who}`);
    for (const [name, entry] of found) parts.push(`### ${name}`, `**${entry.title}.** ${entry.explanation}`, `Cure: ${cure(entry.hint)}.`);
  }
  return page("Errors", "`src/errors/catalogue.ts`", "kubectl shows the exit status and passes the lines through. The status says who must act.", ...parts);
}

/** A command without the full stop that follows it. */
const cure = (hint) => hint.replace(/run: (kubectl .+)$/, (_, command) => `run ${code(command)}`);

export function exitStatusesPage({ catalogue, exitStatuses }) {
  const codes = (status) =>
    Object.entries(catalogue)
      .filter(([, { exit }]) => exit === Number(status))
      .map(([name]) => `[${name}](errors.md#${name.toLowerCase()})`)
      .join(", ");
  return page(
    "Exit statuses",
    "`src/errors/exit-statuses.ts` and `src/errors/catalogue.ts`",
    table(
      ["status", "who must act", "codes"],
      Object.entries(exitStatuses).map(([status, who]) => [code(status), who, codes(status) || "–"]),
    ),
    "kubectl ends with status 1 when its plugin fails and shows ours in its message: `exec: executable kubectl-oidc failed with exit code 20`.",
    [
      "An error is three lines at most on stderr: what, why when more is known, and the command that cures it.",
      "",
      "    kubectl-oidc: error: not logged in to https://id.example.com [LOGIN_REQUIRED]",
      "    kubectl-oidc: hint: run: kubectl oidc login --context=prod",
      "",
      "With `-o json` it is one JSON object, the last line of stderr ([json.md](json.md#an-error)). New codes may be added; none is renamed or moved.",
    ],
    [
      "- A bad option on the command line is 2; the same value in a variable, a profile, `cluster.config` or a file is 40.",
      "- `status` ends with 0 also when nothing is stored, `logout` also when there was nothing to end.",
      "- `doctor` ends with 0, or with the status of the first check that failed.",
      "- A signal or Ctrl-C is 130; a code or token request that was sent is finished and stored first.",
    ],
  );
}
