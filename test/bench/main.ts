import { join } from "node:path";
import { askProgram } from "../built-program.ts";
import { chosenRows, readChoice, usage } from "./choice.ts";
import { allGroups, gateGroups, type Part } from "./groups.ts";
import { describeMachine, load } from "./machine.ts";
import { executableOf } from "./parts/executable.ts";
import { findKubelogin, type Kubelogin } from "./parts/kubelogin.ts";
import type { Missing } from "./parts/missing.ts";
import { findNodes, runningNode } from "./parts/nodes.ts";
import { openStage } from "./parts/stage.ts";
import { countLine, type Report, reportJson, reportRow, reportText } from "./report.ts";
import { exitStatus, type Row, type RowPlan } from "./rows.ts";
import { openStarter } from "./starter.ts";

/** Where things are. */
export interface Places {
  readonly root: string;
  /** The executable, if it was built. */
  readonly standalone: string;
}

/** stdout is the report. */
const tell = (what: string) => void process.stderr.write(`bench: ${what}\n`);

/**
 * Measures what was chosen and writes the table, or its JSON. Gives the exit status: 1 when a limit is passed or something of ours failed. Throws for
 * what is unknown on the command line.
 */
export async function main(argv: readonly string[], { root, standalone }: Places): Promise<number> {
  const choice = readChoice(argv);
  if (choice.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const means = {
    node: findNodes(root, choice.allNodes, tell),
    kubelogin: once(() => findKubelogin(root, tell)),
    rounds: number("BENCH_ROUNDS", 201),
    storm: { count: number("BENCH_STORM", 200), rounds: number("BENCH_STORM_ROUNDS", 3) },
  };
  const groups = choice.gate ? gateGroups(means) : allGroups(means);
  const wanted = chosenRows(
    choice.names,
    groups.flatMap(({ plans }) => plans),
  );
  const machine = describeMachine();
  const program = askProgram([runningNode.file, join(root, "dist/kubectl-oidc.cjs")]);
  const executable = executableOf(standalone, program);
  const starter = await openStarter(join(root, "test/bench/starter.py"));
  const stage = openStage({ root, standalone: executable, running: runningNode, starter, tell });
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      stage.close();
      process.exit(status);
    });
  }
  try {
    const parts: Part[] = [];
    for (const group of groups) parts.push(await group.measure(stage, wanted));
    const rows = wanted.map((plan) => measured(plan, parts));
    const report: Report = {
      schema: 1,
      date: new Date().toISOString(),
      program,
      machine,
      loadAfter: load(),
      method: starter.about,
      rows: rows.map(reportRow),
      processes: parts.flatMap(({ processes = [] }) => processes),
      phases: parts.flatMap(({ phases = [] }) => phases),
      storms: parts.flatMap(({ lines = [] }) => lines),
    };
    const lines = [...reportText(report), ...(choice.gate ? [countLine(report.rows)] : [])];
    process.stdout.write(choice.json ? `${reportJson(report)}\n` : `${lines.join("\n")}\n`);
    return exitStatus(rows);
  } finally {
    stage.close();
  }
}

/** No row is left out silently. */
const measured = (plan: RowPlan, parts: readonly Part[]): Row =>
  parts.flatMap(({ rows }) => rows).find(({ id }) => id === plan.id) ?? { ...plan, outcome: { kind: "failed", why: "it was not measured" } };

function number(name: string, byDefault: number): number {
  const value = Number(process.env[name] ?? byDefault);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} is not a number of one or more`);
  return value;
}

function once(make: () => Kubelogin | Missing): () => Kubelogin | Missing {
  let made: Kubelogin | Missing | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
