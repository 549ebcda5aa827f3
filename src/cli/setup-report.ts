import type { UserMapping } from "../core/administrator.ts";
import { apiServerFlags, authenticationConfiguration, roleBinding } from "../core/administrator.ts";
import { type ExecStanza, setCredentialsWords } from "../core/exec-stanza.ts";
import { kubercAllowlist } from "../core/kuberc.ts";
import { presetOf, type PresetName } from "../core/presets.ts";
import { shellWord } from "../core/shell-word.ts";
import { safeLine, safeText } from "../core/untrusted-text.ts";
import type { Call } from "./call.ts";
import type { PlannedChange } from "./setup-plan.ts";
import type { Seen } from "./setup-session.ts";

/** What the cluster's administrator needs, each part a text for pasting. */
export interface AdministratorTexts {
  readonly authenticationConfiguration: string;
  readonly flags: readonly string[];
  readonly roleBinding: string;
  readonly kuberc: string;
  readonly kubercCommand: string;
}

export function administratorTexts(call: Call, { mapping, expected }: Seen): AdministratorTexts {
  const { flags } = call.invocation;
  const group = flags["group"];
  const role = typeof flags["cluster-role"] === "string" ? flags["cluster-role"] : "view";
  const { path } = call.machine.examined.callable();
  const kuberc = kubercAllowlist(path);
  return {
    authenticationConfiguration: call.machine.yaml(authenticationConfiguration(mapping)),
    flags: apiServerFlags(mapping),
    roleBinding: call.machine.yaml(roleBinding(subjectOf(mapping, typeof group === "string" && group !== "" ? group : undefined, expected), role)),
    kuberc: kuberc.file,
    kubercCommand: kuberc.command,
  };
}

/** The group that was chosen, else the token's first, else its user; a word to be replaced when nothing is known. */
function subjectOf(mapping: UserMapping, group: string | undefined, expected: Seen["expected"]) {
  if (group !== undefined) return { kind: "Group", name: `${mapping.groupsPrefix}${group}` } as const;
  const [first] = expected?.groups ?? [];
  if (first !== undefined) return { kind: "Group", name: first } as const;
  if (expected?.username !== undefined) return { kind: "User", name: expected.username } as const;
  return { kind: "Group", name: `${mapping.groupsPrefix}GROUP` } as const;
}

/** Nobody reads more of them, and an issuer may send thousands. */
const mostGroups = 20;

/** Lines about the token's user. */
export function userLines({ expected, claims, mapping }: Seen): readonly string[] {
  if (expected === undefined || claims === undefined) return [];
  const first = expected.groups.slice(0, mostGroups).map((group) => safeText(group, 120));
  const more = expected.groups.length - first.length;
  const groups = first.length === 0 ? "none" : `${first.join(", ")}${more === 0 ? "" : `, and ${more} more`}`;
  return [
    "the API server will see, when it is set up as below:",
    `  user name  ${expected.username === undefined ? "nobody: the claim is not there" : safeText(expected.username, 255)}  (claim ${safeText(mapping.usernameClaim, 80)})`,
    `  groups     ${groups}${mapping.groupsClaim === undefined ? "" : `  (claim ${safeText(mapping.groupsClaim, 80)})`}`,
  ];
}

/** Lines of the plan: each file's diff. */
export function planLines(changes: readonly PlannedChange[]): readonly string[] {
  if (changes.length === 0) return ["the kubeconfig says all of this already; it stays as it is"];
  return changes.flatMap(({ file, diff }) => [`the kubeconfig ${safeText(file, 200)} is to change:`, "", ...diff.trimEnd().split("\n").map(safeLine), ""]);
}

/** The same change as a command, for those who keep kubeconfigs by script; undefined when a word of it is not safe in a shell. */
export function setCredentialsLine(userName: string, stanza: ExecStanza): string | undefined {
  const words = setCredentialsWords(userName, stanza).map((word) => shellWord(word, process.platform));
  return words.includes(undefined) ? undefined : words.join(" ");
}

/** A colon at its end makes a map of a flag in a static pod's manifest, a blank ends it in a shell: single quotes serve both. */
const flagWord = (flag: string) => (/[^\w@+=:,./-]|:$/.test(flag) ? `'${flag.replaceAll("'", "''")}'` : flag);

const part = (title: string, text: string) => [`# ${title}`, ...text.trimEnd().split("\n"), ""];

/** Lines for the administrator, in the order in which they are needed. */
export function administratorLines(texts: AdministratorTexts, preset: PresetName): readonly string[] {
  const { notes, title } = presetOf(preset);
  return [
    "for the cluster's administrator:",
    "",
    ...(notes.length === 0 ? [] : [`# at the issuer (${title})`, ...notes.map((note) => `#   ${note}`), ""]),
    ...part("API server, Kubernetes 1.30 and newer (v1beta1 before 1.34): --authentication-config=FILE", texts.authenticationConfiguration),
    ...part("or, before that, as flags of the API server", texts.flags.map(flagWord).join("\n")),
    ...part("who may do what: kubectl apply -f FILE", texts.roleBinding),
    ...part("kubectl 1.35 and newer may be told to start no other plugin: ~/.kube/kuberc", texts.kuberc),
    `# or: ${texts.kubercCommand}`,
  ].map(safeLine);
}
