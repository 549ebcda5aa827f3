import type { Machine } from "../compose.ts";
import { clusterInfoFits, type ExecStanza, execStanza } from "../core/exec-stanza.ts";
import { withClusterOptions } from "../core/cluster-extension.ts";
import { entryOf, type KubeconfigValue, type Touched, withContextUser, withEntry } from "../core/kubeconfig-edits.ts";
import type { Call } from "./call.ts";
import type { StanzaOptions } from "./setup-options.ts";
import type { SetupTarget } from "./setup-target.ts";

export type PlannedChange = ReturnType<Machine["kubeconfig"]["planChange"]>;

export interface KubeconfigPlan {
  readonly stanza: ExecStanza;
  /** Of files that change; the user's comes first, so that no context ever names a user that is not there. */
  readonly changes: readonly PlannedChange[];
}

interface Edit {
  readonly file: string;
  readonly edit: (config: KubeconfigValue) => KubeconfigValue;
  readonly touched: readonly Touched[];
}

/** The kubeconfig with that user and context. Other logins of a user are not carried into the stanza's. */
export function planKubeconfig(call: Call, target: SetupTarget, { args, env, ofCluster }: StanzaOptions): KubeconfigPlan {
  const { contextName, context, contextFile, userFile, userName, cluster, survey } = target;
  const { path } = call.machine.examined.callable();
  const stanza = execStanza({
    command: call.invocation.flags["absolute-path"] === true ? path : "kubectl-oidc",
    args,
    env,
    provideClusterInfo: clusterInfoFits(cluster.access?.certificateAuthorityData?.length),
  });
  const withUser = (config: KubeconfigValue) => withEntry(config, "users", userName, { ...entryOf(config, "users", userName), exec: stanza });
  const withContext = (config: KubeconfigValue) =>
    context === undefined ? withEntry(config, "contexts", contextName, { cluster: cluster.name, user: userName }) : withContextUser(config, contextName, userName);
  const touchedUser: Touched = { list: "users", name: userName, ownOf: target.isOwn ? contextName : undefined };
  const touchedContext: Touched = { list: "contexts", name: contextName };
  const withCluster = (config: KubeconfigValue) => withEntry(config, "clusters", cluster.name, withClusterOptions(entryOf(config, "clusters", cluster.name) ?? {}, ofCluster));
  const edits: readonly Edit[] =
    userFile === contextFile
      ? [{ file: userFile, edit: (config) => withContext(withUser(config)), touched: [touchedUser, touchedContext] }]
      : [
          { file: userFile, edit: withUser, touched: [touchedUser] },
          { file: contextFile, edit: withContext, touched: [touchedContext] },
        ];
  const changes = withClusterEdit(
    edits,
    cluster.file,
    Object.keys(ofCluster).length === 0 ? undefined : { edit: withCluster, touched: { list: "clusters", name: cluster.name } },
  ).flatMap(({ file, edit, touched }) => {
    const found = survey.files.find((one) => one.file === file);
    return found === undefined ? [] : [call.machine.kubeconfig.planChange(found, edit(found.value), touched)];
  });
  return { stanza, changes: changes.filter(({ before, after }) => before !== after) };
}

/** One write of each file: the cluster's change goes with another of the same file. */
function withClusterEdit(edits: readonly Edit[], file: string, cluster: { readonly edit: Edit["edit"]; readonly touched: Touched } | undefined): readonly Edit[] {
  if (cluster === undefined) return edits;
  if (!edits.some((one) => one.file === file)) return [...edits, { file, edit: cluster.edit, touched: [cluster.touched] }];
  return edits.map((one) => (one.file === file ? { file, edit: (config) => cluster.edit(one.edit(config)), touched: [...one.touched, cluster.touched] } : one));
}
