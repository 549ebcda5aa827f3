import { parseArgs } from "node:util";
import type { RowPlan } from "./rows.ts";

export interface Choice {
  readonly names: readonly string[];
  readonly json: boolean;
  /** Few rows and rounds, against the limits only: for every change. */
  readonly gate: boolean;
  /** Node's builds that are missing are installed first. */
  readonly allNodes: boolean;
}

/** Throws for an option that it does not know. */
export function readChoice(argv: readonly string[]): Choice {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { json: { type: "boolean" }, gate: { type: "boolean" }, nodes: { type: "string" } },
  });
  if (values.nodes !== undefined && values.nodes !== "all") throw new Error(`--nodes takes all, not ${values.nodes}`);
  return { names: positionals, json: values.json === true, gate: values.gate === true, allNodes: values.nodes === "all" };
}

/** The rows of these names or groups, in the order of `plans`; all of them without a name. Throws for a name that is neither. */
export function chosenRows(names: readonly string[], plans: readonly RowPlan[]): readonly RowPlan[] {
  for (const name of names) {
    if (!plans.some(({ id, group }) => id === name || group === name))
      throw new Error(`no such row or group: ${name}; groups: ${[...new Set(plans.map(({ group }) => group))].join(", ")}; rows: ${plans.map(({ id }) => id).join(", ")}`);
  }
  return names.length === 0 ? plans : plans.filter(({ id, group }) => names.includes(id) || names.includes(group));
}
