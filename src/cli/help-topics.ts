import { environmentName, type OptionRow, optionTable } from "../core/flag-table.ts";
import { catalogue } from "../errors/catalogue.ts";
import { exitStatuses } from "../errors/exit-statuses.ts";
import { configExample, configKeys, precedence } from "./config-keys.ts";
import { changedFiles, type FileRow, folderTable, readFiles, writtenFiles } from "./file-table.ts";
import { columns, page, wrap } from "./help-layout.ts";
import { variableTable } from "./variable-table.ts";

interface TopicRow {
  /** One line, for the list. */
  readonly help: string;
  /** The parts of its page below the first line. */
  parts(platform: string): readonly (readonly string[])[];
}

/** Pages about no single command, for those without the man page: `kubectl oidc help TOPIC`. */
export const topicTable = {
  environment: { help: "variables that are read", parts: environment },
  "exit-codes": { help: "exit statuses, and who must act", parts: exitCodes },
  files: { help: "files that are written and read", parts: files },
  config: { help: "the configuration file; which source of an option wins", parts: config },
} as const satisfies Record<string, TopicRow>;

export type TopicName = keyof typeof topicTable;

export function isTopic(name: string): name is TopicName {
  return Object.hasOwn(topicTable, name);
}

export function topicNames(): readonly string[] {
  return Object.keys(topicTable);
}

/** The page of one topic. */
export function topicHelp(name: TopicName, platform: string): string {
  return page([[`kubectl oidc help ${name}: ${topicTable[name].help}`], ...topicTable[name].parts(platform)]);
}

/** Where the second column begins, so that the parts of a page read as one list. Characters. */
const beginning = 22;

function environment(): readonly (readonly string[])[] {
  const options = (optionTable as readonly OptionRow[]).filter(({ hidden }) => hidden !== true);
  return [
    wrap("Each option of a session can be a variable; for get-token the env of the kubeconfig's stanza counts. Lists take commas, booleans true, false, 1 or 0."),
    ["Options as variables", ...columns(options.map(({ name }) => [environmentName(name), `--${name}`]))],
    ...Object.entries(variableTable).map(([title, rows]) => [
      title,
      ...columns(
        rows.map(({ name, help }) => [name, help]),
        beginning,
      ),
    ]),
  ];
}

function exitCodes(): readonly (readonly string[])[] {
  const all = Object.entries(catalogue);
  return [
    wrap("kubectl shows the exit status and passes the lines of an error on. The status says who must act, the code in brackets what happened."),
    ...Object.entries(exitStatuses).map(([status, who]) => [
      `${status}  ${who}`,
      ...columns(all.filter(([, { exit }]) => String(exit) === status).map(([code, { title }]) => [code, title])),
    ]),
  ];
}

function files(platform: string): readonly (readonly string[])[] {
  const place = platform === "win32" ? "windows" : platform === "darwin" ? "macos" : "linux";
  const list = (title: string, rows: readonly FileRow[]) => [
    title,
    ...columns(
      rows.map(({ path, help }) => [path, help]),
      beginning + 4,
    ),
  ];
  return [
    ["Folders of this system", ...columns(folderTable.map((folder) => [folder.name, `${folder[place]}: ${folder.help}`]))],
    list("Written (mode 0600, folders 0700)", writtenFiles),
    list("Changed after a question (setup, migrate)", changedFiles),
    list("Read", readFiles),
    wrap("The refresh token is in the keychain of your operating system, service kubectl-oidc, unless --token-cache-storage says another place."),
  ];
}

function config(platform: string): readonly (readonly string[])[] {
  const place = platform === "win32" ? "windows" : platform === "darwin" ? "macos" : "linux";
  const pathOf = (wanted: string) => folderTable.find(({ name }) => name === wanted)?.[place] ?? "";
  return [
    [
      "Example",
      ...configExample
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
    ],
    ["Keys", ...columns(configKeys)],
    [
      "Places",
      ...columns([
        ["yours", `config.yaml in ${pathOf("CONFIG")}; KUBECTL_OIDC_CONFIG names another file, which does not count under strict`],
        ["the machine's", `config.yaml in ${pathOf("MACHINE")}`],
      ]),
    ],
    ["Which source of an option wins, the strongest first", ...precedence.map((source, i) => `  ${i + 1}. ${source}`)],
  ];
}
