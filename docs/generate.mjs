// Writes docs/reference and the man page from the program's own tables, and the figures of the bench where they are shown; with --check, says what would change and fails.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { commandsPage } from "./generate/commands.mjs";
import { compatibilityPage } from "./generate/compatibility.mjs";
import { doctorPage } from "./generate/doctor.mjs";
import { errorsPage, exitStatusesPage } from "./generate/errors.mjs";
import { filesPage } from "./generate/files.mjs";
import { jsonPage } from "./generate/json.mjs";
import { loadFacts } from "./generate/load.mjs";
import { manPage } from "./generate/man.mjs";
import { environmentPage, optionsPage } from "./generate/options.mjs";
import { performancePlot } from "./generate/performance-plot.mjs";
import { performanceSections, readmeSections } from "./generate/performance-tables.mjs";
import { readFigures } from "./generate/performance.mjs";
import { withSections } from "./generate/sections.mjs";

const facts = await loadFacts();
const pages = {
  "docs/reference/commands.md": commandsPage,
  "docs/reference/options.md": optionsPage,
  "docs/reference/environment.md": environmentPage,
  "docs/reference/files.md": filesPage,
  "docs/reference/errors.md": errorsPage,
  "docs/reference/exit-statuses.md": exitStatusesPage,
  "docs/reference/json.md": jsonPage,
  "docs/reference/doctor.md": doctorPage,
  "man/kubectl-oidc.1": manPage,
};
const figures = readFigures(textOf(new URL("explanation/performance.json", import.meta.url)) ?? "");
const record = textOf(new URL("reference/compatibility.json", import.meta.url));
/** What is made of recorded runs: the page of the real programs; of the bench's report, sections of pages that are written by hand and a picture. */
const measured = {
  "docs/reference/compatibility.md": () => compatibilityPage(record),
  "README.md": (page) => withSections(page, readmeSections(figures)),
  "docs/explanation/performance.md": (page) => withSections(page, performanceSections(figures)),
  "docs/pictures/performance.svg": () => performancePlot(figures),
};

const check = process.argv.includes("--check");
const stale = [];
const writers = [...Object.entries(pages).map(([name, write]) => [name, () => write(facts)]), ...Object.entries(measured)];
for (const [name, write] of writers) {
  const file = new URL(`../${name}`, import.meta.url);
  const text = write(textOf(file) ?? "");
  if (!check) {
    mkdirSync(fileURLToPath(new URL(".", file)), { recursive: true });
    writeFileSync(file, text);
  } else if (textOf(file) !== text) stale.push(name);
}
for (const name of stale) console.error(`${name} does not agree with ${name in measured ? "the recorded runs" : "the program"}; run: npm run docs`);
process.exit(stale.length === 0 ? 0 : 1);

/** Missing counts as stale. */
function textOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
