import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("../..", import.meta.url);

/** The exports of a TypeScript module that imports no package. */
export async function load(entry) {
  const { outputFiles } = await build({ entryPoints: [fileURLToPath(new URL(entry, root))], bundle: true, write: false, format: "esm", platform: "node" });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

/** The program's tables: what every page is made of. */
export async function loadFacts() {
  const modules = ["src/errors/catalogue.ts", "src/errors/exit-statuses.ts", "src/core/flag-table.ts", "src/core/checks/outcome.ts", "src/cli/command-table.ts", "src/cli/help.ts"];
  const tables = [
    "src/cli/variable-table.ts",
    "src/cli/file-table.ts",
    "src/cli/config-keys.ts",
    "src/cli/help-topics.ts",
    "src/cli/help-layout.ts",
    "docs/generate/json-shapes.ts",
  ];
  const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  return Object.assign({ version }, ...(await Promise.all([...modules, ...tables].map(load))));
}
