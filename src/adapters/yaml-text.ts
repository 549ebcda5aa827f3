import { Document, Scalar, visit } from "yaml";
import { isSafeText, safeYaml } from "../core/untrusted-text.ts";

/**
 * A value as YAML that kubectl's reader takes for exactly it, in block style. YAML 1.1 quotes what that reader takes for a boolean (`on`,
 * `no`) or a time; what it breaks lines at or refuses (NEL, line separators, DEL), and what would deceive an eye, stands there as an escape.
 */
export function yamlText(value: unknown, indentSeq: boolean): string {
  const document = new Document(value, { version: "1.1", aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === "string" && needsQuotes(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return safeYaml(document.toString({ lineWidth: 0, indentSeq, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER }));
}

function needsQuotes(text: string): boolean {
  // Of a text of several lines only a certificate is shown so: lines of a stranger could pass for ours.
  if (text.includes("\n") && !text.startsWith("-----BEGIN ")) return true;
  return isGoNumber(text) || !text.split("\n").every(isSafeText);
}

/** Go's parser takes `0o17`, `0X1F` and `+_1` for numbers too. */
const isGoNumber = (text: string) => /^[-+]?(0[obx][\da-f]+|\d[\d.]*(e[-+]?\d+)?)$/i.test(text.replaceAll("_", ""));
