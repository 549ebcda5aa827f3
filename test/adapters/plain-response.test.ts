import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as plain from "../../src/adapters/plain-response.ts";

/** The global ones and ours, to be asked the same. */
const both = [
  { Headers: globalThis.Headers, Response: globalThis.Response },
  { Headers: plain.Headers, Response: plain.Response },
] as const;

/** What it gives, or the kind of its error. */
async function outcomeOf(action: () => unknown): Promise<unknown> {
  try {
    return { gives: await action() };
  } catch (error) {
    return { throws: error instanceof RangeError ? "RangeError" : error instanceof SyntaxError ? "SyntaxError" : error instanceof TypeError ? "TypeError" : String(error) };
  }
}

async function alike(ask: (kind: (typeof both)[number]) => unknown): Promise<void> {
  const [ofNode, ours] = await Promise.all(both.map((kind) => outcomeOf(() => ask(kind))));
  expect(ours).toEqual(ofNode);
}

const names = fc.oneof(
  fc.constantFrom("content-type", "Content-Type", "set-cookie", "Set-Cookie", "x-a", "X-A", "www-authenticate", "", "a b", "a:b", "ä"),
  fc.string({ maxLength: 4 }),
);
const values = fc.oneof(
  fc.constantFrom("a", " a ", "\ta\r\n", "a, b", "", "ü", "\u0100", "a\nb", "a\0b"),
  fc.string({ maxLength: 5 }),
  fc.string({ unit: "binary", maxLength: 3 }),
);
const step = fc.record({ what: fc.constantFrom("append", "set", "get", "has", "delete"), name: names, value: values });
const texts = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), fc.constantFrom("", "{}", '{"a":1}', "\ufeff{}", "\ud800", "null", "ü€😀"));

describe("our Headers and Response", () => {
  it("headers are copied, cookies apart", async () => {
    for (const { Headers } of both) {
      const headers = new Headers({ "X-B": "2", "set-cookie": "a" });
      headers.append("set-cookie", "b");
      const copy = Reflect.construct(Headers, [headers]) as globalThis.Headers;
      headers.delete("x-b");
      expect([...copy]).toEqual([
        ["set-cookie", "a"],
        ["set-cookie", "b"],
        ["x-b", "2"],
      ]);
    }
  });

  it("headers are those of Node after the same steps, each answer and error included", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), (steps) =>
        alike(async ({ Headers }) => {
          const headers = new Headers();
          const said = [];
          for (const { what, name, value } of steps) {
            said.push(
              await outcomeOf(() => {
                if (what === "append" || what === "set") return headers[what](name, value);
                if (what === "delete") return headers.delete(name);
                return what === "get" ? headers.get(name) : headers.has(name);
              }),
            );
          }
          return [said, [...headers], [...headers.entries()], [...new Headers(Object.fromEntries(headers))]];
        }),
      ),
      { numRuns: 1_000 },
    );
  });

  it("headers are made of a plain object as Node makes them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, values, { maxKeys: 4 }), (init) => alike(({ Headers }) => [...new Headers(init)])),
      { numRuns: 500 },
    );
  });

  it("a response has Node's status, headers and body", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.option(texts),
        fc.oneof(fc.integer({ min: 100, max: 700 }), fc.constantFrom(200, 204, 205, 304, 400)),
        fc.constantFrom("text", "json", "cancel", "clone", "none"),
        fc.boolean(),
        (body, status, how, asBytes) =>
          alike(async ({ Response }) => {
            const given = body !== null && asBytes ? new TextEncoder().encode(body) : body;
            const response = new Response(given, { status, headers: { "x-a": "1" } });
            const said = [response.status, response.ok, [...response.headers], response.bodyUsed, response.body === null];
            if (how === "cancel") await response.body?.cancel();
            const copy = how === "clone" ? response.clone() : undefined;
            const read = how === "json" ? await outcomeOf(() => response.json()) : how === "text" || how === "clone" ? await outcomeOf(() => response.text()) : undefined;
            return [
              said,
              read,
              copy === undefined ? undefined : await outcomeOf(() => copy.text()),
              response.bodyUsed,
              await outcomeOf(() => response.text()),
              await outcomeOf(() => response.clone().text()),
            ];
          }),
      ),
      { numRuns: 1_000 },
    );
  });

  it("a response without arguments is Node's", () => alike(async ({ Response }) => [new Response().status, await new Response().text(), [...new Response("a").headers]]));

  it("they are told apart from other objects by instanceof and by their tags, as openid-client does", () => {
    for (const { Headers, Response } of both) {
      expect(new Response("") instanceof Response && new Headers() instanceof Headers).toBe(true);
      expect([Object.prototype.toString.call(new Response("")), Object.prototype.toString.call(new Headers())]).toEqual(["[object Response]", "[object Headers]"]);
    }
  });
});
