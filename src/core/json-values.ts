import { isObject } from "./session.ts";

/** Equality of JSON values; what is undefined counts as absent. */
export function holds(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((item, i) => holds(item, other[i]));
  if (!isObject(one) || !isObject(other)) return (one ?? null) === null && (other ?? null) === null;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => (one[key] === undefined && other[key] === undefined) || (Object.hasOwn(one, key) && Object.hasOwn(other, key) && holds(one[key], other[key])));
}

/** Stands for what is not wanted any more. */
export const gone = Symbol("gone");

/** Pairs what is there with what is wanted: lists of named things by their names, others by equality, in order. */
export function aligned(known: readonly unknown[], wanted: readonly unknown[]): readonly (readonly [known: unknown, wanted: unknown])[] {
  const named = [...known, ...wanted].every((one) => isObject(one) && typeof one["name"] === "string");
  const same = (one: unknown, other: unknown) => (named && isObject(one) && isObject(other) ? one["name"] === other["name"] : holds(one, other));
  const pairs: (readonly [unknown, unknown])[] = [];
  let at = 0;
  for (const [index, one] of known.entries()) {
    const found = wanted.findIndex((other, i) => i >= at && same(one, other));
    const laterKnown = known.slice(index + 1);
    // One that stands further down only because others moved up counts as gone, and comes again as new.
    const isLater = found !== -1 && wanted.slice(at, found).some((other) => laterKnown.some((later) => same(later, other)));
    if (found === -1 || isLater) pairs.push([one ?? null, gone]);
    else {
      for (; at < found; at++) pairs.push([undefined, wanted[at]]);
      pairs.push([one ?? null, wanted[at++]]);
    }
  }
  for (; at < wanted.length; at++) pairs.push([undefined, wanted[at]]);
  return pairs;
}

/** A list's members as words: a number or a boolean as YAML writes it, what is no scalar as nothing. An object can make `String` throw. */
export const wordsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map((one: unknown) => (["string", "number", "boolean", "bigint"].includes(typeof one) ? String(one) : "")) : [];
