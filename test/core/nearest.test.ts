import { expect, it } from "vitest";
import { nearest, nearestContext } from "../../src/core/nearest.ts";

const known = ["login", "logout", "status", "whoami", "doctor", "token", "trust", "completion", "version"];

it.each<[string, string | undefined]>([
  ["lgoin", "login"],
  ["logni", "login"],
  ["log-out", "logout"],
  ["stauts", "status"],
  ["whoam", "whoami"],
  ["doktor", "doctor"],
  ["STATUS", "status"],
  ["comp", "completion"],
  ["vers", "version"],
  ["log", undefined],
  ["t", undefined],
  ["", undefined],
  ["nonsense", undefined],
  ["x".repeat(10_000), undefined],
])("%s → %s", (word, expected) => expect(nearest(word, known)).toBe(expected));

it.each<[string, string | undefined]>([
  ["prod", "gke_acme_europe-west3_prod"],
  ["stagign", "staging"],
  ["ac", undefined],
  ["acme", undefined],
])("%s → the context %s: names that clouds make are long", (word, expected) =>
  expect(nearestContext(word, ["gke_acme_europe-west3_prod", "gke_acme_europe-west3_test", "staging"])).toBe(expected),
);
