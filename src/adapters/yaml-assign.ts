import { type Document, isMap, isScalar, isNode, isSeq, type Node, type Scalar } from "yaml";
import { aligned, gone, holds } from "../core/json-values.ts";
import { isObject } from "../core/session.ts";
import { partOf } from "./yaml-document.ts";

/**
 * Changes the document's nodes until they hold `wanted`; those that hold it already stay, with their comments. For documents whose text cannot
 * be changed in place (flow style, anchors): the library writes them anew.
 */
export function assignYaml(document: Document.Parsed, wanted: unknown): void {
  const valueIn = (node: unknown) => partOf(document, node);

  function assigned(node: unknown, value: unknown): Node {
    if (isMap(node) && isObject(value)) {
      const known = valueIn(node);
      const now = isObject(known) ? known : {};
      for (const key of Object.keys(now)) if (!Object.hasOwn(value, key)) node.delete(key);
      for (const [key, one] of Object.entries(value)) if (!Object.hasOwn(now, key) || !holds(now[key], one)) node.set(key, assigned(node.get(key, true), one));
      return node;
    }
    if (isSeq(node) && Array.isArray(value)) {
      let at = 0;
      const items: unknown[] = [];
      for (const [known, one] of aligned(node.items.map(valueIn), value)) {
        const item = known === undefined ? undefined : node.items[at++];
        if (one !== gone) items.push(item === undefined ? document.createNode(one) : holds(known, one) ? item : assigned(item, one));
      }
      node.items = items;
      return node;
    }
    if (isScalar(node) && !isObject(value) && !Array.isArray(value)) {
      (node as Scalar).value = value;
      return node;
    }
    const made = document.createNode(value);
    const comments = isNode(node) ? [node.commentBefore, node.comment].filter((text) => text !== undefined && text !== null) : [];
    if (comments.length > 0) made.commentBefore = comments.join("\n");
    return made;
  }

  document.contents = assigned(document.contents, wanted) as typeof document.contents;
}
