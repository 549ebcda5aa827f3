// Writes docs/reference/conformance.md from the names and results of the tests: `npm run conformance` runs the rings and writes it;
// `--check REPORT…` (the gate) says what is missing or out of date and fails. A test's title ends with the points that it proves, in
// brackets: `[LB-02, RP-52]`. REPORT: a JSON report of vitest.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "docs/reference/conformance.md");
const check = process.argv.includes("--check");

async function readChapters() {
  const { outputFiles } = await build({ entryPoints: [join(root, "test/conformance/points/index.ts")], bundle: true, write: false, format: "esm", platform: "node" });
  return (await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`)).chapters;
}

/** Runs both rings; gives their reports. */
function runRings(folder) {
  return [["unit"], ["desktop", "--config", "vitest.desktop.config.ts"]].map(([name, ...more]) => {
    const file = join(folder, `${name}.json`);
    try {
      execFileSync("npx", ["vitest", "run", "--reporter=json", `--outputFile.json=${file}`, ...more], { cwd: root, stdio: "inherit" });
    } catch {
      // The report says what failed.
    }
    return file;
  });
}

/** id → the tests whose titles name it: `file › title` and their status. */
function testsById(reports) {
  const byId = new Map();
  for (const report of reports) {
    for (const { name, assertionResults } of JSON.parse(readFileSync(report, "utf8")).testResults) {
      const file = name.slice(name.lastIndexOf("/test/") + 1);
      for (const { title, status } of assertionResults) {
        const [, list] = / \[([A-Z]{1,2}-\d{2}(?:, [A-Z]{1,2}-\d{2})*)\]$/.exec(title) ?? [];
        for (const id of list?.split(", ") ?? []) byId.set(id, [...(byId.get(id) ?? []), { file, title: title.slice(0, -list.length - 3), status }]);
      }
    }
  }
  return byId;
}

// A hostile text in a test's title must not play its trick in the page.
const cell = (text) =>
  text
    .replace(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, "·")
    .replaceAll("|", "\\|")
    .replaceAll("<", "&lt;");
const who = { library: "library", option: "library, by an option", us: "us", both: "library and us" };
/** Most tests that one row names. */
const shown = 3;

function row(point, tests) {
  // The order of a report is the order of its run.
  const sorted = [...new Map(tests.map((test) => [`${test.file} › ${test.title}`, test])).keys()].sort();
  const names = sorted.slice(0, shown).map((name) => cell(name.length > 160 ? `${name.slice(0, 159)}…` : name));
  if (sorted.length > shown) names.push(`and ${sorted.length - shown} more`);
  const result = tests.length === 0 ? `not met or not ours: ${point.reason}` : point.reason === undefined ? "passes" : `passes; ${point.reason}`;
  return `| ${point.id} | ${cell(point.text)} | ${who[point.by]} | ${names.join("<br>") || "–"} | ${cell(result)} |`;
}

function pageText(chapters, byId) {
  const all = chapters.flatMap(([, points]) => points);
  const tested = all.filter(({ id }) => byId.has(id)).length;
  const lines = [
    "# Conformance",
    "",
    "Generated from the tests by `npm run conformance`; do not edit. Every numbered point of what a relying party, a native app and a",
    "credential helper must do and refuse: who enforces it, the tests that show it, their result. A point that is not met, or that does not",
    "apply, says why. The gate fails when a point loses its last test, and when a test that is named here fails.",
    "",
    `${all.length} points: ${tested} with tests, ${all.length - tested} without and with a reason.`,
    "",
  ];
  for (const [title, points] of chapters) {
    lines.push(`## ${title}`, "", "| point | what must hold | who | tests | result |", "|---|---|---|---|---|", ...points.map((point) => row(point, byId.get(point.id) ?? [])), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

const chapters = await readChapters();
const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-conformance-"));
const faults = [];
try {
  const given = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
  const byId = testsById(given.length > 0 ? given : runRings(folder));
  const known = new Set(chapters.flatMap(([, points]) => points.map(({ id }) => id)));
  for (const id of byId.keys()) if (!known.has(id)) faults.push(`a test names ${id}, which is no point`);
  for (const { id, reason } of chapters.flatMap(([, points]) => points)) {
    const tests = byId.get(id) ?? [];
    if (tests.length === 0 && reason === undefined) faults.push(`${id} has neither a test nor a reason`);
    for (const { file, title, status } of tests) if (status === "failed") faults.push(`${id}: ${file} › ${title} failed`);
    if (tests.length > 0 && tests.every(({ status }) => status !== "passed")) console.log(`skipped: every test of ${id}`);
  }
  const text = pageText(chapters, byId);
  if (!check) {
    if (faults.length === 0) writeFileSync(page, text);
  } else {
    let current = "";
    try {
      current = readFileSync(page, "utf8");
    } catch {
      // Missing counts as out of date.
    }
    if (current !== text) faults.push(`${relative(root, page)} does not agree with the tests; run: npm run conformance`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
