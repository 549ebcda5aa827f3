import { describe, expect, it } from "vitest";
import { fail } from "../../src/errors/oidc-error.ts";
import { inputsOf } from "./inputs.ts";
import { minimise } from "./minimise.ts";
import { runTarget } from "./run-target.ts";
import type { Target } from "./target.ts";
import { targets } from "./targets/all.ts";

const secret = "QXZJ-0123456789abcdefghij";
const planted = (run: (input: Buffer, say: (line: string) => void) => unknown): Target => ({
  name: "planted",
  what: "a planted fault",
  kind: "json",
  secrets: [secret],
  seeds: [`{"a":"${secret}","b":[1,2,3]}`],
  start: () => ({ run }),
});
const faultOf = async (run: Parameters<typeof planted>[0]) =>
  (await runTarget(planted(run), { seed: 1, from: 0, untilMs: Date.now() + 2_000, most: 500 }, () => undefined)).failure?.fault;

describe("the fuzzer finds", () => {
  it.each<[string, RegExp, Parameters<typeof planted>[0]]>([
    ["an exception that is none of ours", /^threw TypeError/, (input) => JSON.parse(input.toString().replaceAll(/[^{}]/g, "")).a.b],
    ["an error without a name", /UNEXPECTED/, () => fail("UNEXPECTED")],
    ["a secret in a line", /tells a secret/, (input, say) => say(`cannot read ${input.toString()}`)],
    ["a piece of a secret in an error", /tells a secret/, () => fail("SETTINGS_INVALID", { message: `it is ${secret.slice(3, 18)}` })],
    ["a line that a terminal obeys", /a line holds/, (_, say) => say("\u001b[2J")],
    [
      "a polluted prototype",
      /polluted/,
      () => {
        Object.defineProperty(Object.prototype, `polluted${performance.now()}`, { value: 1, configurable: true });
      },
    ],
    ["a result with a planted prototype", /prototype that came with the input/, () => Object.create({ isAdmin: true })],
    ["a promise that does not settle", /does not settle/, () => new Promise(() => undefined)],
  ])("%s", async (_, fault, run) => {
    try {
      expect(await faultOf(run)).toMatch(fault);
    } finally {
      for (const name of Reflect.ownKeys(Object.prototype)) if (String(name).startsWith("polluted")) Reflect.deleteProperty(Object.prototype, name);
    }
  });

  it("nothing where nothing is", async () => expect(await faultOf((input) => (input.length > 1e9 ? 1 : fail("SETTINGS_INVALID")))).toBeUndefined());

  it("the short input in a long one", async () => {
    const smaller = await minimise(Buffer.from(`${"x".repeat(500)}!${"y".repeat(700)}`), async (bytes) => bytes.includes("!"), Date.now() + 5_000);
    expect(smaller.toString()).toBe("!");
  });
});

describe("inputs", () => {
  it("are the same for the same seed and number, and others for others", () => {
    for (const target of targets.slice(0, 6)) {
      const [one, again, other] = [inputsOf(target, 3), inputsOf(target, 3), inputsOf(target, 4)];
      const many = Array.from({ length: 50 }, (_, i) => i + target.seeds.length);
      expect(many.map((i) => one(i).bytes.toString("base64"))).toEqual(many.map((i) => again(i).bytes.toString("base64")));
      expect(many.map((i) => one(i).bytes.toString("base64"))).not.toEqual(many.map((i) => other(i).bytes.toString("base64")));
    }
  });
  it("have targets of different names", () => expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length));
});

it.each(targets)("$what: a few dozen inputs break nothing", async (target) => {
  const { failure } = await runTarget(target, { seed: 2, from: 0, untilMs: Date.now() + 10_000, most: 40 + target.seeds.length }, () => undefined);
  expect(failure?.fault).toBeUndefined();
});
