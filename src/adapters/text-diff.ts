import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

/** A unified diff with three lines around each change, as `diff -u` and git show it; empty for equal texts. */
export function textDiff(file: string, before: string, after: string): string {
  if (before === after) return "";
  return createTwoFilesPatch(file, file, before, after, undefined, undefined, { context: 3, headerOptions: FILE_HEADERS_ONLY });
}
