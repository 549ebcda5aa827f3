import { commandNotes } from "./command-notes.mjs";
import { optionsOf } from "./commands.mjs";

/** The day of a version: a page that is built twice is the same twice. */
const released = { "0.1.0": "2026-11-28" };

/** Text for troff: hyphens as such (a copied `−` is no option), no line that begins as a request, nothing but ASCII. */
export const roff = (text) =>
  String(text)
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("–", "\\(en")
    .replaceAll("→", "\\(->")
    .replaceAll("·", "\\(bu")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replace(/^\./gm, "\\&.")
    .replace(/[^\x20-\x7e\n]/gu, (found) => {
      throw new Error(`docs/generate/man.mjs has no name for ${JSON.stringify(found)}`);
    });
const bold = (text) => `\\fB${roff(text)}\\fR`;
const plain = (text) => roff(wrapped(text.replaceAll("`", "")));

/** Source lines that a person can read; troff fills its own. */
function wrapped(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== "" && last.length + word.length > 70) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.join("\n");
}

/** Terms with their descriptions. */
const terms = (rows) => rows.flatMap(([term, about]) => [".TP", bold(term), plain(about)]);
/** A paragraph after a heading needs no request of its own. */
const section = (name, ...lines) => [`.SH ${name}`, ...(lines[0] === ".PP" ? lines.slice(1) : lines)];
const paragraphs = (texts) => texts.flatMap((text) => [".PP", plain(text)]);
/** As it is typed. */
const literal = (lines) => [".PP", ".RS 4", ".nf", ...lines.map(roff), ".fi", ".RE"];

/** Values that are too many for the flag stand in its text. */
const optionTerm = (row, facts) => [
  `--${row.name}${facts.argumentOf(row)}`,
  row.values === undefined || row.values.length <= 3 ? row.help : `${row.help}: ${row.values.join(", ")}`,
];

export function manPage(facts) {
  const date = released[facts.version];
  if (date === undefined) throw new Error(`give version ${facts.version} its day in docs/generate/man.mjs`);
  const commands = Object.entries(facts.commandTable);
  return `${[
    '.\\" Generated from the tables of src/ by "npm run docs"; do not edit.',
    `.TH KUBECTL\\-OIDC 1 "${date}" "kubectl\\-oidc ${roff(facts.version)}" "User Commands"`,
    // Left-justified, and no word divided: an option would get a hyphen more.
    ".nh",
    ".ad l",
    ...section("NAME", "kubectl\\-oidc \\- log in to Kubernetes with OpenID Connect"),
    ...section("SYNOPSIS", `${bold("kubectl oidc")} \\fICOMMAND\\fR [\\fIoptions\\fR]`, ".br", `${bold("kubectl oidc help")} [\\fICOMMAND\\fR|\\fITOPIC\\fR]`),
    ...section(
      "DESCRIPTION",
      ...paragraphs([
        "One login, then short-lived credentials for kubectl, refreshed without you. kubectl runs kubectl-oidc get-token as its exec credential plugin; the refresh token rests in the keychain of the operating system, the short-lived token in a file that only you can read. People and scripts use the other commands.",
        "An existing kubelogin stanza works when its command is changed to kubectl-oidc and nothing else. stdout is data, stderr is for people.",
      ]),
    ),
    ...section("COMMANDS", ...commands.flatMap(([name, row]) => commandLines(name, row, facts))),
    ...section(
      "OPTIONS",
      ".PP",
      plain("Options of a session, of every command that takes them. Booleans take =true or =false, lists commas or a second time, durations are Go's (90s, 1h30m)."),
      ...terms(facts.optionTable.filter(({ hidden }) => hidden !== true).map((row) => optionTerm(row, facts))),
      ".PP",
      plain("Which source of an option wins, the strongest first:"),
      ...facts.precedence.flatMap((source, i) => [`.IP ${i + 1}. 4`, plain(source)]),
    ),
    ...section(
      "ENVIRONMENT",
      ".PP",
      plain(
        `Each option of a session can be a variable: --oidc-issuer-url is ${facts.environmentName("oidc-issuer-url")}, --token-cache-dir is ${facts.environmentName("token-cache-dir")}.`,
      ),
      ...Object.entries(facts.variableTable).flatMap(([title, rows]) => [`.SS ${roff(title)}`, ...terms(rows.map(({ name, help }) => [name, help]))]),
    ),
    ...section(
      "FILES",
      ".PP",
      plain("Folders, by system:"),
      ...terms(facts.folderTable.map(({ name, linux, macos, windows, help }) => [name, `${help}. Linux: ${linux}. macOS: ${macos}. Windows: ${windows}.`])),
      ".SS Written, mode 0600 in folders 0700",
      ...terms(facts.writtenFiles.map(({ path, help }) => [path, help])),
      ".SS Changed after a question",
      ...terms(facts.changedFiles.map(({ path, help }) => [path, help])),
      ".SS Read",
      ...terms(facts.readFiles.map(({ path, help }) => [path, help])),
      ".SS config.yaml",
      ...terms(facts.configKeys),
      ...literal(facts.configExample.trimEnd().split("\n")),
    ),
    ...section(
      "EXIT STATUS",
      ".PP",
      plain("The status says who must act; the code in brackets at the end of an error says what happened. kubectl oidc help exit-codes shows every code."),
      ...Object.entries(facts.exitStatuses).flatMap(([status, who]) => {
        const codes = Object.entries(facts.catalogue).filter(([, { exit }]) => exit === Number(status));
        return [".TP", bold(status), plain(`${who}${codes.length === 0 ? "." : `. ${codes.map(([code]) => code).join(", ")}.`}`)];
      }),
    ),
    ...section("EXAMPLES", ...commands.flatMap(([, { examples }]) => literal(examples.flatMap((example) => exampleLines(example, facts))))),
    ...section(
      "SEE ALSO",
      `${bold("kubectl")}(1), ${bold("kubectl oidc help")}, ${bold("kubectl oidc doctor")}`,
      ".PP",
      plain("OpenID Connect Core 1.0; RFC 8252, OAuth 2.0 for native apps; RFC 8628, device authorization; RFC 9700, best current practice."),
    ),
  ].join("\n")}\n`;
}

/** A long command goes on in the next line, as a shell reads it. */
function exampleLines([words, why], { wrap }) {
  const [first, ...more] = wrap(`kubectl oidc ${words}`, 62);
  const lines = [first, ...more.map((line) => `    ${line}`)];
  return [...(why === "" ? [] : [`# ${why}`]), ...lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line))];
}

function commandLines(name, row, facts) {
  const note = commandNotes[name] ?? {};
  const more = [
    ...(note.stdout === undefined ? [] : [`stdout: ${note.stdout}.`]),
    ...(note.exits === undefined || note.exits === "" ? [] : [`Exit statuses beside 0, 1, 2 and 130: ${note.exits}.`]),
    ...(row.session ? ["Takes the options of a session."] : []),
  ].join(" ");
  return [
    `.SS ${roff(`${name}${row.words === undefined ? "" : ` ${row.words}`}`)}`,
    plain(`${row.about}${more === "" ? "" : ` ${more}`}`),
    ...terms(optionsOf(name, row, facts).filter(([flag]) => !/^-[vh]\b/.test(flag))),
  ];
}
