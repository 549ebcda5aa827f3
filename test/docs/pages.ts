import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** Code of a page: between fences, or indented by four spaces. */
export interface Block {
  readonly page: string;
  /** Of the first line of code. */
  readonly line: number;
  /** What stands after the fence; empty for an indented block. */
  readonly language: string;
  readonly text: string;
}

/** README.md and every page under docs, relative to the repository. */
export function pageNames(): readonly string[] {
  const found = readdirSync(join(root, "docs"), { recursive: true, withFileTypes: true });
  return ["README.md", ...found.filter((entry) => entry.isFile() && entry.name.endsWith(".md")).map((entry) => relative(root, join(entry.parentPath, entry.name)))].sort();
}

export const pageText = (page: string) => readFileSync(join(root, page), "utf8");

/** The blocks of code of a page, in their order. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = pageText(page).split("\n");
  let open: { language: string; fence: string; line: number; text: string[] } | undefined;
  for (const [i, line] of lines.entries()) {
    const fence = /^\s*(```+)\s*(\S*)/.exec(line);
    const isIndented = /^ {4}/.test(line);
    if (open?.fence === "") {
      if (isIndented || (line.trim() === "" && /^ {4}/.test(lines[i + 1] ?? ""))) {
        open.text.push(line.slice(4));
        continue;
      }
      blocks.push({ page, line: open.line, language: "", text: open.text.join("\n") });
      open = undefined;
    }
    if (open !== undefined && fence?.[1] !== open.fence) open.text.push(line);
    else if (open !== undefined) {
      blocks.push({ page, line: open.line, language: open.language, text: open.text.join("\n") });
      open = undefined;
    } else if (fence !== null) open = { language: fence[2] ?? "", fence: fence[1] ?? "", line: i + 2, text: [] };
    // Deeper in a list the lines of an item are indented too: code begins after an empty line.
    else if (isIndented && (lines[i - 1] ?? "").trim() === "") open = { language: "", fence: "", line: i + 1, text: [line.slice(4)] };
  }
  if (open !== undefined) blocks.push({ page, line: open.line, language: open.language, text: open.text.join("\n") });
  return blocks;
}

/** The page without blocks of code and without `code` in a line. */
export function proseOf(page: string): string {
  const withoutFences = pageText(page).replace(/^\s*```[\s\S]*?^\s*```$/gm, "");
  return withoutFences.replace(/^ {4}.*$/gm, "").replace(/`[^`\n]*`/g, "");
}

/** Each `code` within a line of text. */
export const spansOf = (page: string) =>
  [
    ...pageText(page)
      .replace(/^\s*```[\s\S]*?^\s*```$/gm, "")
      .matchAll(/`([^`\n]+)`/g),
  ].map((match) => match[1] ?? "");
