import { withFormerOptions } from "./cluster-extension.ts";
import { holds } from "./json-values.ts";
import { isObject } from "./session.ts";

/** What a kubeconfig file holds, as JSON values. */
export type KubeconfigValue = Readonly<Record<string, unknown>>;
type Lists = "users" | "contexts" | "clusters";

const inner = { users: "user", contexts: "context", clusters: "cluster" } as const;

const listOf = (config: KubeconfigValue, list: Lists): readonly unknown[] => (Array.isArray(config[list]) ? config[list] : []);
const isNamed = (item: unknown, name: string) => isObject(item) && item["name"] === name;

/** The content of the first entry with this name, as kubectl reads it; undefined when there is none. */
export function entryOf(config: KubeconfigValue, list: Lists, name: string): KubeconfigValue | undefined {
  const found = listOf(config, list).find((item) => isNamed(item, name) && isObject((item as KubeconfigValue)[inner[list]]));
  const content = isObject(found) ? found[inner[list]] : undefined;
  return isObject(content) ? content : undefined;
}

/** The config with this entry, in its place when one of the name is there, else at the end of the list. */
export function withEntry(config: KubeconfigValue, list: Lists, name: string, content: KubeconfigValue): KubeconfigValue {
  const items = listOf(config, list);
  const at = items.findIndex((item) => isNamed(item, name));
  const known = at === -1 ? {} : (items[at] as KubeconfigValue);
  if (holds(known[inner[list]], content)) return config;
  const entry = { ...known, name, [inner[list]]: content };
  return { ...config, [list]: at === -1 ? [...items, entry] : items.map((item, i) => (i === at ? entry : item)) };
}

/** The config without entries of this name. */
export function withoutEntry(config: KubeconfigValue, list: Lists, name: string): KubeconfigValue {
  const items = listOf(config, list);
  return items.some((item) => isNamed(item, name)) ? { ...config, [list]: items.filter((item) => !isNamed(item, name)) } : config;
}

/** The config whose context, if it is there, has this user. */
export function withContextUser(config: KubeconfigValue, context: string, user: string): KubeconfigValue {
  const known = entryOf(config, "contexts", context);
  return known === undefined ? config : withEntry(config, "contexts", context, { ...known, user });
}

/** The names of the contexts that use this user. */
export function contextsOfUser(config: KubeconfigValue, user: string): readonly string[] {
  return listOf(config, "contexts").flatMap((item) =>
    isObject(item) && typeof item["name"] === "string" && isObject(item["context"]) && item["context"]["user"] === user ? [item["name"]] : [],
  );
}

/** An entry that somebody is about to change. */
export interface Touched {
  readonly list: Lists;
  readonly name: string;
  /** Of an entry that runs us, its context: when the backup knows that and not the entry, we made it. */
  readonly ownOf?: string | undefined;
}

/**
 * What is kept of the file as it was before us: the former backup, with what is to be touched for the first time as it is now. Entries that
 * the backup knows are as they were before an earlier change of ours and stay. Undefined: nothing to add.
 */
export function backupWith(backup: KubeconfigValue, now: KubeconfigValue, touched: readonly Touched[]): KubeconfigValue | undefined {
  const kept = touched.reduce((all, { list, name, ownOf }) => {
    const content = entryOf(now, list, name);
    return content === undefined || (ownOf !== undefined && entryOf(backup, "contexts", ownOf) !== undefined) || entryOf(all, list, name) !== undefined
      ? all
      : withEntry(all, list, name, content);
  }, backup);
  return kept === backup ? undefined : kept;
}

/** What a file does not say by itself. */
export interface Around {
  /** The context's user, by all files. */
  readonly user: string | undefined;
  /** Its cluster. */
  readonly cluster: string | undefined;
  /** Another context of that cluster has a user that runs us. */
  readonly isClusterShared: boolean;
  /** Does a context, of whatever file, other than this one use that user? */
  isUsed(user: string): boolean;
  /** Whose the user of this name is, in whatever file: it runs us or not; nobody's: there is none. */
  whose(user: string): "ours" | "theirs" | "nobodys";
}

/** Is this a user that setup or migrate may have written? */
export function runsUs(user: KubeconfigValue): boolean {
  const exec = user["exec"];
  return isObject(exec) && typeof exec["command"] === "string" && isOwnCommand(exec["command"]);
}

/** A program's path or name, of any platform. */
export const isOwnCommand = (command: string): boolean => /(^|[/\\])kubectl-oidc(\.\w+)?$/.test(command);

/**
 * The file with one context as it was before us: its user's name, that user's entry, and no user of ours that nothing uses any more.
 * What others changed meanwhile stays: a namespace, a renewed credential, a context that is none of ours (any more).
 */
export function undone(now: KubeconfigValue, backup: KubeconfigValue, context: string, around: Around): KubeconfigValue {
  const present = entryOf(now, "contexts", context);
  const former = entryOf(backup, "contexts", context) ?? (present === undefined ? undefined : formerOfRenamed(now, backup, present));
  const { user: presentUser, ...rest } = present ?? {};
  const whose = typeof presentUser === "string" ? around.whose(presentUser) : "nobodys";
  const returned = present === undefined || whose === "theirs" ? undefined : former;
  let config = now;
  if (returned !== undefined) config = withEntry(config, "contexts", context, returned["user"] === undefined ? rest : { ...rest, user: returned["user"] });
  else if (present !== undefined && former === undefined && whose === "ours") config = withoutEntry(config, "contexts", context);
  config = withFormerCluster(config, backup, around.isClusterShared ? undefined : around.cluster, around.user === undefined ? "nobodys" : around.whose(around.user));
  for (const name of new Set([around.user, presentUser, former?.["user"]])) {
    if (typeof name !== "string") continue;
    // The context is given back to it: one that was deleted comes again.
    const isWanted = name === returned?.["user"];
    config = withFormerUser(config, backup, name, { isWanted, isUsed: around.isUsed(name) });
  }
  return config === now ? now : withoutBegun(config, now, backup);
}

/** What setup wrote into the cluster's extension goes with the user that it was for. */
function withFormerCluster(config: KubeconfigValue, backup: KubeconfigValue, name: string | undefined, whose: "ours" | "theirs" | "nobodys"): KubeconfigValue {
  const present = name === undefined ? undefined : entryOf(config, "clusters", name);
  const former = name === undefined ? undefined : entryOf(backup, "clusters", name);
  if (name === undefined || present === undefined || former === undefined || whose !== "ours") return config;
  return withEntry(config, "clusters", name, withFormerOptions(present, former));
}

/** The file with this user as it was before us. One that does not run us (any more) is somebody else's and stays. */
export function withFormerUser(config: KubeconfigValue, backup: KubeconfigValue, name: string, { isWanted, isUsed }: { readonly isWanted: boolean; readonly isUsed: boolean }) {
  const present = entryOf(config, "users", name);
  const former = entryOf(backup, "users", name);
  if (present === undefined ? !isWanted : !runsUs(present)) return config;
  if (former !== undefined) return withEntry(config, "users", name, former);
  return isUsed ? config : withoutEntry(config, "users", name);
}

/** `kubectl config rename-context` leaves the backup the old name: the one context of the cluster that is not there any more. */
function formerOfRenamed(now: KubeconfigValue, backup: KubeconfigValue, { cluster }: KubeconfigValue): KubeconfigValue | undefined {
  const known = listOf(now, "contexts");
  const lost = listOf(backup, "contexts").filter((item) => isObject(item) && typeof item["name"] === "string" && !known.some((other) => isNamed(other, item["name"] as string)));
  const [one, ...others] = lost.flatMap((item) => (isObject(item) && isObject(item["context"]) && item["context"]["cluster"] === cluster ? [item["context"]] : []));
  return others.length === 0 ? one : undefined;
}

/** A list that we began goes with its last entry. */
function withoutBegun(config: KubeconfigValue, now: KubeconfigValue, backup: KubeconfigValue): KubeconfigValue {
  const begun = (["users", "contexts"] as const).filter((list) => listOf(config, list).length === 0 && listOf(now, list).length > 0 && !Array.isArray(backup[list]));
  const isBegun = (key: string) => begun.some((list) => list === key);
  return Object.fromEntries(Object.entries(config).flatMap(([key, value]) => (!isBegun(key) ? [[key, value]] : Object.hasOwn(backup, key) ? [[key, backup[key]]] : [])));
}
