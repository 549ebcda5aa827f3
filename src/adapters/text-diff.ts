import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

/** Lines around each change. */
const context = 3;
/** Lines that go or come. The work grows with their square: 13,000 take half a minute. */
const mostLines = 1_000;

/** A unified diff with three lines around each change, as `diff -u` and git show it; empty for equal texts. */
export function textDiff(file: string, before: string, after: string): string {
  if (before === after) return "";
  return (
    createTwoFilesPatch(file, file, before, after, undefined, undefined, { context, headerOptions: FILE_HEADERS_ONLY, maxEditLength: mostLines }) ?? inOnePart(file, before, after)
  );
}

/** The same as one change from the first line that differs to the last: what no person reads line by line costs no more than it is long. */
function inOnePart(file: string, before: string, after: string): string {
  const [old, now] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++;
  const from = Math.max(0, start - context);
  const below = Math.min(end, context);
  const head = old.slice(from, start).map((line) => ` ${line}`);
  const tail = old.slice(old.length - end, old.length - end + below).map((line) => ` ${line}`);
  const gone = old.slice(start, old.length - end).map((line) => `-${line}`);
  const came = now.slice(start, now.length - end).map((line) => `+${line}`);
  const counts = [head.length + gone.length + tail.length, head.length + came.length + tail.length];
  return `${[`--- ${file}`, `+++ ${file}`, `@@ -${from + 1},${counts[0]} +${from + 1},${counts[1]} @@`, ...head, ...gone, ...came, ...tail].join("\n")}\n`;
}

const linesOf = (text: string) => text.replace(/\n$/, "").split("\n");
