import type { Machine } from "../compose.ts";
import { environmentName, optionTable } from "../core/flag-table.ts";
import { nearest } from "../core/nearest.ts";
import { nearestOption } from "../core/option-names.ts";
import { isOptionName, problemOf, type RawOptions } from "../core/option-values.ts";
import { isObject, type TrustedServer } from "../core/session.ts";
import { allowedFromCluster, type OptionSource } from "../core/settings.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError, type OidcError } from "../errors/oidc-error.ts";
import { readCommandLine } from "./program.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the options of one call come from, strongest first (cli.md, "Options of a session"). */
export interface Gathered {
  readonly sources: readonly OptionSource[];
  /** The API server of the context that was used. */
  readonly server: TrustedServer | undefined;
  /** That context; undefined when none was. */
  readonly context: ReturnType<Machine["context"]> | undefined;
  /** The configuration files that were looked for, present or not. */
  readonly looked: readonly string[];
  readonly strict: { readonly allow: Readonly<Record<string, readonly string[]>> } | undefined;
  /** Where the audit log lies; undefined: it is off. */
  readonly auditFolder?: string | undefined;
}

/** A command that may read a context: the flags, `--context` or the current one, the environment, profile, files. */
export interface Choice {
  readonly options: RawOptions;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
}

/** `get-token`: flags, environment, cluster.config, then profile and files. */
export function gatherForPlugin(machine: Machine, env: Environment, options: RawOptions, clusterConfig: unknown): Gathered {
  const first = [typed(options), fromEnvironment(env, "environment"), fromCluster(clusterConfig, "KUBERNETES_EXEC_INFO")];
  return { ...withFiles(machine, first), server: undefined, context: undefined };
}

/** `login`, `token`, `logout`: the context's stanza stands between flags and environment, so that nobody types an issuer twice. */
export function gatherForPerson(machine: Machine, env: Environment, choice: Choice): Gathered {
  const flags = typed(choice.options);
  const environment = fromEnvironment(env, "environment");
  const own = withFiles(machine, [flags, environment]);
  const isSaid = (name: "oidc-issuer-url" | "profile") => own.sources.some((source) => (source.options[name]?.at(-1) ?? "") !== "");
  const named = choice.context !== undefined || choice.kubeconfig !== undefined;
  if (!named && (isSaid("oidc-issuer-url") || isSaid("profile"))) return { ...own, server: undefined, context: undefined };
  const context = named ? machine.context(choice) : currentContext(machine);
  if (context === undefined) return { ...own, server: undefined, context: undefined };
  const label = `context ${safeText(context.contextName, 60)}`;
  const sources = [flags, argumentsOf(context.args, label), environment, fromEnvironment(context.env, label), fromCluster(context.clusterConfig, label)];
  return { ...withFiles(machine, sources), server: context.server, context };
}

/** The current context, or undefined when there is no kubeconfig at all: then a setting is missing, not a context. */
function currentContext(machine: Machine): ReturnType<Machine["context"]> | undefined {
  try {
    return machine.context({ kubeconfig: undefined, context: undefined });
  } catch (error) {
    if (isOidcError(error) && error.code === "KUBECONFIG_UNREADABLE" && error.reason === "ENOENT") return undefined;
    throw error;
  }
}

/** What is wrong with the variables or the configuration files alone, whatever the context; for `doctor`. */
export function faultOfOwnSources(machine: Machine, env: Environment): OidcError | undefined {
  try {
    fromEnvironment(env, "environment");
    machine.configuration();
    return undefined;
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
}

/** The options of a context's stanza as sources. SETTINGS_INVALID, and the codes of the configuration file. */
export function contextSources(machine: Machine, context: ReturnType<Machine["context"]>): readonly OptionSource[] {
  const label = `context ${safeText(context.contextName, 60)}`;
  return withFiles(machine, [argumentsOf(context.args, label), fromEnvironment(context.env, label), fromCluster(context.clusterConfig, label)]).sources;
}

/** The same for completion and hints: undefined when they cannot be read. */
export function sourcesOfContext(machine: Machine, context: ReturnType<Machine["context"]>): readonly OptionSource[] | undefined {
  try {
    return contextSources(machine, context);
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

export const typed = (options: RawOptions): OptionSource => ({ label: "command line", typed: true, options });

/** The arguments of a stanza are read as a command line of `get-token`; what is wrong there is SETTINGS_INVALID. */
export function argumentsOf(args: readonly string[], label: string): OptionSource {
  try {
    const read = readCommandLine(["get-token", ...args]);
    return { label, typed: false, kind: "stanza", options: read.kind === "command" ? read.options : {} };
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return fail("SETTINGS_INVALID", { message: `${label}: ${error.message}`, hint: "correct the args of the context's exec stanza" });
  }
}

/** `label`: `environment`, or the context whose stanza's `env` it is. */
export function fromEnvironment(env: Environment, label: string): OptionSource {
  const kind = label === "environment" ? "environment" : "stanza-env";
  const options: Partial<Record<string, readonly string[]>> = {};
  for (const row of optionTable) {
    const value = env[environmentName(row.name)];
    if (value === undefined) continue;
    const problem = problemOf(row, [value]);
    if (problem !== undefined) fail("SETTINGS_INVALID", { message: `${environmentName(row.name)} (${label}) ${problem}`, hint: `correct or unset ${environmentName(row.name)}` });
    options[row.name] = [value];
  }
  return { label, typed: false, kind, options };
}

/** `spec.cluster.config`: says who and for what, and nothing that weakens security. SETTINGS_INVALID for any other key. */
export function fromCluster(config: unknown, where: string): OptionSource {
  const label = `cluster config of ${where}`;
  if (config === undefined || config === null) return { label, typed: false, options: {} };
  const place = "the cluster's extension client.authentication.k8s.io/exec in the kubeconfig";
  const bad = (problem: string, near?: string): never =>
    fail("SETTINGS_INVALID", { message: `${label} ${problem}`, hint: near === undefined ? `correct ${place}` : `did you mean ${near}? correct ${place}` });
  if (!isObject(config)) return bad("is not an object");
  const options: Partial<Record<string, readonly string[]>> = {};
  for (const [name, value] of Object.entries(config)) {
    if (!allowedFromCluster(name))
      return bad(`holds ${safeText(name, 60)}, which ${isOptionName(name) ? "a cluster may not set" : "is no option that a cluster may set"}`, nearestFromCluster(name));
    const list = Array.isArray(value) ? value : [value];
    if (!list.every((item) => ["string", "number", "boolean"].includes(typeof item))) return bad(`holds a ${safeText(name, 60)} that is not a text`);
    options[name] = list.map(String);
  }
  return { label, typed: false, kind: "cluster", options };
}

/** For a name that is no option at all: one that is known, and not a cluster's to set, is said as it is. */
const nearestFromCluster = (name: string) =>
  isOptionName(name)
    ? undefined
    : nearestOption(
        name,
        optionTable.filter((row) => allowedFromCluster(row.name)).map((row) => row.name),
      );

/** Adds profile and configuration files. SETTINGS_INVALID for a profile that no file has. */
export function withFiles(machine: Machine, sources: readonly OptionSource[]): Omit<Gathered, "server" | "context"> {
  const configuration = machine.configuration();
  const { machine: shared, user, isUsersOwn, looked } = configuration;
  const own = { isOwnFile: true as const };
  const files = [
    ...(user === undefined ? [] : [{ file: user, own: isUsersOwn ? own : {} }]),
    // Under a strict file that cannot be moved, one that can be does not speak for the person.
    ...(shared === undefined ? [] : [{ file: shared, own }]),
  ];
  const name = sources.map((source) => source.options.profile?.at(-1)).find((text) => text !== undefined);
  const profiles =
    name === undefined || name === ""
      ? []
      : files.flatMap(({ file, own }) =>
          Object.hasOwn(file.profiles, name)
            ? [{ label: `profile ${safeText(name, 60)}`, typed: false, kind: "profile" as const, ...own, options: file.profiles[name] ?? {} }]
            : [],
        );
  if (name !== undefined && name !== "" && profiles.length === 0)
    failProfile(
      name,
      files.flatMap(({ file }) => Object.keys(file.profiles)),
      looked[1] ?? "config.yaml",
    );
  const deciding = decidingFiles(configuration);
  return {
    sources: [...sources, ...profiles.slice(0, 1), ...files.map(({ file, own }) => ({ label: file.path, typed: false, ...own, options: file.defaults }))],
    looked,
    strict: deciding.some((file) => file.strict) ? { allow: Object.assign({}, ...deciding.toReversed().map((file) => file.allow)) } : undefined,
    auditFolder: auditFolderBy(machine, configuration),
  };
}

type Configuration = ReturnType<Machine["configuration"]>;

/** The files that switch something on or off: under a strict one that cannot be moved, no file that can be. */
const decidingFiles = ({ machine: shared, user, fixed, isUsersOwn }: Configuration) => [
  ...(isUsersOwn && user !== undefined ? [user] : []),
  ...fixed.filter((file) => file !== user),
  ...(shared === undefined || fixed.includes(shared) ? [] : [shared]),
];

/** Where no variable can move what is strict, none moves the log away either. */
const auditFolderBy = (machine: Machine, configuration: Configuration) =>
  decidingFiles(configuration).some((file) => file.audit) ? machine.auditFolder(configuration.fixed.length > 0) : undefined;

/** Where the audit log lies, for a command that needs nothing else of the configuration files; undefined when it is off. The codes of these files. */
export const auditFolderOf = (machine: Machine): string | undefined => auditFolderBy(machine, machine.configuration());

function failProfile(name: string, known: readonly string[], file: string): never {
  const near = nearest(name, [...new Set(known)]);
  return fail("SETTINGS_INVALID", {
    message: `there is no profile ${safeText(name, 60)}`,
    hint: near === undefined ? `add it under profiles: in ${safeText(file, 120)}` : `did you mean ${safeText(near, 60)}? profiles are in ${safeText(file, 120)}`,
  });
}
