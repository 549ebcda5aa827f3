import { expect, it } from "vitest";
import { isNestedTooDeeply } from "../../src/adapters/yaml-document.ts";

it.each<[string, string, boolean]>([
  ["a kubeconfig", "clusters:\n- name: a\n  cluster: {server: https://a, extensions: [{name: x, extension: {y: z}}]}\n", false],
  ["one line of JSON with a thousand members", JSON.stringify(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, { a: i }]))).replaceAll(":", ": "), false],
  ["brackets", "[".repeat(101), true],
  ["brackets that close nothing", "]".repeat(101), true],
  ["commas", "{a: [b,,,".concat(", ".repeat(100)), true],
  ["maps in maps by quotes", `{"a"${'":"'.repeat(101)}}`, true],
  ["fingerprints and times", `a: ${"AB:".repeat(31)}CD\nb: 2026-01-01T00:00:00Z\n`, false],
  ["blanks", `a:\n${" ".repeat(200)}b: c`, true],
  ["lists in lists", "- ".repeat(100), true],
  ["a line that begins a map in a map", 'a": '.repeat(200), true],
])("%s", (_, text, expected) => expect(isNestedTooDeeply(text)).toBe(expected));
