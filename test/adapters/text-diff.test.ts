import { applyPatch } from "diff";
import fc from "fast-check";
import { expect, it } from "vitest";
import { textDiff } from "../../src/adapters/text-diff.ts";

it("is what diff -u shows, and nothing for equal texts", () => {
  expect(textDiff("config", "a\nb\nc\nd\ne\n", "a\nb\nx\nd\ne\n")).toBe("--- config\n+++ config\n@@ -1,5 +1,5 @@\n a\n b\n-c\n+x\n d\n e\n");
  expect(textDiff("config", "a\n", "a\n")).toBe("");
});

it("of thousands of lines takes no longer than they are long, and is a diff all the same", () => {
  const before = `first\n${Array.from({ length: 20_000 }, (_, i) => `line ${i % 7}\n`).join("")}last\n`;
  const after = `first\n${Array.from({ length: 10_000 }, (_, i) => `other ${i % 5}\n`).join("")}last\n`;
  const started = performance.now();
  const patch = textDiff("config", before, after);
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(applyPatch(before, patch)).toBe(after);
}, 60_000);

it("leads from the one text to the other, whatever they are", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "", "- x", "@@"), { maxLength: 30 }).map((all) => `${all.join("\n")}\n`);
  fc.assert(fc.property(lines, lines, (before, after) => before === after || applyPatch(before, textDiff("config", before, after)) === after));
});
