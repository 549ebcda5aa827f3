import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { variableTable } from "../../src/cli/variable-table.ts";
import { environmentName, optionTable } from "../../src/core/flag-table.ts";

const root = resolve(import.meta.dirname, "../..");
const tables = ["cli/variable-table.ts", "cli/file-table.ts", "cli/help-topics.ts", "errors/catalogue.ts"];
/** The program without its comments, and without the texts about variables. */
const source = ["src", "bin"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`))
  .filter((name) => name.endsWith(".ts") && !tables.some((table) => name.endsWith(table)))
  .map((name) =>
    readFileSync(join(root, name), "utf8")
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/(^|\s)\/\/.*$/gm, ""),
  )
  .join("\n");
const named = Object.values(variableTable).flat();

it("every variable that the source reads is in the reference", () => {
  const read = [...source.matchAll(/\b(?:env|values|stanza)(?:\["([A-Za-z_]+)"\]|\.([A-Z][A-Z_]+)\b)/g)].map((match) => match[1] ?? match[2] ?? "");
  expect(read.length).toBeGreaterThan(20);
  const ofOptions = optionTable.map(({ name }) => environmentName(name));
  // `no_proxy` beside NO_PROXY, Windows' `Path` beside PATH.
  // Of a stanza that migrate reads: they are another program's.
  const azures = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AAD_SERVICE_PRINCIPAL_CLIENT_ID", "AAD_LOGIN_METHOD"];
  const known = [...named.map(({ name }) => name), ...ofOptions, ...azures].map((name) => name.toUpperCase());
  expect([...new Set(read)].filter((name) => !known.includes(name.toUpperCase()))).toEqual([]);
});

it("every variable of the reference is one that the program, or Node below it, acts on", () => {
  // os.tmpdir() reads TMPDIR. NO_COLOR is named because nothing reads it: no colour is ever written.
  const elsewhere = ["TMPDIR", "NO_COLOR"];
  const words = new Set(source.match(/[A-Za-z_]{2,}/g));
  expect(named.map(({ name }) => name).filter((name) => !words.has(name) && !elsewhere.includes(name))).toEqual([]);
  // The end of a line that is written over is cleared; nothing is coloured.
  expect(source).not.toMatch(/\\(?:x1b|u001b|e)\[(?!K`|K")/);
  expect(source).toContain("tmpdir()");
});

it("names every variable once, in the words of a sentence", () => {
  const names = named.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { help } of named) expect(help).not.toMatch(/\.$|^$/);
});
