import { environmentName, type OptionName, optionRow } from "../core/flag-table.ts";
import { clusterInfoFits, isInStanza, secretOptions, stanzaArguments } from "../core/exec-stanza.ts";
import { isPureMachine } from "../core/keys.ts";
import { type RawOptions, splitList } from "../core/option-values.ts";
import { isPresetName, issuerProblemOf, type PresetName, presetFor, presetOf } from "../core/presets.ts";
import { mergeSources, type OptionSource } from "../core/settings.ts";
import { namesSubject } from "../core/subject-source.ts";
import { guarded } from "../core/strict.ts";
import { clusterOptions } from "../core/cluster-extension.ts";
import { isObject } from "../core/session.ts";
import { shellWord } from "../core/shell-word.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import { argumentsOf, fromCluster, fromEnvironment, typed, withFiles } from "./sources.ts";
import type { SetupTarget } from "./setup-target.ts";

/** Where setup's options come from, strongest first; those of the user's stanza count, so that nothing is typed twice. */
export function setupSources(call: Call, { stanza, cluster, contextName }: SetupTarget): readonly OptionSource[] {
  const label = `context ${safeText(contextName, 60)}`;
  const first = [
    typed(call.invocation.options),
    ...(stanza === undefined ? [] : [argumentsOf(stanza.args, label)]),
    fromEnvironment(call.env, "environment"),
    ...(stanza === undefined ? [] : [fromEnvironment(stanza.env, label)]),
    fromCluster(cluster.config, label),
  ];
  return withFiles(call.machine, first).sources;
}

/** The preset that is named, or that the issuer's URL tells. SETTINGS_INCOMPLETE without an issuer; ISSUER_MISMATCH for a URL that this kind of issuer cannot have. */
export function chosenPreset(call: Call, sources: readonly OptionSource[]): PresetName {
  const { raw } = mergeSources(sources);
  const issuer = raw["oidc-issuer-url"]?.at(-1);
  const context = call.invocation.context === undefined ? undefined : shellWord(call.invocation.context, process.platform);
  const needs = `run: kubectl oidc setup --context${context === undefined ? " NAME" : `=${context}`} --oidc-issuer-url=URL --oidc-client-id=ID`;
  if (issuer === undefined || raw["oidc-client-id"]?.at(-1) === undefined)
    return fail("SETTINGS_INCOMPLETE", { message: `${issuer === undefined ? "--oidc-issuer-url" : "--oidc-client-id"} is not set`, hint: needs });
  if (!URL.canParse(issuer)) return "generic";
  const named = call.invocation.flags["preset"];
  const preset = typeof named === "string" && isPresetName(named) ? named : presetFor(issuer);
  const problem = issuerProblemOf(preset, issuer);
  if (problem === undefined) return preset;
  const word = problem.meant === undefined ? undefined : shellWord(problem.meant, process.platform);
  return fail("ISSUER_MISMATCH", {
    message: `${shownUrl(issuer, 200)} cannot be the issuer: ${problem.problem}`,
    hint:
      word === undefined
        ? "ask the issuer's administrator for the issuer URL"
        : `use --oidc-issuer-url=${word}${typeof named === "string" ? "" : ", or --preset generic to go on with yours"}`,
  });
}

/** What the preset fills in, as the weakest source: scopes that the issuer knows. SETTINGS_INCOMPLETE when it needs a secret and there is none, nor a key or certificate. */
export function presetSource(name: PresetName, sources: readonly OptionSource[], scopesSupported: readonly string[] | undefined): OptionSource {
  const { raw } = mergeSources(sources);
  const preset = presetOf(name);
  const proofs = ["oidc-client-secret-file", "oidc-client-secret", "client-key-file", "client-certificate"] as const;
  if (preset.needsSecret && !standsOnPlatform(raw) && proofs.every((option) => raw[option] === undefined)) {
    fail("SETTINGS_INCOMPLETE", {
      message: `${preset.title} takes no client without its secret, and none was given`,
      hint: "add --oidc-client-secret-file=FILE with the client secret in it",
    });
  }
  // An unknown scope fails the login at some issuers (invalid_scope); one that lists none is asked for openid alone unless its kind is known.
  // A program has no e-mail address, and no profile: many issuers refuse such scopes to client credentials.
  const wished = isPureMachine(raw["grant-type"]?.at(-1) ?? "") || standsOnPlatform(raw) ? [] : preset.scopes;
  const scopes = wished.filter((scope) => (scopesSupported === undefined ? name !== "generic" && name !== "keycloak" : scopesSupported.includes(scope)));
  return {
    label: `preset ${name}`,
    typed: false,
    options: {
      ...(scopes.length === 0 ? {} : { "oidc-extra-scope": scopes }),
      ...(preset.prompt === undefined ? {} : { prompt: [preset.prompt] }),
    },
  };
}

/** A machine whose identity is its platform's has no client secret. */
const standsOnPlatform = (raw: RawOptions) =>
  namesSubject({
    identity: raw.identity?.at(-1),
    subjectTokenFile: raw["subject-token-file"]?.at(-1),
    subjectTokenCommand: raw["subject-token-command"]?.at(-1),
    subjectTokenVariable: raw["subject-token-variable"]?.at(-1),
    subjectTokenServiceAccount: raw["subject-token-service-account"]?.at(-1),
  });

export interface StanzaOptions {
  /** Of the options that `strict` refuses unless the file allows them, those in the stanza. */
  readonly guarded: Readonly<Record<string, readonly string[]>>;
  readonly args: readonly string[];
  /** What is written into the cluster's entry, for whoever uses it. */
  readonly ofCluster: Readonly<Partial<Record<(typeof clusterOptions)[number], readonly string[]>>>;
  /** What the stanza's `env` said before, without what its arguments say now. */
  readonly env: readonly unknown[] | undefined;
  /** Secrets that are in the person's environment, and not in the stanza: names of variables. */
  readonly leftInEnvironment: readonly string[];
  /** The client secret that would have stood in the stanza, and the file for it. */
  readonly clientSecret: { readonly text: string; readonly path: string; write(secret: string): void } | undefined;
}

/**
 * The arguments of the stanza: what was typed, what it said before, what the environment says (Lens starts kubectl without it), what the
 * preset filled in, and who the issuer is. What a profile or a file says stays there, and what the cluster says too when kubectl tells it; a
 * secret of the environment stays where it is. A client secret goes to a private file. FLAG_INVALID for another secret that was typed.
 */
export function stanzaOptions(call: Call, target: SetupTarget, sources: readonly OptionSource[]): StanzaOptions {
  const { raw, from } = mergeSources(sources);
  const label = `context ${safeText(target.contextName, 60)}`;
  const written: Partial<Record<string, readonly string[]>> = {};
  const isTold = clusterInfoFits(target.cluster.access?.certificateAuthorityData?.length);
  const isOwnSource = (source: OptionSource | undefined) =>
    source?.typed === true || source?.label === label || source?.kind === "environment" || source?.label.startsWith("preset ") === true || (source?.kind === "cluster" && !isTold);
  const isProfiled = isOwnSource(from.profile);
  const leftInEnvironment: string[] = [];
  for (const [name, values] of Object.entries(raw)) {
    const source = from[name as keyof RawOptions];
    if (source?.kind === "environment" && optionRow(name)?.secret === true) {
      if (values.some((value) => value !== "")) leftInEnvironment.push(environmentName(name));
      continue;
    }
    const isIdentity = (name === "oidc-issuer-url" || name === "oidc-client-id") && !(isProfiled && source?.kind === "profile") && source?.kind !== "cluster";
    if (!isOwnSource(source) && !isIdentity) continue;
    const kind = optionRow(name)?.kind;
    written[name] = kind === "path" || kind === "paths" ? values.map((path) => (path === "" ? path : call.machine.absolute(path))) : values;
  }
  const ofCluster = isTold ? takenForCluster(written, from, target, sources) : {};
  const secret = written["oidc-client-secret"]?.at(-1);
  const others = secretOptions(written as RawOptions).filter((name) => name !== "oidc-client-secret");
  if (others.length > 0)
    fail("FLAG_INVALID", {
      message: `--${others[0]} is a secret, and setup writes none into a kubeconfig`,
      hint: others[0] === "password" ? "use --password-file" : "put it into a profile of the configuration file, and add --profile NAME",
    });
  const isHelper = (name: string, value: string) => name === "token-cache-storage" && value.startsWith("helper:");
  const refused = Object.entries(written).map(
    ([name, values = []]) =>
      [name, guarded.includes(name as OptionName) ? values.filter((value) => value !== "" && value !== "false") : values.filter((value) => isHelper(name, value))] as const,
  );
  const allowed = Object.fromEntries(refused.filter(([, values]) => values.length > 0));
  // Arguments are stronger than the stanza's env, and what they say would stand there for nothing; a secret that moved away, in clear.
  const isSaidNow = ({ name, value }: Readonly<Record<string, unknown>>) =>
    value !== "" && Object.entries(written).some(([option, values = []]) => environmentName(option) === name && values.length > 0 && isInStanza(option));
  const env = target.env?.filter((variable) => !isObject(variable) || !isSaidNow(variable));
  const common = { guarded: allowed, env, leftInEnvironment, ofCluster };
  if (secret === undefined || secret === "") return { ...common, args: stanzaArguments(written as RawOptions), clientSecret: undefined };
  const file = call.machine.keptClientSecret(written["oidc-issuer-url"]?.at(-1) ?? "", written["oidc-client-id"]?.at(-1) ?? "");
  return { ...common, args: stanzaArguments({ ...written, "oidc-client-secret-file": [file.path] } as RawOptions), clientSecret: { ...file, text: secret } };
}

/**
 * Takes out of the stanza what is the cluster's to say: the audience that was given for it, and a stronger authentication when other contexts use the
 * user too. An argument would be stronger than the cluster's word, at every cluster of the user.
 */
function takenForCluster(
  written: Partial<Record<string, readonly string[]>>,
  from: Readonly<Partial<Record<string, OptionSource>>>,
  { sharedWith, userName, contextName }: SetupTarget,
  sources: readonly OptionSource[],
): StanzaOptions["ofCluster"] {
  const names = clusterOptions.filter((name) => name === "oidc-audience" || sharedWith.length > 0);
  const given = names.filter((name) => (from[name]?.typed === true || from[name]?.kind === "environment") && (written[name] ?? []).some((value) => value !== ""));
  const own = sources.find(({ label }) => label === `context ${safeText(contextName, 60)}`);
  const shared = given.find((name) => sharedWith.length > 0 && (own?.options[name] ?? []).some((value) => value !== ""));
  if (shared !== undefined)
    fail("SETTINGS_INVALID", {
      message: `the user ${safeText(userName, 80)} has --${shared} among its arguments, for ${sharedWith.map((name) => safeText(name, 60)).join(", ")} too`,
      hint: "add --user NAME with a new name, or take it out of the arguments first",
    });
  const taken = Object.fromEntries(given.map((name) => [name, splitList(written[name] ?? [])]));
  for (const name of given) delete written[name];
  return taken;
}
