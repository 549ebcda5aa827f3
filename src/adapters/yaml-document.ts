import { type Document, type DocumentOptions, isNode, type ParseOptions, parseDocument, type SchemaOptions } from "yaml";

/**
 * A YAML text that anybody may have written, parsed in bounded time; undefined when it is nested too deeply, or otherwise made to keep a
 * parser busy. What is wrong with it apart from that is in `errors`.
 */
export function yamlDocument(text: string, options: ParseOptions & DocumentOptions & SchemaOptions): Document.Parsed | undefined {
  if (isNestedTooDeeply(text)) return undefined;
  try {
    return parseDocument(text, { prettyErrors: false, logLevel: "silent", ...options });
  } catch (error) {
    // What the look beforehand did not see.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** True also for what costs the parser as much as depth does. The parser recurses, and a stack that is full ends Node here and there without an exception. No file of ours, and no kubeconfig, has ten levels. */
export function isNestedTooDeeply(text: string): boolean {
  if (/\n {200}|(?:[-?][ \t]+){100}/.test(text)) return true;
  // `a: a: a: …` on one line: a level each for the parser, before it says that this is no YAML.
  for (const [part] of text.matchAll(/[^\n,{}[\]]+/g)) if ((part.match(/:/g)?.length ?? 0) > 100) return true;
  // Each comma after a comma is a fault of its own; a hundred thousand of them take seconds to write down.
  if (/(?:,\s{0,9}){100}/.test(text)) return true;
  let depth = 0;
  // Each one that closes nothing is a fault of its own, and the parser reads on from the beginning for each: 160 KB take it 26 seconds.
  let surplus = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    if (/[[{]/.test(bracket)) depth++;
    else if (depth > 0) depth--;
    else surplus++;
    if (depth > 100 || surplus > 100) return true;
  }
  return false;
}

/**
 * The value of a part of the document; undefined for what is no node, and for one that the library cannot give by itself, which it says by
 * errors of several kinds: an alias, or a merge, of what stands outside of the part and is empty (`a: &x`, `b: *x`).
 */
export function partOf(document: Document.Parsed, node: unknown): unknown {
  if (!isNode(node)) return undefined;
  try {
    return node.toJS(document, { maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}
