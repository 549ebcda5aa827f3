import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { yamlDocument } from "./yaml-document.ts";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";

/** Larger than any kubeconfig. Bytes. */
const mostBytes = 8_388_608;

export interface KubeconfigChoice {
  /** `--kubeconfig`; without it $KUBECONFIG, then ~/.kube/config. */
  readonly kubeconfig?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** An entry of a named list with the file that it came from. */
export interface KubeconfigEntry {
  readonly value: Readonly<Record<string, unknown>>;
  readonly file: string;
}

/** One file that is there, with its text and what it holds. */
export interface KubeconfigFile {
  readonly file: string;
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** All files as one. */
export interface Kubeconfig {
  readonly current: string | undefined;
  readonly contexts: ReadonlyMap<string, KubeconfigEntry>;
  readonly clusters: ReadonlyMap<string, KubeconfigEntry>;
  readonly users: ReadonlyMap<string, KubeconfigEntry>;
}

/**
 * Reads and merges as kubectl does: of each name the first file's entry, the first current-context that is not empty; files
 * that are absent are passed over. KUBECONFIG_UNREADABLE naming the file; with reason ENOENT when there is none at all.
 */
export function readKubeconfig(choice: KubeconfigChoice): Kubeconfig {
  return mergedKubeconfig(readKubeconfigFiles(choice));
}

/** The files that are there, each by itself, in their order. The codes of `readKubeconfig`. */
export function readKubeconfigFiles(choice: KubeconfigChoice): readonly KubeconfigFile[] {
  const files = filesOf(choice);
  const documents = files.flatMap((file) => readOne(file) ?? []);
  if (documents.length === 0)
    fail("KUBECONFIG_UNREADABLE", {
      message: `there is no kubeconfig at ${safeText(files.join(delimiter), 160)}`,
      reason: "ENOENT",
      hint: choice.kubeconfig === undefined ? "name one with --kubeconfig=FILE or the variable KUBECONFIG" : "check the path of --kubeconfig",
    });
  return documents;
}

/** Of each name the first file's entry. */
export function mergedKubeconfig(documents: readonly KubeconfigFile[]): Kubeconfig {
  const merged = (list: string, inner: string) => {
    const entries = new Map<string, KubeconfigEntry>();
    for (const { file, value } of documents) {
      for (const { name, content } of namedEntries(value[list], inner)) if (!entries.has(name)) entries.set(name, { value: content, file });
    }
    return entries;
  };
  return {
    current: documents.map(({ value }) => value["current-context"]).find((name): name is string => typeof name === "string" && name !== ""),
    contexts: merged("contexts", "context"),
    clusters: merged("clusters", "cluster"),
    users: merged("users", "user"),
  };
}

/** The files that are looked for, in their order. */
export function filesOf({ kubeconfig, env, home }: KubeconfigChoice): readonly string[] {
  if (kubeconfig !== undefined) return [kubeconfig.startsWith("~/") ? join(home, kubeconfig.slice(2)) : kubeconfig];
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  return listed.length > 0 ? [...new Set(listed)] : [join(home, ".kube", "config")];
}

/** What is not an entry is passed over: it belongs to a context that nobody asked for, or is missed when somebody does. */
function namedEntries(list: unknown, inner: string): readonly { readonly name: string; readonly content: Readonly<Record<string, unknown>> }[] {
  return (Array.isArray(list) ? list : []).flatMap((item) => {
    const name = isObject(item) ? item["name"] : undefined;
    const content = isObject(item) ? item[inner] : undefined;
    return typeof name === "string" && isObject(content) ? [{ name, content }] : [];
  });
}

/** One file by itself; undefined when it is absent. KUBECONFIG_UNREADABLE. */
export const readKubeconfigFile = (file: string): KubeconfigFile | undefined => readOne(file);

/** Undefined for a file that is absent. A reason never quotes the file: it may hold secrets. */
function readOne(file: string): KubeconfigFile | undefined {
  const unreadable = (reason: string) => fail("KUBECONFIG_UNREADABLE", { message: `the kubeconfig ${safeText(file)} cannot be read`, reason });
  const text = textOf(file, unreadable);
  if (text === undefined) return undefined;
  // As Go's YAML: a key may repeat (the last counts), and `<<` merges.
  const document = yamlDocument(text, { uniqueKeys: false, merge: true });
  if (document === undefined) return unreadable("it is nested too deeply");
  const fault = document.errors[0];
  if (fault !== undefined) return unreadable(`it is not valid YAML (line ${text.slice(0, fault.pos[0]).split("\n").length})`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
    // A node that holds an alias of itself has no end for whoever compares it.
    JSON.stringify(value);
  } catch {
    return unreadable("it cannot be expanded");
  }
  return { file, text, value: value === null || value === undefined ? {} : isObject(value) ? value : unreadable("it is not a kubeconfig") };
}

/** Undefined for a file that is absent; `unreadable` for what cannot be read, without a word of it. */
export function textOf(file: string, unreadable: (reason: string) => never): string | undefined {
  let fd: number | undefined;
  try {
    // Opening a pipe that nobody writes to would never end.
    fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd);
    if (!stat.isFile()) return unreadable("it is not a file");
    if (stat.size > mostBytes) return unreadable("it is too large");
    return readFileSync(fd, "utf8");
  } catch (error) {
    if (isOidcError(error)) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    return code === "ENOENT" ? undefined : unreadable(code ?? "unknown");
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
