import { dirname, resolve } from "node:path";
import type { ClusterAccess } from "../core/exec-info.ts";
import type { KubeconfigValue } from "../core/kubeconfig-edits.ts";
import type { TrustedServer } from "../core/session.ts";
import { accessOf, contextOf, execExtension, isBareUser, type KubeContext, serverOf, stanzaOfUser, type UserStanza } from "./kubeconfig.ts";
import { type KubeconfigChoice, type KubeconfigEntry, type KubeconfigFile, mergedKubeconfig, readKubeconfigFiles } from "./kubeconfig-files.ts";

/** One context, whatever its user is. */
export interface SurveyedContext {
  readonly name: string;
  /** The file that it is in. */
  readonly file: string;
  readonly userName: string | undefined;
  readonly clusterName: string | undefined;
  /** What its user runs, when that is us or kubelogin. */
  readonly stanza: KubeContext | undefined;
}

export interface SurveyedCluster {
  readonly name: string;
  /** The file that it is in. */
  readonly file: string;
  /** How kubectl reaches it; undefined when that cannot be told. */
  readonly access: ClusterAccess | undefined;
  readonly server: TrustedServer | undefined;
  /** Its extension for exec plugins. */
  readonly config: unknown;
}

export interface SurveyedUser {
  readonly name: string;
  readonly file: string;
  /** The folder from which a relative path of it counts. */
  readonly folder: string;
  readonly value: KubeconfigValue;
  /** What it runs, when that is us or kubelogin; whether a context uses it or not. */
  readonly stanza: UserStanza | undefined;
  /** It says nothing. */
  readonly isBare: boolean;
}

/** All that the kubeconfig files say, for those who change them. */
export interface KubeconfigSurvey {
  readonly files: readonly KubeconfigFile[];
  readonly current: string | undefined;
  readonly contexts: ReadonlyMap<string, SurveyedContext>;
  readonly clusters: ReadonlyMap<string, SurveyedCluster>;
  readonly users: ReadonlyMap<string, SurveyedUser>;
}

/** The codes of `readKubeconfig`. */
export function surveyKubeconfig(choice: KubeconfigChoice): KubeconfigSurvey {
  const files = readKubeconfigFiles(choice);
  const merged = mergedKubeconfig(files);
  const each = <T>(entries: ReadonlyMap<string, KubeconfigEntry>, make: (name: string, entry: KubeconfigEntry) => T) =>
    new Map([...entries].map(([name, entry]) => [name, make(name, entry)] as const));
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    files,
    current: merged.current,
    contexts: each(merged.contexts, (name, { value, file }) => {
      const found = contextOf(name, merged);
      return { name, file, userName: text(value["user"]), clusterName: text(value["cluster"]), stanza: typeof found === "string" ? undefined : found };
    }),
    clusters: each(merged.clusters, (name, entry) => {
      const access = accessOf(entry);
      return { name, file: entry.file, access, server: access === undefined ? undefined : serverOf(access), config: execExtension(entry.value) };
    }),
    users: each(merged.users, (name, { value, file }) => ({ name, file, folder: dirname(resolve(file)), value, stanza: stanzaOfUser(value), isBare: isBareUser(value) })),
  };
}
