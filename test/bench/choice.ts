import { parseArgs } from "node:util";
import type { RowPlan } from "./rows.ts";

export interface Choice {
  readonly names: readonly string[];
  readonly json: boolean;
  /** Few rows and rounds, against the limits only: for every change. */
  readonly gate: boolean;
  /** Node's builds that are missing are installed first. */
  readonly allNodes: boolean;
  readonly help: boolean;
}

export const usage = `npm run bench [-- OPTION… NAME…]
What the program costs: all of the table, or these rows and groups (docs/explanation/performance.md).
  --json        the report as JSON
  --gate        few rows and rounds, against the limits only
  --nodes=all   on every Node; those that are missing are installed first
  --help        this`;

/** Throws for an option that it does not know. */
export function readChoice(argv: readonly string[]): Choice {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { json: { type: "boolean" }, gate: { type: "boolean" }, nodes: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.nodes !== undefined && values.nodes !== "all") throw new Error(`--nodes takes all, not ${values.nodes}`);
  return { names: positionals, json: values.json === true, gate: values.gate === true, allNodes: values.nodes === "all", help: values.help === true };
}

/** The rows of these names or groups, in the order of `plans`; all of them without a name. Throws for a name that is neither. */
export function chosenRows(names: readonly string[], plans: readonly RowPlan[]): readonly RowPlan[] {
  for (const name of names) {
    if (!plans.some(({ id, group }) => id === name || group === name))
      throw new Error(`no such row or group: ${name}; groups: ${[...new Set(plans.map(({ group }) => group))].join(", ")}; rows: ${plans.map(({ id }) => id).join(", ")}`);
  }
  return names.length === 0 ? plans : plans.filter(({ id, group }) => names.includes(id) || names.includes(group));
}
