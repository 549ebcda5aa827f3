import { describe, inject } from "vitest";
import type { Found } from "./parts/part.ts";
import "./find-parts.ts";

/**
 * A `describe` for tests of somebody else's programs. Its title names them with their versions, the one that is put to the proof first: the
 * report is made of titles (record.ts). Without one of them everything in it is skipped, and the title says what it needs.
 */
export function describeWith<const Names extends readonly [string, ...string[]]>(names: Names, body: (parts: { readonly [Name in Names[number]]: Found }) => void): void {
  const told = names.map((name) => inject("parts").find((part) => part.name === name) ?? { name, absent: "not in test/real/parts/catalogue.ts" });
  const absent = told.filter((part) => "absent" in part);
  const shown = told.map((part) => ("absent" in part ? part.name : `${part.name} ${part.version}`));
  const [subject = "", ...others] = shown;
  const title = [
    others.length === 0 ? subject : `${subject} with ${others.join(", ")}`,
    ...(absent.length === 0 ? [] : [`(needs ${absent.map(({ name }) => name).join(", ")})`]),
  ].join(" ");
  // The body of a skipped describe is run for its titles; nothing in it may use a path before a test does.
  const parts = Object.fromEntries(told.map((part) => [part.name, "absent" in part ? { name: part.name, path: `/absent/${part.name}`, version: "absent" } : part]));
  describe.skipIf(absent.length > 0)(title, () => body(parts as { readonly [Name in Names[number]]: Found }));
}
