import type { Run } from "../app/world.ts";
import { clusterInfoFits } from "../core/exec-stanza.ts";
import type { KubeconfigValue } from "../core/kubeconfig-edits.ts";
import { type Carried, type Migration, migrationOf } from "../core/migration.ts";
import { isObject, type TrustedServer } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import type { Machine } from "../compose.ts";
import { type Call, openRun } from "./call.ts";
import { argumentsOf, fromCluster, fromEnvironment, withFiles } from "./sources.ts";

export type Survey = ReturnType<Machine["kubeconfig"]["survey"]>;
type SurveyedUser = Survey["users"] extends ReadonlyMap<string, infer U> ? U : never;

/** One user of the kubeconfig that is, or may become, ours. */
export interface MigrateUser {
  readonly name: string;
  readonly entry: SurveyedUser;
  readonly contexts: readonly string[];
  readonly kind: NonNullable<Migration>["kind"];
  /** What it becomes; undefined when it is ours, or stays as it is. */
  readonly carried: Carried | undefined;
  /** Why it stays as it is. */
  readonly problem: string | undefined;
  /** Its session, by the options that it is to have. */
  readonly run: Run | undefined;
  /** Opens the session anew, after it was stored. */
  reopen(): Run;
  readonly servers: readonly (TrustedServer | undefined)[];
  /** One of ours that names the folder of its store: what lies there was not left by this command, which writes no such option. */
  readonly movesStore: boolean;
  /** The clusters' authorities leave room for provideClusterInfo. */
  readonly fits: boolean;
}

/** What a user of a kubeconfig in this folder is to us. */
export const migrationIn = (call: Call, user: KubeconfigValue, folder: string): Migration =>
  migrationOf(user, {
    secretPath: (issuer, clientId) => call.machine.keptClientSecret(issuer, clientId).path,
    absolute: (path) => call.machine.absolute(path, folder),
  });

/** Every user that concerns us, with the session that it means. */
export function migrateUsers(call: Call, survey: Survey): readonly MigrateUser[] {
  const { terminal } = call.machine;
  const mayPrompt = terminal.stdinIsTerminal && terminal.stderrIsTerminal;
  return [...survey.users].flatMap(([name, entry]): readonly MigrateUser[] => {
    const migration = migrationIn(call, entry.value, entry.folder);
    if (migration === undefined) return [];
    const contexts = [...survey.contexts.values()].filter(({ userName }) => userName === name);
    const clusters = contexts.flatMap(({ clusterName }) => survey.clusters.get(clusterName ?? "") ?? []);
    const common = {
      name,
      entry,
      contexts: contexts.map((context) => context.name),
      kind: migration.kind,
      servers: clusters.map(({ server }) => server),
      movesStore: migration.kind === "ours" && !("problem" in migration) && namesStore(migration),
      fits: clusters.every(({ access }) => clusterInfoFits(access?.certificateAuthorityData?.length)),
    };
    const none = { carried: undefined, problem: undefined, run: undefined, reopen: () => fail() };
    if ("problem" in migration) return [{ ...common, ...none, problem: migration.problem }];
    const reopen = () => sessionOf(call, name, migration, clusters[0]?.config, mayPrompt);
    const carried = migration.kind === "ours" ? undefined : migration;
    try {
      const run = reopen();
      // Files of authorities are read now: a session whose trust cannot be told must not be begun.
      if (carried !== undefined) run.world.trust();
      return [{ ...common, carried, problem: undefined, run, reopen }];
    } catch (error) {
      if (!isOidcError(error)) throw error;
      return [{ ...common, ...none, ...(carried === undefined ? {} : { problem: error.message }) }];
    }
  });
}

const namesStore = ({ args, env }: Extract<Migration, { kind: "ours" }>) =>
  args.some((arg) => /^--token-cache-dir(=|$)/.test(arg)) || ["KUBECTL_OIDC_TOKEN_CACHE_DIR", "KUBECACHEDIR"].some((name) => env[name]);

function fail(): never {
  throw new Error("a user without a session");
}

/** As `get-token` will find it, when kubectl runs that stanza from here. */
function sessionOf(call: Call, name: string, migration: Carried | Extract<Migration, { kind: "ours" }>, clusterConfig: unknown, mayPrompt: boolean): Run {
  const label = `user ${safeText(name, 60)}`;
  const args = migration.kind === "ours" ? migration.args : migration.args.slice(1);
  const env = migration.kind === "ours" ? migration.env : variablesOf(migration.env);
  const sources = [argumentsOf(args, label), fromEnvironment(call.env, "environment"), fromEnvironment(env, label), fromCluster(clusterConfig, label)];
  return openRun(call, { ...withFiles(call.machine, sources), server: undefined, context: undefined }, { mayPrompt, server: undefined });
}

function variablesOf(list: readonly unknown[] | undefined): Readonly<Record<string, string>> {
  const pairs = (list ?? [])
    .filter(isObject)
    .flatMap(({ name, value }: KubeconfigValue) => (typeof name === "string" && typeof value === "string" ? [[name, value] as const] : []));
  return Object.fromEntries(pairs);
}
