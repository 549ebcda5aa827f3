import { cell, code, fenced, page, table } from "./markdown.mjs";

const kinds = { text: "text", time: "time", integer: "number", boolean: "true or false", texts: "list of texts", object: "object", list: "list of objects", open: "object" };

export function jsonPage({ jsonShapes }) {
  return page(
    "JSON",
    "`docs/generate/json-shapes.ts`",
    "What `-o json` prints, one value on one line on stdout. Times are RFC 3339 in UTC, `2026-11-23T14:05:00Z`. Texts of others are as they came; what is not safe on a terminal is escaped. Keys may be added; none is renamed or taken away. A field that says *or null* is always there.",
    ...jsonShapes.flatMap(({ title, about, example, fields }) => [
      `## ${title}`,
      about,
      fenced("json", JSON.stringify(example, null, 2)),
      table(
        ["field", "holds", "meaning"],
        fields.map(({ path, kind, help, nullable, optional }) => [code(path), `${kinds[kind]}${nullable ? " or null" : ""}${optional ? ", or absent" : ""}`, cell(help)]),
      ),
    ]),
  );
}
