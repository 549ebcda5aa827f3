import type { Machine } from "../compose.ts";
import { isOwnCommand } from "../core/kubeconfig-edits.ts";
import { holds } from "../core/json-values.ts";
import { nearest, nearestContext } from "../core/nearest.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";

type Survey = ReturnType<Machine["kubeconfig"]["survey"]>;
type Context = Survey["contexts"] extends ReadonlyMap<string, infer T> ? T : never;
type Cluster = Survey["clusters"] extends ReadonlyMap<string, infer T> ? T : never;
type User = Survey["users"] extends ReadonlyMap<string, infer T> ? T : never;

/** What setup is about: one context, its cluster, and the user that is to be written. */
export interface SetupTarget {
  readonly survey: Survey;
  readonly contextName: string;
  /** Undefined: it is to be made. */
  readonly context: Context | undefined;
  /** Where context and user are written. */
  readonly contextFile: string;
  readonly userFile: string;
  readonly cluster: Cluster;
  readonly userName: string;
  /** What the user runs now; undefined for a new one. */
  readonly stanza: User["stanza"];
  /** The `env` of its stanza, as the file has it. */
  readonly env: readonly unknown[] | undefined;
  /** The user runs us already. */
  readonly isOwn: boolean;
  /** Other contexts that use the user and change with it. */
  readonly sharedWith: readonly string[];
}

/** CONTEXT_NOT_FOUND, SETTINGS_INVALID, FLAG_INVALID, KUBECONFIG_UNREADABLE. */
export const setupTarget = (call: Call): SetupTarget => targetNamed(call, call.invocation.context);

/**
 * The same after time has passed: while a person logs in, or reads the plan, others write the files (kubectl config set-context, kubens).
 * What they changed stays. KUBECONFIG_UNWRITABLE when it is what setup is about.
 */
export function setupTargetNow(call: Call, former: SetupTarget): SetupTarget {
  const now = targetNamed(call, former.contextName);
  if (!holds(essenceOf(now), essenceOf(former))) failChanged(former);
  return now;
}

export function failChanged({ contextName }: SetupTarget): never {
  return fail("KUBECONFIG_UNWRITABLE", { message: `somebody changed the context ${shown(contextName)} meanwhile; it stays as it is`, hint: "run the command again" });
}

const essenceOf = ({ context, contextFile, userFile, userName, cluster, stanza, env }: SetupTarget) => [context?.userName, contextFile, userFile, userName, cluster, stanza, env];

function targetNamed(call: Call, named: string | undefined): SetupTarget {
  const { flags, kubeconfig } = call.invocation;
  const survey = surveyed(call, kubeconfig);
  const contextName = named || survey.current;
  if (contextName === undefined)
    return fail("CONTEXT_NOT_FOUND", {
      message: "the kubeconfig has no current context",
      hint: survey.clusters.size === 0 ? firstOfAll : "add --context NAME; kubectl config get-contexts lists them",
    });
  const context = survey.contexts.get(contextName);
  const cluster = clusterOf(survey, contextName, context, textOf(flags["cluster"]));
  const { userName, user } = userOf(survey, contextName, context, textOf(flags["user"]));
  const first = survey.files[0]?.file ?? "";
  const contextFile = context?.file ?? first;
  const exec = user?.value["exec"];
  const stanza = user?.stanza;
  return {
    survey,
    contextName,
    context,
    contextFile,
    userFile: user?.file ?? contextFile,
    cluster,
    userName,
    stanza,
    isOwn: stanza !== undefined && isOwnCommand(stanza.command),
    env: isRecord(exec) && Array.isArray(exec["env"]) ? exec["env"] : undefined,
    sharedWith: [...survey.contexts.values()].filter((other) => other.userName === userName && other.name !== contextName).map(({ name }) => name),
  };
}

const firstOfAll = "add the cluster first: kubectl config set-cluster NAME --server=URL --certificate-authority=FILE --embed-certs";

/** Without any kubeconfig there is no cluster either, and that is what is missing first. */
function surveyed(call: Call, kubeconfig: string | undefined): Survey {
  try {
    return call.machine.kubeconfig.survey({ kubeconfig });
  } catch (error) {
    if (!isOidcError(error) || error.code !== "KUBECONFIG_UNREADABLE" || error.reason !== "ENOENT") throw error;
    return fail("KUBECONFIG_UNREADABLE", { message: error.message, hint: firstOfAll }, error);
  }
}

const textOf = (value: string | true | undefined) => (typeof value === "string" && value !== "" ? value : undefined);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;
const shown = (name: string) => safeText(name, 80);

function clusterOf(survey: Survey, contextName: string, context: Context | undefined, named: string | undefined): Cluster {
  if (context !== undefined) {
    if (named !== undefined && named !== context.clusterName)
      fail("FLAG_INVALID", { message: `the context ${shown(contextName)} has a cluster already, and --cluster is for a new one`, hint: "leave --cluster out" });
    const cluster = survey.clusters.get(context.clusterName ?? "");
    return (
      cluster ??
      fail("SETTINGS_INVALID", { message: `the context ${shown(contextName)} has no cluster in the kubeconfig`, hint: "kubectl config set-cluster NAME --server=URL adds one" })
    );
  }
  const names = [...survey.clusters.keys()];
  const near = nearestContext(contextName, [...survey.contexts.keys()]);
  const only = names.length === 1 && near === undefined ? names[0] : undefined;
  const cluster = survey.clusters.get(named ?? only ?? "");
  if (cluster !== undefined) return cluster;
  if (named !== undefined) {
    const meant = nearest(named, names);
    return fail("CONTEXT_NOT_FOUND", {
      message: `the kubeconfig has no cluster ${shown(named)}`,
      hint: meant === undefined ? "kubectl config get-clusters lists them" : `did you mean --cluster ${shown(meant)}?`,
    });
  }
  return fail("CONTEXT_NOT_FOUND", {
    message: `the kubeconfig has no context ${shown(contextName)}`,
    hint:
      near !== undefined
        ? `did you mean --context ${shown(near)}?`
        : names.length === 0
          ? firstOfAll
          : "add --cluster NAME to make it; kubectl config get-clusters lists the clusters",
  });
}

/** The context's own user when it runs us or kubelogin and has no other login; else one beside it, so that nobody's certificate or token is lost. */
function userOf(survey: Survey, contextName: string, context: Context | undefined, named: string | undefined) {
  const own = context?.userName;
  // One that has lost its contexts (kubectl config set-context) is judged like the others.
  const isFree = (name: string) => {
    const user = survey.users.get(name);
    return user === undefined || (user.stanza !== undefined && user.stanza.competing.length === 0);
  };
  const userName = named ?? (own !== undefined && isFree(own) ? own : `oidc-${contextName}`);
  if (!isFree(userName) && survey.users.get(userName)?.isBare !== true) {
    fail("SETTINGS_INVALID", {
      message: `the kubeconfig user ${shown(userName)} has another login, which setup does not overwrite`,
      hint: "add --user NAME with a new name",
    });
  }
  return { userName, user: survey.users.get(userName) };
}
