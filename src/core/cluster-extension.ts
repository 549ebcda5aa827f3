import type { OptionName } from "./flag-table.ts";
import { isObject } from "./session.ts";

type Content = Readonly<Record<string, unknown>>;

/** The name under which a cluster speaks to exec plugins (client-go, clientauthentication/v1); kubectl hands it over as `spec.cluster.config`. */
export const extensionName = "client.authentication.k8s.io/exec";

/** What setup writes there: what differs from cluster to cluster. An audience always, so that one user entry serves every cluster. */
export const clusterOptions = ["oidc-audience", "acr-values", "max-age"] as const satisfies readonly OptionName[];

type Values = Readonly<Partial<Record<(typeof clusterOptions)[number], readonly string[]>>>;

/** The cluster's entry with these options in its extension; what else is there stays. */
export function withClusterOptions(cluster: Content, options: Values): Content {
  const written = Object.entries(options).map(([name, values]) => [name, values.length === 1 ? values[0] : values] as const);
  return written.length === 0 ? cluster : withExtension(cluster, { ...extensionOf(cluster), ...Object.fromEntries(written) });
}

/** The cluster's entry with those options as they were in `former`. */
export function withFormerOptions(cluster: Content, former: Content): Content {
  const now = extensionOf(cluster);
  const before = extensionOf(former) ?? {};
  if (now === undefined) return cluster;
  const kept = Object.entries(now).filter(([name]) => !clusterOptions.some((option) => option === name));
  const returned = clusterOptions.flatMap((name) => (Object.hasOwn(before, name) ? [[name, before[name]] as const] : []));
  const extension = Object.fromEntries([...kept, ...returned]);
  return withExtension(cluster, Object.keys(extension).length === 0 && extensionOf(former) === undefined ? undefined : extension);
}

const listOf = (cluster: Content): readonly unknown[] => (Array.isArray(cluster["extensions"]) ? cluster["extensions"] : []);
const isOurs = (item: unknown) => isObject(item) && item["name"] === extensionName;

function extensionOf(cluster: Content): Content | undefined {
  const item = listOf(cluster).find(isOurs);
  return isObject(item) && isObject(item["extension"]) ? item["extension"] : undefined;
}

/** Undefined: without one, and without an empty list. */
function withExtension(cluster: Content, extension: Content | undefined): Content {
  const items = listOf(cluster);
  const others = items.filter((item) => !isOurs(item));
  const { extensions: _, ...rest } = cluster;
  if (extension === undefined) return others.length === 0 ? rest : { ...rest, extensions: others };
  const at = items.findIndex(isOurs);
  const entry = { name: extensionName, extension };
  return { ...cluster, extensions: at === -1 ? [...items, entry] : items.map((item, i) => (i === at ? entry : item)) };
}
