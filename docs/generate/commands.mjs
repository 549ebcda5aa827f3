import { commandNotes } from "./command-notes.mjs";
import { cell, code, fenced, page, table } from "./markdown.mjs";

export const usageOf = (name, { words }) => `kubectl oidc ${name}${words === undefined ? "" : ` ${words}`} [options]`;
/** GitHub's anchor of a heading. */
const anchor = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/ /g, "-");

export function commandsPage(facts) {
  const rows = Object.entries(facts.commandTable);
  return page(
    "Commands",
    "`src/cli/command-table.ts`",
    "The same in a terminal: `kubectl oidc help COMMAND`, or `man kubectl-oidc`. stdout is data, stderr is for people. Every command can end with [exit status](exit-statuses.md) 0, 1, 2 or 130.",
    table(
      ["command", "what it is for"],
      rows.map(([name, { help }]) => [`[${code(name)}](#${name})`, cell(help)]),
    ),
    ...rows.flatMap(([name, row]) => commandParts(name, row, facts)),
    "## help",
    "`kubectl oidc help` and `--help` show what there is, `help COMMAND` one command, `help TOPIC` one of these:",
    table(
      ["topic", "what it is about", "here"],
      Object.entries(facts.topicTable).map(([name, { help }]) => [code(name), cell(help), topicPages[name] === undefined ? "" : `[${topicPages[name]}](${topicPages[name]})`]),
    ),
  );
}

/** What the command takes beside the options of a session, which have a page of their own. */
export const optionsOf = (name, row, facts) => [
  ...facts.ownOptions(name),
  ...(row.session ? [] : facts.sessionOptions(name).map((option) => [`--${option.name}${facts.argumentOf(option)}`, option.help])),
];

const topicPages = { environment: "environment.md", "exit-codes": "exit-statuses.md", files: "files.md", config: "files.md#configyaml" };

function commandParts(name, row, facts) {
  const notes = commandNotes[name] ?? {};
  const examples = row.examples.flatMap(([words, why]) => [...(why === "" ? [] : [`# ${why}`]), `kubectl oidc ${words}`]);
  const shapes = facts.jsonShapes.filter(({ command }) => command === name);
  const about = [
    ...(notes.stdout === undefined
      ? []
      : [`- stdout: ${notes.stdout}${shapes.length === 0 ? "" : ` (${shapes.map(({ title }) => `[${title}](json.md#${anchor(title)})`).join(", ")})`}`]),
    ...(notes.exits === undefined || notes.exits === "" ? [] : [`- exit statuses: ${notes.exits}`]),
    ...(row.session ? ["- takes the [options of a session](options.md)"] : []),
    ...(row.seeAlso.length === 0 ? [] : [`- see also: ${row.seeAlso.map((other) => `[${other}](#${other})`).join(", ")}`]),
  ];
  return [
    `## ${name}`,
    `    ${usageOf(name, row)}`,
    row.about,
    fenced("sh", examples.join("\n")),
    table(
      ["option", "what it does"],
      optionsOf(name, row, facts).map(([flag, help]) => [code(flag), cell(help)]),
    ),
    ...(about.length === 0 ? [] : [about]),
  ];
}
