import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, type Scalar, visit as eachNode, type YAMLMap, type YAMLSeq } from "yaml";
import { aligned, gone, holds } from "../core/json-values.ts";
import { isObject } from "../core/session.ts";
import { fail } from "../errors/oidc-error.ts";
import { assignYaml } from "./yaml-assign.ts";
import { partOf, yamlDocument } from "./yaml-document.ts";
import { yamlText } from "./yaml-text.ts";

/** As kubeconfigs are read (kubeconfig-files.ts). */
const asKubeconfig = { uniqueKeys: false, merge: true } as const;

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** What cannot be changed in place: then the whole document is written anew by the library, with its comments. */
class NotInPlace extends Error {}

/**
 * Gives the YAML (or JSON) text that holds `wanted` and differs from `text` as little as can be: every comment, blank line, quote and
 * order of what does not change stays to the byte. The result was read again and holds `wanted`. KUBECONFIG_UNWRITABLE; UNEXPECTED for a text that is no YAML
 * map: whoever calls has read it before.
 */
export function rewriteYaml(text: string, wanted: Readonly<Record<string, unknown>>): string {
  const mark = text.startsWith("\ufeff") ? "\ufeff" : "";
  const isWindows = text.includes("\r\n") && !/(^|[^\r])\n/.test(text);
  // Of both kinds of line ends each stays what it is: the parser takes either.
  const unix = isWindows ? text.slice(mark.length).replaceAll("\r\n", "\n") : text.slice(mark.length);
  const rewritten = rewriteUnix(unix, wanted);
  return mark + (isWindows ? rewritten.replaceAll("\n", "\r\n") : rewritten);
}

function rewriteUnix(text: string, wanted: Readonly<Record<string, unknown>>): string {
  // An empty file holds nothing, and is not told so in writing.
  const isNothing = Object.keys(wanted).length === 0;
  // A blank before the first key would be its indentation.
  if (text.trim() === "") return isNothing ? text : `${text === "" || text.endsWith("\n") ? text : ""}${yamlText(wanted, false)}`;
  const json = jsonOf(text);
  if (json !== undefined) return holds(json, wanted) ? text : `${JSON.stringify(wanted, null, indentOfJson(text))}${text.endsWith("\n") ? "\n" : ""}`;
  const document = yamlDocument(text, asKubeconfig);
  if (document === undefined || document.errors.length > 0) return fail("UNEXPECTED");
  const valueIn = (node: unknown) => partOf(document, node);
  if (document.contents === null || valueIn(document.contents) === null) {
    if (isNothing) return text;
    const added = `${text}${text.endsWith("\n") ? "" : "\n"}${yamlText(wanted, false)}`;
    // Behind a mark of the document's end, or of a null, it would be another document.
    return reads(added, wanted) ? added : plain(wanted);
  }
  const contents = document.contents;
  return inPlace(text, contents, wanted, valueIn) ?? anew(document, wanted, indentsLists(text, contents)) ?? plain(wanted);
}

/** The last resort. What our own reader would refuse is not written: hundreds of colons on one line, for example, that were on two. */
function plain(wanted: Readonly<Record<string, unknown>>): string {
  const text = yamlText(wanted, false);
  if (reads(text, wanted)) return text;
  return fail("KUBECONFIG_UNWRITABLE", {
    message: "the kubeconfig holds what cannot be written back as it is; nothing was changed",
    hint: "change it by hand, or with kubectl config",
  });
}

/** Undefined when the text cannot be changed in place. */
function inPlace(text: string, root: ParsedNode, wanted: unknown, valueIn: Values): string | undefined {
  try {
    const splices = changes(text, root, wanted, valueIn);
    // From the end, so that positions stay; of two at one place, the outer list's addition comes behind the inner's.
    const ordered = splices.map((splice, i) => ({ ...splice, i })).sort((one, other) => other.from - one.from || other.i - one.i);
    const spliced = ordered.reduce((all, { from, to, text: part }) => all.slice(0, from) + part + all.slice(to), text);
    return reads(spliced, wanted) ? spliced : undefined;
  } catch (error) {
    if (error instanceof NotInPlace) return undefined;
    throw error;
  }
}

/** An alias that hangs on what goes, or on what changes for one of them only, becomes what it stands for. */
function anew(document: Document.Parsed, wanted: unknown, indentSeq: boolean): string | undefined {
  const rewritten = assignedText(document.clone() as Document.Parsed, wanted, indentSeq);
  if (rewritten !== undefined) return rewritten;
  const values = new Map<unknown, unknown>();
  eachNode(document, { Alias: (_, alias) => void values.set(alias, partOf(document, alias)) });
  eachNode(document, {
    Alias: (_, alias) => document.createNode(values.get(alias) ?? null),
    Node: (_, node) => {
      if ("anchor" in node) delete node.anchor;
    },
  });
  return assignedText(document, wanted, indentSeq);
}

function assignedText(document: Document.Parsed, wanted: unknown, indentSeq: boolean): string | undefined {
  try {
    assignYaml(document, wanted);
    const text = document.toString({ lineWidth: 0, indentSeq });
    return reads(text, wanted) ? text : undefined;
  } catch {
    // The library's own refusals: an alias whose anchor is gone, a merge of what is no map.
    return undefined;
  }
}

/** True when the text, read as kubeconfigs are, is this value. */
function reads(text: string, wanted: unknown): boolean {
  const document = yamlDocument(text, asKubeconfig);
  return document !== undefined && document.errors.length === 0 && holds(partOf(document, document.contents), wanted);
}

type Values = (node: unknown) => unknown;
type Collection = YAMLMap.Parsed | YAMLSeq.Parsed;

function changes(text: string, root: ParsedNode, wanted: unknown, valueIn: Values): readonly Splice[] {
  const splices: Splice[] = [];
  const isIndented = indentsLists(text, root);
  const columnOf = (at: number) => at - (text.lastIndexOf("\n", at - 1) + 1);
  const startOf = (node: ParsedNode) => node.range?.[0] ?? notInPlace();
  const endOf = (node: ParsedNode) => node.range?.[1] ?? notInPlace();
  /** Behind what stands at the end of this line, a comment included. */
  const lineEnd = (at: number) => (at > 0 && text[at - 1] === "\n" ? at - 1 : text.indexOf("\n", at) === -1 ? text.length : text.indexOf("\n", at));
  /** Puts lines behind the line that ends with `at`. */
  const insertAfter = (at: number, lines: string) => splices.push({ from: lineEnd(at), to: lineEnd(at), text: `\n${lines}` });
  /** Removes the lines from that of `from` to that of `to`. */
  const removeLines = (from: number, to: number) => {
    const start = text.lastIndexOf("\n", from - 1) + 1;
    if (text.slice(start, from).trim() !== "") notInPlace();
    const end = lineEnd(to);
    splices.push(end < text.length ? { from: start, to: end + 1, text: "" } : { from: Math.max(0, start - 1), to: end, text: "" });
  };
  const block = (value: unknown, column: number) => indented(yamlText(value, isIndented).trimEnd(), column);
  /** `key: value` in lines, the first without its indentation. */
  const pairText = (key: string, value: unknown, column: number) => indented(yamlText({ [key]: value }, isIndented).trimEnd(), column).trimStart();

  function visitMap(map: YAMLMap.Parsed, value: Readonly<Record<string, unknown>>): void {
    const [first] = map.items;
    if (first === undefined || map.items.some((pair) => isScalar(pair.key) && pair.key.value === "<<")) notInPlace();
    const column = columnOf(startOf(first.key as ParsedNode));
    const known = new Map(map.items.map((pair) => [String(valueIn(pair.key)), pair] as const));
    if (known.size !== map.items.length) notInPlace();
    for (const [key, pair] of known) {
      if (Object.hasOwn(value, key)) visitPair(pair, key, value[key], column);
      else removeLines(startOf(pair.key as ParsedNode), endOfPair(pair));
    }
    const added = Object.entries(value).filter(([key]) => !known.has(key));
    if (added.length > 0) insertAfter(endOf(map), added.map(([key, one]) => " ".repeat(column) + pairText(key, one, column)).join("\n"));
  }

  function endOfPair(pair: Pair<ParsedNode, ParsedNode | null>): number {
    return pair.value === null ? endOf(pair.key) : endOf(pair.value);
  }

  function visitPair(pair: Pair<ParsedNode, ParsedNode | null>, key: string, value: unknown, column: number): void {
    const node = pair.value;
    if (holds(valueIn(node), value)) return;
    if (node !== null && canBeVisited(node, value)) {
      visit(node, value);
      return;
    }
    if (isScalar(node) && !isCollection(value) && isPlainPlace(node)) {
      // `user:` and nothing: the place is right behind the colon.
      const isNothing = startOf(node) === endOf(node) && /\S/.test(text[startOf(node) - 1] ?? "");
      splices.push({ from: startOf(node), to: endOf(node), text: `${isNothing ? " " : ""}${scalarText(value)}` });
      return;
    }
    const from = startOf(pair.key);
    const to = endOfPair(pair);
    const [, ...lines] = pairText(key, value, column).split("\n");
    const line = text.slice(from, lineEnd(to));
    // `users: []  # none yet`: the comment stays behind the key.
    if (lines.length > 0 && (node === null || isScalar(node) || (node as Collection).flow === true) && !line.includes("\n")) {
      const colon = text.indexOf(":", endOf(pair.key)) + 1;
      if (colon > 0 && colon <= to) {
        if (text.slice(colon, to).trim() !== "") splices.push({ from: colon, to, text: "" });
        insertAfter(to, lines.join("\n"));
        return;
      }
    }
    // A comment between them would be lost.
    if (/#/.test(text.slice(endOf(pair.key), node === null ? to : startOf(node)))) notInPlace();
    splices.push({ from, to: text[to - 1] === "\n" ? to - 1 : to, text: pairText(key, value, column) });
  }

  function visitList(list: YAMLSeq.Parsed, value: readonly unknown[]): void {
    const items = list.items as readonly ParsedNode[];
    const [first] = items;
    const last = items.at(-1);
    if (first === undefined || last === undefined) notInPlace();
    const dashOf = (node: ParsedNode) => text.lastIndexOf("-", startOf(node) - 1);
    const column = columnOf(dashOf(first));
    let before: ParsedNode | undefined;
    let at = 0;
    const added: { readonly after: ParsedNode | undefined; readonly value: unknown }[] = [];
    for (const [node, wantedItem] of aligned(items.map(valueIn), value)) {
      const item = node === undefined ? undefined : items[at++];
      if (item === undefined) added.push({ after: before, value: wantedItem });
      else if (wantedItem === gone) removeLines(dashOf(item), endOf(item));
      else {
        visitItem(item, wantedItem);
        before = item;
      }
    }
    const groups = new Map<ParsedNode | undefined, unknown[]>();
    for (const { after, value: one } of added) groups.set(after, [...(groups.get(after) ?? []), one]);
    for (const [after, values] of groups) {
      const lines = values.map((one) => `${" ".repeat(column)}- ${block(one, column + 2).trimStart()}`).join("\n");
      if (after === undefined) splices.push({ from: dashOf(first) - column, to: dashOf(first) - column, text: `${lines}\n` });
      else insertAfter(endOf(after), lines);
    }
  }

  function visitItem(node: ParsedNode, value: unknown): void {
    if (holds(valueIn(node), value)) return;
    if (canBeVisited(node, value)) {
      visit(node, value);
      return;
    }
    const to = endOf(node);
    splices.push({
      from: startOf(node),
      to: text[to - 1] === "\n" ? to - 1 : to,
      text: isCollection(value) ? block(value, columnOf(startOf(node))).trimStart() : scalarText(value),
    });
  }

  function visit(node: ParsedNode, value: unknown): void {
    if (isMap(node) && isObject(value)) visitMap(node as YAMLMap.Parsed, value);
    else if (isSeq(node) && Array.isArray(value)) visitList(node as YAMLSeq.Parsed, value);
    else notInPlace();
  }

  function canBeVisited(node: ParsedNode, value: unknown): boolean {
    if (isAlias(node) || node.anchor !== undefined) return false;
    const isBlock = (isMap(node) || isSeq(node)) && (node as Collection).flow !== true && node.items.length > 0;
    return isBlock && ((isMap(node) && isObject(value) && Object.keys(value).length > 0) || (isSeq(node) && Array.isArray(value) && value.length > 0));
  }

  if (!isMap(root) || root.flow === true || !isObject(wanted)) notInPlace();
  visitMap(root as YAMLMap.Parsed, wanted);
  return splices;
}

/** A scalar that stands on one line. */
const isPlainPlace = ({ type }: Scalar) => type === "PLAIN" || type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE";

const isCollection = (value: unknown) => Array.isArray(value) || isObject(value);

const scalarText = (value: unknown) => yamlText(value, false).trimEnd();

const indented = (text: string, column: number) =>
  text
    .split("\n")
    .map((line) => (line === "" ? line : " ".repeat(column) + line))
    .join("\n");

function notInPlace(): never {
  throw new NotInPlace();
}

/** Does the file write the dashes of a list further in than the key above? kubectl does not; people do. */
function indentsLists(text: string, root: ParsedNode): boolean {
  const lists = isMap(root) ? root.items.flatMap(({ value }) => (isSeq(value) && value.flow !== true && value.items.length > 0 ? [value] : [])) : [];
  const [list] = lists;
  const at = list?.range?.[0];
  return at !== undefined && at !== null && at > text.lastIndexOf("\n", at - 1) + 1;
}

function jsonOf(text: string): unknown {
  try {
    return text.trimStart().startsWith("{") ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

const indentOfJson = (text: string) => /\n([ \t]+)"/.exec(text)?.[1] ?? 0;
