import { expect, it } from "vitest";
import { nearest } from "../../src/core/nearest.ts";

const known = ["login", "logout", "status", "whoami", "doctor", "token", "trust", "completion", "version"];

it.each<[string, string | undefined]>([
  ["lgoin", "login"],
  ["logni", "login"],
  ["log-out", "logout"],
  ["stauts", "status"],
  ["whoam", "whoami"],
  ["doktor", "doctor"],
  ["comp", "completion"],
  ["vers", "version"],
  ["log", undefined],
  ["t", undefined],
  ["", undefined],
  ["nonsense", undefined],
  ["x".repeat(10_000), undefined],
])("%s → %s", (word, expected) => expect(nearest(word, known)).toBe(expected));
