// The figures of docs/explanation/performance.json, which is a run of the bench: `npm run --silent bench -- --json > docs/explanation/performance.json`.

/** Finds figures in the text of a report; asking for one that was not measured gives undefined. */
export function readFigures(text) {
  const report = parsed(text);
  const rows = new Map(report.rows.map((row) => [row.id, row]));
  const processes = new Map(report.processes.map((one) => [one.id, one]));
  return {
    report,
    major: Number(report.machine.node.split(".")[0]),
    row: (id) => rows.get(id),
    /** The value as it is shown, where it was measured. */
    shown: (id) => rows.get(id)?.shown,
    process: (id) => processes.get(id),
    phases: (what, form, storage) => report.phases.find((one) => one.what === what && one.form.startsWith(form) && one.storage === storage),
  };
}

function parsed(text) {
  try {
    const report = JSON.parse(text);
    if (report.schema === 1) return report;
  } catch {
    // Said below: npm's own first lines are the usual reason.
  }
  throw new Error("docs/explanation/performance.json is no report of the bench; run: npm run --silent bench -- --json > docs/explanation/performance.json");
}

export const ms = (value) =>
  value === undefined || Number.isNaN(value) ? "–" : value < 100 ? `${value.toFixed(1)} ms` : value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;

/** When, what, on what: the sentence that a figure needs. */
export function provenance({ date, program, machine, loadBefore = machine.loadBefore, method }) {
  const day = date.slice(0, 10);
  return [
    `Measured on ${day} with \`npm run bench\`: kubectl-oidc ${program.version} (${program.commit}); ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB,`,
    `${machine.os}, ${machine.kernel}, Node ${machine.node}; load ${loadBefore} before the run; ${method}.`,
  ];
}
