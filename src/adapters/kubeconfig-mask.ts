import { isMap, isScalar, isSeq, type ParsedNode } from "yaml";
import { environmentName, optionTable } from "../core/flag-table.ts";
import { fail } from "../errors/oidc-error.ts";
import { yamlDocument } from "./yaml-document.ts";

/** Keys whose values are secret, or too long to be read. `tokenFile` is a path. */
const secretKey = /token(?!file)|password|secret|-data$|credential|authorization|cookie|passcode/i;
const secretVariable = /token|password|secret|credential|apikey|api_key|private/i;
/** Ours, and those of Azure's program and of other plugins. */
const secretFlag = /^--?[\w-]{0,60}(secret|password|token|header|extra-params|credential)(?!-(?:file|cache|dir|type|command))[\w-]{0,60}(?==|$)/i;
/** Of a proxy's or a server's URL, and of one in an argument. */
const userInfo = /\/\/[^/\s@]+@/g;

const hidden = "[hidden]";
const ownSecrets = new Set(optionTable.filter((row) => "secret" in row).map(({ name }) => environmentName(name)));

/** The same of a part of a kubeconfig. */
export function withoutSecrets<T>(part: T): T {
  return JSON.parse(maskValues(JSON.stringify(part))) as T;
}

/** The kubeconfig's text with its secrets hidden, line by line as it was: what is shown of it may be read over a shoulder, or pasted into a report. */
export function maskSecrets(text: string): string {
  const masked = maskValues(text);
  // JSON has no comments, and its texts may look like them.
  return isJson(text) ? masked : masked.replace(/(^|\s)#.*$/gm, hideInComment);
}

function isJson(text: string): boolean {
  try {
    return text.trimStart().startsWith("{") && JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
}

function maskValues(text: string): string {
  const document = yamlDocument(text, { uniqueKeys: false, merge: true });
  if (document === undefined || document.errors.length > 0) return fail("UNEXPECTED");
  const splices: { readonly from: number; readonly to: number; readonly text: string }[] = [];

  function hide(node: unknown, replaced = hidden): void {
    if (isMap(node)) for (const { value } of node.items) hide(value);
    else if (isSeq(node)) for (const item of node.items) hide(item);
    else if (isScalar(node) && node.range != null && node.value !== null && node.value !== "") {
      const [from, to] = node.range;
      const isQuoted = node.type === "QUOTE_DOUBLE" || replaced.includes(": ") || replaced.startsWith("[");
      // A block scalar's range holds its last line break.
      splices.push({ from, to: text[to - 1] === "\n" ? to - 1 : to, text: isQuoted ? JSON.stringify(replaced) : replaced });
    }
  }

  function hideArguments(items: readonly unknown[]): void {
    let next = false;
    for (const item of items) {
      const word = isScalar(item) ? String(item.value) : "";
      const [flag] = secretFlag.exec(word) ?? [];
      if (next) hide(item);
      else if (flag !== undefined && word !== flag) hide(item, `${flag}=${hidden}`);
      else look(item);
      next = flag !== undefined && word === flag;
    }
  }

  function look(node: unknown): void {
    if (isSeq(node)) for (const item of node.items) look(item);
    if (isScalar(node) && typeof node.value === "string") {
      const shown = node.value.replaceAll(userInfo, `//${hidden}@`);
      if (shown !== node.value) hide(node, shown);
    }
    if (!isMap(node)) return;
    const name = node.get("name");
    for (const { key, value } of node.items as readonly { readonly key: ParsedNode; readonly value: ParsedNode | null }[]) {
      const word = isScalar(key) ? String(key.value) : "";
      if (secretKey.test(word)) hide(value);
      else if (word === "args" && isSeq(value)) hideArguments(value.items);
      else if (word === "value" && typeof name === "string" && (secretVariable.test(name) || ownSecrets.has(name))) hide(value);
      else look(value);
    }
  }

  look(document.contents);
  return splices.sort((one, other) => other.from - one.from).reduce((all, { from, to, text: part }) => all.slice(0, from) + part + all.slice(to), text);
}

/** What somebody commented out is no part of the document, and a secret all the same. Word by word: no expression that a long line could hold up. */
function hideInComment(comment: string): string {
  const state = { isNext: false };
  return comment
    .split(/(\s+)/)
    .map((word) => {
      if (word.trim() === "") return word;
      const isValue = state.isNext;
      const equals = word.indexOf("=");
      const name = (equals === -1 ? word : word.slice(0, equals)).replaceAll(/[^\w-]/g, "");
      const isSecret = name.startsWith("--") ? secretFlag.test(name) : secretKey.test(name);
      state.isNext = isSecret && equals === -1 && (word.endsWith(":") || name.startsWith("--"));
      if (isValue) return hidden;
      return isSecret && equals !== -1 ? `${word.slice(0, equals + 1)}${hidden}` : word;
    })
    .join("");
}
