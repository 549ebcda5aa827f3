import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { chapters } from "./points/index.ts";

const all = chapters.flatMap(([, points]) => points);
const tests = resolve(import.meta.dirname, "..");
const sources = readdirSync(tests, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("points"))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));

describe("the points of docs/reference/conformance.md", () => {
  it("have each a number of their own", () => {
    expect(all.map(({ id }) => id).filter((id, i, ids) => ids.indexOf(id) !== i)).toEqual([]);
  });
  it("are named by a test, or say why not", () => {
    const named = new Set(sources.flatMap((text) => text.match(/\b[A-Z]{1,2}-\d{2}\b/g) ?? []));
    expect(all.filter(({ id, reason }) => reason === undefined && !named.has(id)).map(({ id }) => id)).toEqual([]);
  });
  it("stand on the page", () => {
    const page = readFileSync(resolve(tests, "../docs/reference/conformance.md"), "utf8");
    expect(all.filter(({ id }) => !page.includes(`| ${id} |`)).map(({ id }) => id)).toEqual([]);
  });
});
