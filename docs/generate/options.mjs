import { cell, code, page, table } from "./markdown.mjs";

const shown = (facts) => facts.optionTable.filter((row) => row.hidden !== true);

export function optionsPage(facts) {
  return page(
    "Options of a session",
    "`src/core/flag-table.ts`",
    "Taken by `get-token`, `login`, `token` and every other command that works with one session ([commands](commands.md)). How they are written: booleans may take `=true` or `=false`, lists commas or a second time, `k=v` pairs commas, durations are Go's (`90s`, `1h30m`), `~` in paths is your folder.",
    table(
      ["option", "kind", "what it does", "environment", "from `cluster.config`"],
      shown(facts).map((row) => [
        code(`--${row.name}`),
        `${row.kind}${row.values === undefined ? "" : `: ${row.values.join(", ")}`}`,
        cell(row.help),
        code(facts.environmentName(row.name)),
        row.fromCluster === true ? "yes" : "",
      ]),
    ),
    precedence(facts),
  );
}

export const precedence = (facts) => ["Which source wins, the strongest first:", "", ...facts.precedence.map((source, i) => `${i + 1}. ${cell(source)}`)];

export function environmentPage(facts) {
  return page(
    "Environment",
    "`src/cli/variable-table.ts` and `src/core/flag-table.ts`",
    "The same in a terminal: `kubectl oidc help environment`. What each of these could do in a kubeconfig that is not yours, and what is done about it: [explanation](../explanation/environment.md).",
    ...Object.entries(facts.variableTable).flatMap(([title, rows]) => [
      `## ${title}`,
      table(
        ["variable", "what it decides"],
        rows.map(({ name, help }) => [code(name), cell(help)]),
      ),
    ]),
    "## Options as variables",
    "For `get-token` the `env` of the kubeconfig's stanza counts. An empty variable counts as one that is not set. Lists take commas, booleans `true`, `false`, `1` or `0`. Nothing that we start gets these variables.",
    table(
      ["variable", "option"],
      shown(facts).map(({ name }) => [code(facts.environmentName(name)), `[${code(`--${name}`)}](options.md)`]),
    ),
  );
}
