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
  readonly list: "users" | "contexts";
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

/**
 * The file with one context as it was before us: its user's name, that user's entry, and no user of ours that nothing uses any more.
 * What others changed meanwhile stays. `isUsed`: does a context, of whatever file, other than this one use that user?
 */
export function undone(now: KubeconfigValue, backup: KubeconfigValue, context: string, isUsed: (user: string) => boolean): KubeconfigValue {
  const touchedUser = entryOf(now, "contexts", context)?.["user"];
  const formerContext = entryOf(backup, "contexts", context);
  const formerUser = formerContext?.["user"];
  let config = now;
  if (formerContext !== undefined) {
    const { user: _, ...rest } = entryOf(config, "contexts", context) ?? {};
    config = withEntry(config, "contexts", context, { ...rest, ...formerContext });
  } else if (entryOf(now, "contexts", context) !== undefined) config = withoutEntry(config, "contexts", context);
  for (const name of new Set([touchedUser, formerUser])) {
    if (typeof name !== "string") continue;
    const former = entryOf(backup, "users", name);
    if (former !== undefined) config = withEntry(config, "users", name, former);
    else if (!isUsed(name)) config = withoutEntry(config, "users", name);
  }
  // A list that we began goes with its last entry.
  const begun = (["users", "contexts"] as const).filter((list) => listOf(config, list).length === 0 && listOf(now, list).length > 0 && !Array.isArray(backup[list]));
  const isBegun = (key: string) => begun.some((list) => list === key);
  return Object.fromEntries(Object.entries(config).flatMap(([key, value]) => (!isBegun(key) ? [[key, value]] : Object.hasOwn(backup, key) ? [[key, backup[key]]] : [])));
}
