// Writes docs/reference from the program's own tables; with --check, says what would change and fails.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const check = process.argv.includes("--check");
const root = new URL("..", import.meta.url);

/** The exports of a TypeScript module that imports no package. */
async function load(entry) {
  const { outputFiles } = await build({ entryPoints: [new URL(entry, root).pathname], bundle: true, write: false, format: "esm", platform: "node" });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

const { catalogue } = await load("src/errors/catalogue.ts");
const { optionTable, environmentName } = await load("src/core/flag-table.ts");

const whoActs = {
  1: "us",
  2: "the person at the keyboard",
  20: "the user must log in, or did not finish",
  30: "the issuer or the network",
  40: "whoever wrote the kubeconfig",
  50: "this computer",
  130: "nobody: it was interrupted",
};

function errorsPage() {
  const lines = [
    "# Errors",
    "",
    "Generated from `src/errors/catalogue.ts` by `npm run docs`; do not edit.",
    "",
    "kubectl shows the exit status and passes the lines through. The status says who must act.",
    "",
  ];
  for (const [status, who] of Object.entries(whoActs)) {
    lines.push(`## Exit status ${status}: ${who}`, "");
    for (const [code, entry] of Object.entries(catalogue).filter(([, { exit }]) => exit === Number(status))) {
      lines.push(`### ${code}`, "", `**${entry.title}.** ${entry.explanation}`, "", `Cure: ${entry.hint}.`, "");
    }
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function optionsPage() {
  const rows = optionTable
    .filter((row) => row.hidden !== true)
    .map(
      (row) =>
        `| \`--${row.name}\` | ${row.kind}${row.values === undefined ? "" : `: ${row.values.join(", ")}`} | ${row.help.replaceAll("|", "\\|")} | \`${environmentName(row.name)}\` |${row.fromCluster === true ? " yes" : ""} |`,
    );
  return [
    "# Options of a session",
    "",
    "Generated from `src/core/flag-table.ts` by `npm run docs`; do not edit.",
    "",
    "| option | kind | what it does | environment | from `cluster.config` |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

let stale = 0;
for (const [name, text] of Object.entries({ "errors.md": errorsPage(), "options.md": optionsPage() })) {
  const file = new URL(`docs/reference/${name}`, root);
  if (check) {
    let current = "";
    try {
      current = readFileSync(file, "utf8");
    } catch {
      // Missing counts as stale.
    }
    if (current !== text) {
      stale++;
      console.error(`docs/reference/${name} does not agree with the program; run: npm run docs`);
    }
  } else {
    mkdirSync(new URL(".", file), { recursive: true });
    writeFileSync(file, text);
  }
}
process.exit(stale === 0 ? 0 : 1);
