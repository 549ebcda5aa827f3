import { describe, expect, it } from "vitest";
import { parseBoolean, parseDuration, parsePairs, splitList } from "../../src/core/option-values.ts";

describe("durations are Go's", () => {
  it.each([
    ["90s", 90],
    ["1h30m", 5400],
    ["1.5h", 5400],
    ["250ms", 0.25],
    ["0", 0],
    ["1m0.5s", 60.5],
  ])("%s is %d seconds", (text, seconds) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: seconds });
  });
  it.each(["", "90", "-5s", "5 s", "1d", "s", "1h30", "١s"])("%j is refused", (text) => {
    expect(parseDuration(text).ok).toBe(false);
  });
});

describe("booleans take kubelogin's spellings", () => {
  it.each(["true", "1", "T", "True"])("%s is true", (text) => expect(parseBoolean(text)).toEqual({ ok: true, value: true }));
  it.each(["false", "0", "f", "FALSE"])("%s is false", (text) => expect(parseBoolean(text)).toEqual({ ok: true, value: false }));
  it.each(["yes", "", "2", "tru"])("%j is refused", (text) => expect(parseBoolean(text).ok).toBe(false));
});

describe("lists and pairs", () => {
  it("splits at commas and keeps quoted parts whole", () => {
    expect(splitList(["a,b", "c", '"d,e",f', ""])).toEqual(["a", "b", "c", "d,e", "f"]);
  });
  it("reads k=v,k=v with more than one = as two pairs, and a single pair whole", () => {
    expect(parsePairs(["a=1,b=2"])).toEqual({ ok: true, value: { a: "1", b: "2" } });
    expect(parsePairs(["a=1,2,3"])).toEqual({ ok: true, value: { a: "1,2,3" } });
    expect(parsePairs(["a=1,2,b=3"])).toEqual({ ok: true, value: { a: "1,2", b: "3" } });
  });
  it("is not fooled by the name of a prototype's member", () => {
    const parsed = parsePairs(["__proto__=x"]);
    expect(parsed.ok && Object.keys(parsed.value)).toEqual(["__proto__"]);
  });
  it.each(["a", "=b", ""])("%j is no pair", (text) => expect(parsePairs([text]).ok).toBe(false));
});
